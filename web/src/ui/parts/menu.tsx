// SPDX-License-Identifier: Apache-2.0
// A small menu that closes when something in it was chosen, on Escape and on a click elsewhere.
import { useEffect, useRef, type ReactNode } from 'react';

interface Props {
  label: string;
  test_id?: string;
  children: ReactNode;
}

// The menu of something on the board: three dots.
export function Menu({ label, test_id, children }: Props) {
  return (
    <PopUp
      summary={
        <summary className="quiet icon" aria-label={label} title={label} data-testid={test_id}>
          ⋯
        </summary>
      }
    >
      {children}
    </PopUp>
  );
}

interface PopUpProps {
  summary: ReactNode;
  is_wide?: boolean;
  // Choosing something in it does not close it.
  stays_open?: boolean;
  children: ReactNode;
}

export function PopUp({ summary, is_wide = false, stays_open = false, children }: PopUpProps) {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      const element = details.current;
      if (element === null || !element.open) return;
      const is_escape = event instanceof KeyboardEvent && event.key === 'Escape';
      const is_elsewhere = event instanceof PointerEvent && !element.contains(event.target as Node);
      if (is_escape || is_elsewhere) element.open = false;
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, []);
  return (
    <details className="menu" ref={details}>
      {summary}
      <div
        className={`menu-sheet${is_wide ? ' wide' : ''}`}
        onClick={(event) => {
          if (!stays_open && (event.target as Element).closest('button') !== null) details.current!.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
