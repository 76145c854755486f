// SPDX-License-Identifier: Apache-2.0
// Everything on one card, in a dialog. Each part commits by itself; there is no "save" to forget.
import type { BoardView, Card, Id, Label, Member } from '@kalends/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { use_page, type Edit } from '../context';
import { card_subject, ConflictList } from '../panels/conflicts_panel';
import { DraftInput, DraftText } from '../parts/draft_input';
import { Check } from '../parts/pending';
import { Attachments } from './attachments';
import { Checklists } from './checklists';
import { ColourField, LabelsField, PeopleField } from './choices';
import { Comments } from './comments';
import { DatesField } from './dates_field';
import { EstimateField } from './estimate_field';
import { Explain } from './explain';
import { MoveField } from './move_field';
import { TransferField } from './transfer_field';
import { RemindersField } from './reminders_field';

export interface CardPartProps {
  board: BoardView;
  card: Card;
  edit: Edit;
}

interface Props extends CardPartProps {
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
  on_close(): void;
}

export function CardEditor({ board, card, labels, members, edit, on_close }: Props) {
  const { session } = use_page();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  const set = (field: string, value: boolean | string): Promise<unknown> =>
    edit({ do: 'set', entity: card.id, field, value });
  const part = { board, card, edit };
  return (
    <dialog
      ref={dialog}
      className="card-editor"
      aria-label={`Card: ${card.title}`}
      data-testid="card-editor"
      onCancel={(event) => {
        event.preventDefault();
        on_close();
      }}
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) on_close();
      }}
    >
      <div className="card-editor-inner">
        <header className="row">
          <DraftInput
            className="editor-title"
            label="Title"
            value={card.title}
            is_required
            test_id="card-title"
            on_commit={(value) => void set('title', value)}
          />
          <button className="quiet icon" aria-label="Close the card" onClick={on_close} data-testid="close-card">
            ✕
          </button>
        </header>
        {card.archived && (
          <p className="notice row">
            This card is archived: it has no event in the calendar.
            <button onClick={() => void set('archived', false)}>Put it back on the board</button>
          </p>
        )}
        {card.conflicts.length > 0 && (
          <Part title="Open conflicts">
            <ConflictList board={board} subjects={[card_subject(card)]} labels={labels} members={members} edit={edit} />
          </Part>
        )}
        <div className="editor-columns">
          <div className="editor-main">
            <Part title="Description">
              <DraftText
                label="Description"
                value={card.description}
                placeholder="More about it…"
                rows={5}
                test_id="card-description"
                on_commit={(value, base) =>
                  void edit({ do: 'text', entity: card.id, field: 'description', value, base })
                }
              />
            </Part>
            <Part title="Checklists">
              <Checklists {...part} />
            </Part>
            <Part title="Attachments">
              <Attachments {...part} />
            </Part>
            <Part title="Comments">
              <Comments {...part} members={members} self={session.account.member} />
            </Part>
          </div>
          <div className="editor-side">
            <label className="row check">
              <Check is_on={card.done} test_id="card-done" on_change={(is_on) => set('done', is_on)} />
              Done
            </label>
            <Part title="Dates">
              <DatesField {...part} />
            </Part>
            <Part title="Labels">
              <LabelsField {...part} labels={labels} />
            </Part>
            <Part title="People">
              <PeopleField {...part} members={members} />
            </Part>
            <Part title="Place on the board">
              <MoveField {...part} />
              <TransferField board={board.id} card={card.id} />
            </Part>
            <Part title="Estimate">
              <EstimateField {...part} />
            </Part>
            <Part title="Location">
              <DraftInput
                label="Location"
                value={card.location}
                placeholder="Where?"
                test_id="card-location"
                on_commit={(value) => void set('location', value)}
              />
            </Part>
            <Part title="Colour">
              <ColourField value={card.colour} on_change={(colour) => set('colour', colour)} label="Colour of the card" />
            </Part>
            <Part title="Reminders">
              <RemindersField {...part} />
            </Part>
            <CustomFields {...part} />
            <Part title="Calendar">
              <Explain board={board.id} card={card.id} members={members} />
            </Part>
            <div className="row">
              {!card.archived && (
                <button
                  data-testid="archive-card"
                  onClick={() => {
                    void set('archived', true);
                    on_close();
                  }}
                >
                  Archive
                </button>
              )}
              <DeleteButton
                on_delete={() => {
                  void edit({ do: 'delete', entity: card.id });
                  on_close();
                }}
              />
            </div>
          </div>
        </div>
      </div>
    </dialog>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="part" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

// Two clicks, not a question: and what was deleted can be restored from the archive.
function DeleteButton({ on_delete }: { on_delete(): void }) {
  const [is_asked, set_is_asked] = useState(false);
  return (
    <button
      className="danger"
      data-testid="delete-card"
      onClick={() => (is_asked ? on_delete() : set_is_asked(true))}
      onBlur={() => set_is_asked(false)}
    >
      {is_asked ? 'Really delete' : 'Delete'}
    </button>
  );
}

function CustomFields({ board, card, edit }: CardPartProps) {
  if (board.custom_fields.length === 0) return null;
  return (
    <Part title="Custom fields">
      {board.custom_fields.map((field) => {
        const name = field.title || 'Custom field';
        const value = card.custom[field.id];
        return (
          <label key={field.id}>
            {name}
            <DraftInput
              label={name}
              value={value ?? ''}
              on_commit={(text) =>
                void edit({
                  do: 'set',
                  entity: card.id,
                  field: 'custom',
                  key: field.id,
                  value: text === '' ? null : text,
                })
              }
            />
          </label>
        );
      })}
    </Part>
  );
}
