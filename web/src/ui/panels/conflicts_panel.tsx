// SPDX-License-Identifier: Apache-2.0
// Open conflicts: two sides changed one thing without knowing of each other. One value is shown, the other is kept
// here until a person keeps what is shown or flips to the other.
import type {
  BoardView,
  Card,
  Command,
  Conflict,
  ConflictValue,
  FieldValue,
  Id,
  Label,
  Member,
  OpId,
} from '@kalends/core';
import { use_workspace, use_workspace_edit, type Edit } from '../context';
import { field_name, format_instant, format_value } from '../format';
import { route_address } from '../route';

interface Props {
  board: BoardView;
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
  edit: Edit;
}

// Something that can hold conflicts: a card, a list, or what the workspace shares.
interface Subject {
  id: Id;
  title: string;
  card: Card | null;
  conflicts: readonly Conflict[];
}

export function card_subject(card: Card): Subject {
  return { id: card.id, title: card.title, card, conflicts: card.conflicts };
}

export function ConflictsPanel({ board, edit, ...rest }: Props) {
  const workspace = use_workspace();
  const edit_workspace = use_workspace_edit();
  const own: Subject[] = [
    ...Object.values(board.cards).map(card_subject),
    ...board.lists.map((list) => plain_subject(list.id, `The list ${list.title}`, list.conflicts)),
  ].filter((subject) => subject.conflicts.length > 0);
  const shared: Subject[] = [
    ...(workspace?.labels ?? []).map((label) => plain_subject(label.id, `The label ${label.name}`, label.conflicts)),
    ...(workspace?.boards ?? []).map((entry) => plain_subject(entry.id, `The board ${entry.title}`, entry.conflicts)),
  ].filter((subject) => subject.conflicts.length > 0);
  return (
    <>
      <p className="hint">
        Two sides changed the same thing without knowing of each other. Nothing is lost: choose which one counts.
      </p>
      {own.length + shared.length === 0 && <p data-testid="no-conflicts">There are no open conflicts.</p>}
      <ConflictList board={board} subjects={own} has_titles edit={edit} {...rest} />
      {shared.length > 0 && (
        <>
          <h3>Shared by all boards</h3>
          <ConflictList
            board={board}
            subjects={shared}
            first_number={own.reduce((sum, subject) => sum + subject.conflicts.length, 0)}
            has_titles
            edit={edit_workspace}
            {...rest}
          />
        </>
      )}
    </>
  );
}

function plain_subject(id: Id, title: string, conflicts: readonly Conflict[] = []): Subject {
  return { id, title, card: null, conflicts };
}

interface ListProps extends Props {
  subjects: readonly Subject[];
  has_titles?: boolean;
  // Conflicts on a page are numbered; lists after the first go on where that one ended.
  first_number?: number;
}

export function ConflictList({
  board,
  subjects,
  has_titles,
  first_number = 0,
  labels,
  members,
  edit,
}: ListProps) {
  const name_of = (id: string): string | null =>
    board.lists.find((list) => list.id === id)?.title ??
    members.get(id)?.name ??
    labels.get(id)?.name ??
    board.cards[id]?.title ??
    null;
  const text_of = (value: FieldValue): string => format_value(value, board.time_zone, name_of);
  const author_of = (id: Id): string => members.get(id)?.name || 'another side';
  if (subjects.length === 0) return null;
  const all = subjects.flatMap((subject) => subject.conflicts.map((conflict) => ({ subject, conflict })));
  return (
    <ol className="plain conflicts">
      {all.map(({ subject, conflict }, number) => (
        <li
          key={`${subject.id} ${conflict.child ?? ''} ${conflict.field} ${conflict.key ?? ''} ${conflict.kind}`}
          className="conflict"
          data-testid={`conflict-${first_number + number}`}
          data-entity={subject.id}
          data-field={conflict.field}
        >
          {has_titles && subject.card !== null && (
            <a href={route_address({ at: 'board', board: board.id, card: subject.id })}>
              {subject.title || 'Without a title'}
            </a>
          )}
          {has_titles && subject.card === null && <span>{subject.title}</span>}
          <h4>{heading(subject, conflict)}</h4>
          <Choice conflict={conflict} target={target_of(subject, conflict)} edit={edit} {...{ author_of, text_of }} />
        </li>
      ))}
    </ol>
  );
}

interface Target {
  entity: Id;
  child?: OpId;
}

interface ChoiceProps {
  target: Target;
  conflict: Conflict;
  edit: Edit;
  author_of(id: Id): string;
  text_of(value: FieldValue): string;
}

function Choice(props: ChoiceProps) {
  switch (props.conflict.kind) {
    case 'value':
    case 'text':
      return <ValueChoice {...props} />;
    case 'deletion':
      return <DeletionChoice {...props} />;
    case 'dates':
      return <DatesChoice {...props} />;
  }
}

function ValueChoice({ target, conflict, edit, author_of, text_of }: ChoiceProps) {
  const losers = conflict.values.filter((value) => !value.winner).length;
  const resolve = (value: ConflictValue): Command => ({
    do: 'resolve',
    ...target,
    field: conflict.field,
    ...(conflict.key !== undefined && { key: conflict.key }),
    op: value.op,
  });
  return (
    <ul className="plain values">
      {conflict.values.map((value) => (
        <li key={value.op} className={`value${value.winner ? ' winner' : ''}`}>
          <q>{text_of(value.value)}</q>
          <span className="hint">
            {value.winner ? 'shown' : 'set aside'} · {author_of(value.author)} · {format_instant(value.at_ms)}
          </span>
          <button
            data-testid={value.winner ? 'keep' : 'flip'}
            className={value.winner ? '' : 'primary'}
            onClick={() => void edit(resolve(value))}
          >
            {value.winner ? 'Keep this' : losers > 1 ? 'Use this instead' : 'Flip to this'}
          </button>
        </li>
      ))}
    </ul>
  );
}

function DeletionChoice({ target, conflict, edit, author_of }: ChoiceProps) {
  const deleters = [...new Set(conflict.values.map((value) => author_of(value.author)))].join(' and ');
  return (
    <>
      <p>Deleted by {deleters} while it was being edited elsewhere.</p>
      <div className="row">
        <button data-testid="keep" onClick={() => void edit({ do: 'restore', ...target })}>
          Keep it
        </button>
        <button data-testid="flip" className="danger" onClick={() => void edit({ do: 'delete', ...target })}>
          Delete it
        </button>
      </div>
    </>
  );
}

// Two people moved the two ends past each other. The values are the start and the due date, in this order.
function DatesChoice({ target, conflict, edit, author_of, text_of }: ChoiceProps) {
  const [start, due] = conflict.values;
  if (start === undefined || due === undefined) return null;
  return (
    <>
      <p>
        It starts {text_of(start.value)} ({author_of(start.author)}) but is due {text_of(due.value)} (
        {author_of(due.author)}).
      </p>
      <div className="row wrap">
        <button
          data-testid="keep"
          onClick={() => void edit({ do: 'set', ...target, field: 'start', value: due.value })}
        >
          Start on the due date
        </button>
        <button
          data-testid="flip"
          onClick={() => void edit({ do: 'set', ...target, field: 'due', value: start.value })}
        >
          Due at the start
        </button>
      </div>
    </>
  );
}

function target_of(subject: Subject, { child }: Conflict): Target {
  return child === undefined ? { entity: subject.id } : { entity: subject.id, child };
}

function heading({ card }: Subject, conflict: Conflict): string {
  const what =
    conflict.kind === 'dates' ? 'Start and due' : conflict.kind === 'deletion' ? 'Deletion' : field_name(conflict.field);
  if (conflict.child === undefined || card === null) return what;
  const item = card.checklists.flatMap((checklist) => checklist.items).find((one) => one.id === conflict.child);
  const checklist = card.checklists.find((one) => one.id === conflict.child);
  const name = item?.text ?? checklist?.title ?? card.attachments.find((one) => one.id === conflict.child)?.title;
  return name === undefined ? what : `${what} of “${name}”`;
}
