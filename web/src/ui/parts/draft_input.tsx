// SPDX-License-Identifier: Apache-2.0
// Inputs that keep what is being typed to themselves until it is meant: on leaving, or on Enter.
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { rebase_text } from '../../replica/rebase_text';

// Enter means what was typed, Escape drops it and nothing else.
export function draft_keys(draft: string | null, drop: () => void) {
  return (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter') event.currentTarget.blur();
    if (event.key === 'Escape' && draft !== null) {
      event.stopPropagation();
      event.preventDefault();
      drop();
    }
  };
}

interface DraftInputProps {
  value: string;
  label: string;
  on_commit(value: string): void;
  className?: string;
  placeholder?: string;
  test_id?: string;
  // An empty text is put back instead of being committed.
  is_required?: boolean;
  type?: 'text' | 'url';
}

export function DraftInput({ value, label, on_commit, test_id, is_required, ...rest }: DraftInputProps) {
  const [draft, set_draft] = useState<string | null>(null);
  const commit = (): void => {
    const text = draft?.trim();
    set_draft(null);
    if (text === undefined || text === value || (is_required && text === '')) return;
    on_commit(text);
  };
  return (
    <input
      {...rest}
      aria-label={label}
      data-testid={test_id}
      value={draft ?? value}
      onChange={(event) => set_draft(event.target.value)}
      onBlur={commit}
      onKeyDown={draft_keys(draft, () => set_draft(null))}
    />
  );
}

interface DraftTextProps {
  value: string;
  label: string;
  // `base` is the text from which the person started: see rebase_text.
  on_commit(value: string, base: string): void;
  placeholder?: string;
  test_id?: string;
  rows?: number;
}

// How long a person pauses before what was typed is an edit of its own.
const kPauseMs = 800;

// A text that others may be changing too: their changes come in while this person types.
export function DraftText({ value, label, on_commit, test_id, ...rest }: DraftTextProps) {
  const [{ base, draft }, set_state] = useState({ base: value, draft: value });
  const area = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const latest = useRef({ base, draft });
  latest.current = { base, draft };

  if (value !== base && draft === base) set_state({ base: value, draft: value });
  useEffect(() => {
    const now = latest.current;
    if (value === now.base) return;
    const rebased = rebase_text({ base: now.base, draft: now.draft, current: value });
    caret.current = moved_caret(area.current, now.draft, rebased);
    set_state({ base: value, draft: rebased });
  }, [value]);
  useLayoutEffect(() => {
    if (caret.current !== null) area.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  const commit = useRef(() => undefined as void);
  commit.current = () => {
    const now = latest.current;
    if (now.draft === now.base) return;
    latest.current = { base: now.draft, draft: now.draft };
    set_state(latest.current);
    on_commit(now.draft, now.base);
  };
  useEffect(() => {
    if (draft === base) return;
    const timer = setTimeout(() => commit.current(), kPauseMs);
    return () => clearTimeout(timer);
  }, [draft, base]);
  useEffect(() => () => commit.current(), []);

  return (
    <textarea
      {...rest}
      ref={area}
      aria-label={label}
      data-testid={test_id}
      value={draft}
      onChange={(event) => set_state({ base, draft: event.target.value })}
      onBlur={() => commit.current()}
    />
  );
}

// Where the caret belongs after the text around it was replaced; null: it is not in the text.
function moved_caret(area: HTMLTextAreaElement | null, before: string, after: string): number | null {
  if (area === null || document.activeElement !== area) return null;
  const caret = area.selectionStart;
  const is_same_before = before.slice(0, caret) === after.slice(0, caret);
  return is_same_before ? caret : Math.max(0, caret + after.length - before.length);
}
