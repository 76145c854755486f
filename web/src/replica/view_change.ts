// SPDX-License-Identifier: Apache-2.0
// What a page must be told so that its copy of a view becomes the new one: a board's cards are many and change
// singly, so only those that differ are sent. `apply_view_change` is the other end of it.
import type { BoardView, Card, DocumentKind, Id, WorkspaceView } from '@kalends/core';
import type { ViewChange } from './messages';

export type View = BoardView | WorkspaceView;

// Requires: both views are of the kind. A null `before` gives everything. Null: nothing changed.
export function view_change(kind: DocumentKind, before: View | null, after: View): ViewChange | null {
  if (kind === 'workspace') {
    return deep_equal(before, after) ? null : { document_kind: 'workspace', workspace: after as WorkspaceView };
  }
  const { cards: cards_after, ...board } = after as BoardView;
  if (before === null) return { document_kind: 'board', board, cards: cards_after, removed: [] };
  const { cards: cards_before, ...board_before } = before as BoardView;
  const cards: Record<Id, Card> = {};
  for (const [id, card] of Object.entries(cards_after)) {
    if (!deep_equal(cards_before[id], card)) cards[id] = card;
  }
  const removed = Object.keys(cards_before).filter((id) => !Object.hasOwn(cards_after, id));
  if (Object.keys(cards).length === 0 && removed.length === 0 && deep_equal(board_before, board)) return null;
  return { document_kind: 'board', board, cards, removed };
}

// Unchanged cards stay the same objects, so that a page draws only what changed.
export function apply_view_change(before: View | null, change: ViewChange): View {
  if (change.document_kind === 'workspace') return change.workspace;
  const cards = { ...(before === null ? {} : (before as BoardView).cards), ...change.cards };
  for (const id of change.removed) delete cards[id];
  return { ...change.board, cards };
}

export function deep_equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(right, key) &&
      deep_equal((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
  );
}
