// SPDX-License-Identifier: Apache-2.0
// A control shows what a person chose while the edit is on its way, and afterwards what really is.
import { useCallback, useRef, useState } from 'react';

export function use_pending<Value>(value: Value): [Value, (chosen: Value, edit: Promise<unknown>) => void] {
  const [pending, set_pending] = useState<{ chosen: Value } | null>(null);
  const latest = useRef(0);
  const choose = useCallback((chosen: Value, edit: Promise<unknown>) => {
    const number = ++latest.current;
    set_pending({ chosen });
    void edit.finally(() => {
      if (number === latest.current) set_pending(null);
    });
  }, []);
  return [pending === null ? value : pending.chosen, choose];
}

interface CheckProps {
  is_on: boolean;
  on_change(is_on: boolean): Promise<unknown>;
  label?: string;
  test_id?: string;
}

export function Check({ is_on, on_change, label, test_id }: CheckProps) {
  const [shown, choose] = use_pending(is_on);
  return (
    <input
      type="checkbox"
      aria-label={label}
      data-testid={test_id}
      checked={shown}
      onChange={(event) => choose(event.target.checked, on_change(event.target.checked))}
    />
  );
}
