// SPDX-License-Identifier: Apache-2.0
// What a drop means: the `move` that puts what was dragged where it was let go.
import type { Edge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';
import type { BoardView, Command, Id } from '@kalends/core';

export type Dragged = { kind: 'card'; card: Id; list: Id } | { kind: 'list'; list: Id };

// Null: everything stays where it is.
export function drop_command(board: BoardView, dragged: Dragged, onto: Dragged, edge: Edge | null): Command | null {
  if (dragged.kind === 'list') {
    const others = board.lists.map((list) => list.id).filter((id) => id !== dragged.list);
    return move_between(board.lists.map((list) => list.id), dragged.list, others, onto.list, edge === 'left', {});
  }
  const cards = board.lists.find((list) => list.id === onto.list)?.cards ?? [];
  const others = cards.filter((id) => id !== dragged.card);
  const beside = onto.kind === 'card' ? onto.card : null;
  return move_between(cards, dragged.card, others, beside, edge === 'top', { list: onto.list });
}

// `beside` null: to the end.
function move_between(
  before: readonly Id[],
  entity: Id,
  others: readonly Id[],
  beside: Id | null,
  is_in_front: boolean,
  rest: { list?: Id },
): Command | null {
  const at = beside === null ? others.length : others.indexOf(beside) + (is_in_front ? 0 : 1);
  if (before.indexOf(entity) === at) return null;
  return { do: 'move', entity, ...rest, after: at === 0 ? null : others[at - 1]! };
}
