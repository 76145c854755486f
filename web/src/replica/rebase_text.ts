// SPDX-License-Identifier: Apache-2.0
// A person types into a copy of a text while others change the text itself. When the copy comes back, what the
// person changed since `base` is laid onto `current`, so that nobody's words are undone by an old copy.

interface Splice {
  start: number;
  // Past the last removed character.
  end: number;
  insert: string;
}

export interface TextEdit {
  base: string;
  draft: string;
  current: string;
}

export function rebase_text({ base, draft, current }: TextEdit): string {
  if (base === current) return draft;
  if (base === draft) return current;
  const mine = splice_between(base, draft);
  const theirs = splice_between(base, current);
  const shift = theirs.insert.length - (theirs.end - theirs.start);
  if (mine.end <= theirs.start) return apply(current, mine);
  if (mine.start >= theirs.end) {
    return apply(current, { start: mine.start + shift, end: mine.end + shift, insert: mine.insert });
  }
  // Both touched one stretch: what either removed is gone, both insertions stay.
  const insert = mine.start <= theirs.start ? mine.insert + theirs.insert : theirs.insert + mine.insert;
  return apply(base, { start: Math.min(mine.start, theirs.start), end: Math.max(mine.end, theirs.end), insert });
}

// The smallest single splice that makes `to` of `from`. Surrogate pairs are never cut.
function splice_between(from: string, to: string): Splice {
  const limit = Math.min(from.length, to.length);
  let start = 0;
  while (start < limit && from[start] === to[start]) ++start;
  if (start > 0 && is_high_surrogate(from.charCodeAt(start - 1))) --start;
  let tail = 0;
  while (tail < limit - start && from[from.length - 1 - tail] === to[to.length - 1 - tail]) ++tail;
  if (tail > 0 && is_low_surrogate(from.charCodeAt(from.length - tail))) --tail;
  return { start, end: from.length - tail, insert: to.slice(start, to.length - tail) };
}

function apply(text: string, { start, end, insert }: Splice): string {
  return text.slice(0, start) + insert + text.slice(end);
}

function is_high_surrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function is_low_surrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
