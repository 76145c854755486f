// SPDX-License-Identifier: Apache-2.0
// One list of the board with its cards.
import type { BoardView, Card, Id, Label, List, Member } from '@kalends/core';
import { memo, useRef } from 'react';
import { make_id } from '../../core/make_id';
import type { Edit } from '../context';
import { DraftInput } from '../parts/draft_input';
import { InlineAdd } from '../parts/inline_add';
import { Menu } from '../parts/menu';
import { CardTile } from './card_tile';
import { use_list_drag } from './drag';

interface Props {
  board: BoardView;
  list: List;
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
  // The open lists, in order.
  lists: readonly List[];
  edit: Edit;
}

export const ListColumn = memo(function ListColumn({ board, list, lists, labels, members, edit }: Props) {
  const element = useRef<HTMLElement>(null);
  const handle = useRef<HTMLElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const { is_dragged, edge, is_over } = use_list_drag({ element, handle, scroller }, list.id);
  const cards = open_cards(board, list);
  const at = lists.findIndex((other) => other.id === list.id);
  const move = (after: Id | null): void => void edit({ do: 'move', entity: list.id, after });
  const state = `${is_dragged ? ' dragged' : ''}${is_over ? ' over' : ''}${edge === null ? '' : ` edge-${edge}`}`;
  return (
    <section ref={element} className={`list${state}${list.deleted ? ' deleted' : ''}`} aria-label={list.title} data-testid={`list-${list.id}`}>
      <header ref={handle} className="list-head">
        <DraftInput
          className="list-title"
          label="Title of the list"
          value={list.title}
          is_required
          on_commit={(value) => void edit({ do: 'set', entity: list.id, field: 'title', value })}
        />
        <span className="count" aria-label={`${cards.length} cards`}>
          {cards.length}
        </span>
        {list.deleted && (
          <button
            title="This list was deleted, but somebody put a card into it"
            onClick={() => void edit({ do: 'restore', entity: list.id })}
          >
            Restore
          </button>
        )}
        <Menu label={`Actions of the list ${list.title}`} test_id={`list-menu-${list.id}`}>
          <button disabled={at <= 0} onClick={() => move(lists[at - 2]?.id ?? null)}>
            Move left
          </button>
          <button disabled={at >= lists.length - 1} onClick={() => move(lists[at + 1]!.id)}>
            Move right
          </button>
          <button onClick={() => void edit({ do: 'set', entity: list.id, field: 'archived', value: true })}>
            Archive the list
          </button>
          <button className="danger" onClick={() => void edit({ do: 'delete', entity: list.id })}>
            Delete the list and its cards
          </button>
        </Menu>
      </header>
      <div className="cards" ref={scroller}>
        <ul className="plain">
          {cards.map((card) => (
            <CardTile
              key={card.id}
              board={board.id}
              card={card}
              labels={labels}
              members={members}
              time_zone={board.time_zone}
            />
          ))}
        </ul>
      </div>
      <InlineAdd
        text="Add a card"
        placeholder="What is to be done?"
        test_id={`add-card-${list.id}`}
        on_add={(title) =>
          void edit({ do: 'create', type: 'card', id: make_id(), fields: { list: list.id, title } })
        }
      />
    </section>
  );
});

function open_cards(board: BoardView, list: List): Card[] {
  return list.cards.flatMap((id) => {
    const card = board.cards[id];
    return card === undefined || card.archived ? [] : [card];
  });
}
