// SPDX-License-Identifier: Apache-2.0
import type { Checklist, ChecklistItem, OpId } from '@kalends/core';
import { DraftInput } from '../parts/draft_input';
import { InlineAdd } from '../parts/inline_add';
import { Menu } from '../parts/menu';
import { Check } from '../parts/pending';
import type { CardPartProps } from './card_editor';

export function Checklists({ board, card, edit }: CardPartProps) {
  return (
    <>
      {card.checklists.map((checklist) => (
        <ChecklistPart key={checklist.id} board={board} card={card} edit={edit} checklist={checklist} />
      ))}
      <InlineAdd
        text="Add a checklist"
        placeholder="Title of the checklist"
        test_id="add-checklist"
        on_add={(title) => void edit({ do: 'add_child', entity: card.id, type: 'checklist', fields: { title } })}
      />
    </>
  );
}

function ChecklistPart({ card, edit, checklist }: CardPartProps & { checklist: Checklist }) {
  const done = checklist.items.filter((item) => item.done).length;
  return (
    <div className="checklist">
      <div className="row">
        <DraftInput
          className="grow strong"
          label="Title of the checklist"
          value={checklist.title}
          is_required
          on_commit={(value) =>
            void edit({ do: 'set', entity: card.id, child: checklist.id, field: 'title', value })
          }
        />
        <span className="count">
          {done}/{checklist.items.length}
        </span>
        <Menu label={`Actions of the checklist ${checklist.title}`}>
          <button className="danger" onClick={() => void edit({ do: 'delete', entity: card.id, child: checklist.id })}>
            Delete the checklist
          </button>
        </Menu>
      </div>
      <progress value={done} max={Math.max(1, checklist.items.length)} aria-label={`${checklist.title}: done`} />
      <ul className="plain">
        {checklist.items.map((item, at) => (
          <ItemRow key={item.id} card={card} edit={edit} items={checklist.items} item={item} at={at} />
        ))}
      </ul>
      <InlineAdd
        text="Add an item"
        placeholder="What exactly?"
        test_id={`add-item-${checklist.id}`}
        on_add={(text) =>
          void edit({ do: 'add_child', entity: card.id, type: 'item', checklist: checklist.id, fields: { text } })
        }
      />
    </div>
  );
}

interface ItemProps extends Pick<CardPartProps, 'card' | 'edit'> {
  items: readonly ChecklistItem[];
  item: ChecklistItem;
  at: number;
}

function ItemRow({ card, edit, items, item, at }: ItemProps) {
  const move = (after: OpId | null): void => void edit({ do: 'move', entity: card.id, child: item.id, after });
  return (
    <li className="row">
      <Check
        label={`Done: ${item.text}`}
        is_on={item.done}
        on_change={(value) => edit({ do: 'set', entity: card.id, child: item.id, field: 'done', value })}
      />
      <DraftInput
        className={`grow${item.done ? ' struck' : ''}`}
        label="Text of the item"
        value={item.text}
        is_required
        on_commit={(value) =>
          void edit({ do: 'text', entity: card.id, child: item.id, field: 'text', value, base: item.text })
        }
      />
      <Menu label={`Actions of the item ${item.text}`}>
        <button disabled={at === 0} onClick={() => move(items[at - 2]?.id ?? null)}>
          Move up
        </button>
        <button disabled={at === items.length - 1} onClick={() => move(items[at + 1]!.id)}>
          Move down
        </button>
        <button className="danger" onClick={() => void edit({ do: 'delete', entity: card.id, child: item.id })}>
          Delete
        </button>
      </Menu>
    </li>
  );
}
