// SPDX-License-Identifier: Apache-2.0
// Moving a card without dragging it: which list, and which place there.
import type { Id } from '@kalends/core';
import type { CardPartProps } from './card_editor';

export function MoveField({ board, card, edit }: CardPartProps) {
  const lists = board.lists.filter((list) => !list.archived && !list.deleted);
  const others = (board.lists.find((list) => list.id === card.list)?.cards ?? []).filter(
    (id) => id === card.id || board.cards[id]?.archived === false,
  );
  const at = others.indexOf(card.id);
  const move = (list: Id, place: number | 'last'): void => {
    const rest = (board.lists.find((candidate) => candidate.id === list)?.cards ?? []).filter(
      (id) => id !== card.id && board.cards[id]?.archived === false,
    );
    const after = place === 'last' ? (rest.at(-1) ?? null) : place === 0 ? null : (rest[place - 1] ?? null);
    void edit({ do: 'move', entity: card.id, list, after });
  };
  return (
    <div className="row wrap">
      <select
        aria-label="List"
        data-testid="move-list"
        value={card.list}
        onChange={(event) => move(event.target.value, 'last')}
      >
        {!lists.some((list) => list.id === card.list) && <option value={card.list}>(archived list)</option>}
        {lists.map((list) => (
          <option key={list.id} value={list.id}>
            {list.title}
          </option>
        ))}
      </select>
      <select
        aria-label="Place in the list"
        data-testid="move-place"
        value={at}
        onChange={(event) => move(card.list, Number(event.target.value))}
      >
        {others.map((id, place) => (
          <option key={id} value={place}>
            {place + 1} of {others.length}
          </option>
        ))}
      </select>
    </div>
  );
}
