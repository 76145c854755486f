// SPDX-License-Identifier: Apache-2.0
// What is not on the board any more and can come back: archived cards and lists, deleted cards.
import type { BoardView } from '@kalends/core';
import type { Edit } from '../context';

export function ArchivePanel({ board, edit }: { board: BoardView; edit: Edit }) {
  const cards = Object.values(board.cards).filter((card) => card.archived);
  const lists = board.lists.filter((list) => list.archived);
  const unarchive = (entity: string): void => void edit({ do: 'set', entity, field: 'archived', value: false });
  return (
    <>
      <Group title="Archived cards" is_empty={cards.length === 0}>
        {cards.map((card) => (
          <Row key={card.id} id={card.id} title={card.title} on_restore={() => unarchive(card.id)} />
        ))}
      </Group>
      <Group title="Archived lists" is_empty={lists.length === 0}>
        {lists.map((list) => (
          <Row key={list.id} id={list.id} title={list.title} on_restore={() => unarchive(list.id)} />
        ))}
      </Group>
      <Group title="Deleted cards" is_empty={board.deleted_cards.length === 0}>
        {board.deleted_cards.map((card) => (
          <Row
            key={card.id}
            id={card.id}
            title={card.title}
            on_restore={() => void edit({ do: 'restore', entity: card.id })}
          />
        ))}
      </Group>
    </>
  );
}

function Group({ title, is_empty, children }: { title: string; is_empty: boolean; children: React.ReactNode }) {
  return (
    <section className="part" aria-label={title}>
      <h3>{title}</h3>
      {is_empty ? <p className="hint">None.</p> : <ul className="plain">{children}</ul>}
    </section>
  );
}

function Row({ id, title, on_restore }: { id: string; title: string; on_restore(): void }) {
  return (
    <li className="row">
      <span className="grow">{title || 'Without a title'}</span>
      <button onClick={on_restore} data-testid={`restore-${id}`} aria-label={`Restore ${title}`}>
        Restore
      </button>
    </li>
  );
}
