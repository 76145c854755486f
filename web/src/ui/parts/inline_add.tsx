// SPDX-License-Identifier: Apache-2.0
// "Add something": a button that becomes a field; Enter adds and asks for the next one, Escape ends.
import { useRef, useState } from 'react';

interface Props {
  text: string;
  placeholder: string;
  on_add(title: string): void;
  test_id?: string;
}

export function InlineAdd({ text, placeholder, on_add, test_id }: Props) {
  const [is_open, set_is_open] = useState(false);
  const [title, set_title] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const add = (): void => {
    if (title.trim() === '') return;
    on_add(title.trim());
    set_title('');
    field.current?.focus();
  };
  const close = (): void => {
    set_is_open(false);
    set_title('');
  };
  if (!is_open) {
    return (
      <button className="quiet add" onClick={() => set_is_open(true)} data-testid={test_id}>
        + {text}
      </button>
    );
  }
  return (
    <form
      className="inline-add"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          add();
          close();
        }
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          close();
        }
      }}
    >
      <input
        ref={field}
        autoFocus
        aria-label={text}
        placeholder={placeholder}
        value={title}
        onChange={(event) => set_title(event.target.value)}
        data-testid={test_id && `${test_id}-title`}
      />
      <div className="row">
        <button className="primary" disabled={title.trim() === ''}>
          Add
        </button>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </form>
  );
}
