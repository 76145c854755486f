// SPDX-License-Identifier: Apache-2.0
// A small menu that closes when something in it was chosen, on Escape and on a click elsewhere.
import { useEffect, useRef, type ReactNode } from 'react';

interface Props {
  label: string;
  test_id?: string;
  children: ReactNode;
}

export function Menu({ label, test_id, children }: Props) {
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
      <summary className="quiet icon" aria-label={label} title={label} data-testid={test_id}>
        ⋯
      </summary>
      <div
        className="menu-sheet"
        onClick={(event) => {
          if ((event.target as Element).closest('button') !== null) details.current!.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
