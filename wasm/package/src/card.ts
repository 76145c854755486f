// SPDX-License-Identifier: Apache-2.0
import type {
  BlameEntry,
  CardEdit,
  CardSnapshot,
  ChildEdit,
  DateInput,
  HistoryEntry,
  NewCard,
  Placement,
  SetEdit,
  Splice,
} from './api_types.js';
import { not_here, type Board } from './board.js';
import { KalendsError } from './errors.js';
import { share } from './share.js';
import type { DocumentState } from './state.js';
import type { ChildType, Command, Fields, FieldValue, Id, OpId } from './types.js';
import type { Unsubscribe } from './workspace.js';

/**
 * A card of a {@link Board}: its methods change it, `snapshot` shows it.
 *
 * What makes something inside a card (a comment, a checklist …) gives that thing's id; `null` inside of
 * `workspace.transact`, where it is not known yet.
 */
export class Card {
  private constructor(
    /** The board that it is on. */
    readonly board: Board,
    private readonly state_: DocumentState,
    /** The card's id: 32 hexadecimal digits. */
    readonly id: Id,
  ) {}

  /** @internal */
  static of_(board: Board, state: DocumentState, id: Id): Card {
    return new Card(board, state, id);
  }

  /**
   * The card as it is shown.
   *
   * @throws KalendsError `not_found` when it does not exist or was deleted; `board.find(id)` gives undefined then.
   */
  get snapshot(): CardSnapshot {
    const card = this.board.find(this.id);
    if (card === undefined) throw not_here();
    return card;
  }

  /** Whether it is there and not deleted. */
  get exists(): boolean {
    return this.board.find(this.id) !== undefined;
  }

  /**
   * Changes the fields that are named, in one transaction.
   *
   * @throws KalendsError `invalid` when a value does not fit; `conflict` when the card was deleted: restore it first.
   */
  edit(fields: CardEdit): void {
    const { workspace } = this.board;
    const commands: Command[] = [];
    const entity = this.id;
    for (const field in fields) {
      const value = fields[field as keyof CardEdit];
      if (value === undefined) continue;
      if (field === 'description') {
        this.describe(value as string | readonly Splice[], commands);
      } else if (field === 'labels' || field === 'assignees') {
        const { add = [], remove = [] } = value as SetEdit;
        for (const id of add) commands.push({ do: 'add', entity, field, value: id });
        for (const id of remove) commands.push({ do: 'remove', entity, field, value: id });
      } else if (field === 'custom') {
        const custom = value as Record<Id, string | null>;
        for (const key in custom) commands.push({ do: 'set', entity, field, key, value: custom[key]! });
      } else {
        commands.push({ do: 'set', entity, field, value: field_value(field, value as FieldValue) });
      }
    }
    workspace.edit_all_(this.state_, commands);
  }

  /** Puts it somewhere else; `list` left out: in the list where it is. */
  move(to: Placement & { readonly list?: Id }): void {
    const { list, after } = to;
    const entity = this.id;
    // Left out is not null: null is the first place.
    if (list === undefined) this.do(after === undefined ? { do: 'move', entity } : { do: 'move', entity, after });
    else this.do(after === undefined ? { do: 'move', entity, list } : { do: 'move', entity, list, after });
  }

  /** Deletes it. Somebody's edit that did not know of that keeps it, and the deletion stays open. */
  delete(): void {
    this.do({ do: 'delete', entity: this.id });
  }

  /** Brings it back, or dismisses a deletion that an edit overruled. */
  restore(): void {
    this.do({ do: 'restore', entity: this.id });
  }

  /** Writes a comment. */
  addComment(text: string): OpId | null {
    return this.add('comment', { text });
  }

  /** Makes a checklist; its lines are added with {@link addItem}. */
  addChecklist(checklist: Placement<OpId> & { readonly title: string }): OpId | null {
    return this.add('checklist', { title: checklist.title }, checklist);
  }

  /** Adds a line to a checklist of this card. */
  addItem(checklist: OpId, item: Placement<OpId> & { readonly text: string; readonly done?: boolean }): OpId | null {
    const { text, done = false } = item;
    return this.add('item', done ? { text, done } : { text }, item, checklist);
  }

  /** Adds a link. */
  addAttachment(attachment: { readonly title: string; readonly url: string }): OpId | null {
    return this.add('attachment', { title: attachment.title, url: attachment.url });
  }

  /** Changes a comment, checklist, item or attachment. */
  editChild(child: OpId, fields: ChildEdit): void {
    this.board.workspace.set_(this.state_, this.id, child, fields);
  }

  /** Puts a checklist or an item somewhere else; an item also into another `checklist`. */
  moveChild(child: OpId, to: Placement<OpId> & { readonly checklist?: OpId }): void {
    this.do({ do: 'move', entity: this.id, child, ...to });
  }

  /** Deletes a comment, checklist, item or attachment. */
  deleteChild(child: OpId): void {
    this.do({ do: 'delete', entity: this.id, child });
  }

  /** Brings it back. */
  restoreChild(child: OpId): void {
    this.do({ do: 'restore', entity: this.id, child });
  }

  /** What happened to it, oldest first. */
  history(): readonly HistoryEntry[] {
    this.board.workspace.check_();
    return share(undefined, this.state_.engine.history(this.id)) as readonly HistoryEntry[];
  }

  /** Who set what each field shows, by field. */
  blame(): Readonly<Record<string, BlameEntry>> {
    this.board.workspace.check_();
    return share(undefined, this.state_.engine.blame(this.id)) as Readonly<Record<string, BlameEntry>>;
  }

  /** Calls `listener` after every change of this card. */
  subscribe(listener: () => void): Unsubscribe {
    return this.state_.listen(this.id, listener);
  }

  private do(command: Command): void {
    this.board.workspace.edit_(this.state_, command);
  }

  private add(type: ChildType, fields: Fields, to: Placement<OpId> = {}, checklist?: OpId): OpId | null {
    const command: Command & { do: 'add_child' } = { do: 'add_child', entity: this.id, type, fields };
    if (checklist) command.checklist = checklist;
    if (to.after !== undefined) command.after = to.after;
    return this.board.workspace.edit_(this.state_, command);
  }

  private describe(change: string | readonly Splice[], commands: Command[]): void {
    const entity = this.id;
    const field = 'description';
    const pending = this.board.workspace.pending_(this.state_);
    if (typeof change === 'string') {
      commands.push({ do: 'text', entity, field, value: change });
      if (pending !== undefined) (pending.texts ??= new Map()).set(entity, change);
      return;
    }
    let text = pending?.texts?.get(entity) ?? this.snapshot.description;
    for (const { at, remove = 0, insert = '' } of change) {
      if (!(at >= 0 && remove >= 0 && at + remove <= text.length))
        throw new KalendsError('invalid', `The splice reaches beyond the text: it has ${text.length} code units.`);
      commands.push({
        do: 'splice',
        entity,
        field,
        pos: code_points(text, 0, at),
        del: code_points(text, at, at + remove),
        ins: insert,
      });
      text = text.slice(0, at) + insert + text.slice(at + remove);
    }
    if (pending !== undefined) (pending.texts ??= new Map()).set(entity, text);
  }
}

// Core counts code points.
function code_points(text: string, from: number, to: number): number {
  let count = to - from;
  for (let i = from; i < to; ++i) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xd800) continue;
    if (++i >= to) throw new KalendsError('invalid', 'A splice must not begin or end inside a character.');
    --count;
  }
  return count;
}

/** @internal */
export function card_fields(fields: NewCard): Fields {
  const made: Record<string, FieldValue> = {};
  for (const field in fields) {
    if (field === 'id' || field === 'after') continue;
    const value = (fields as unknown as Record<string, FieldValue | undefined>)[field];
    if (value !== undefined) made[field] = field_value(field, value);
  }
  return made;
}

function field_value(field: string, value: FieldValue): FieldValue {
  return (field === 'start' || field === 'due') && typeof value === 'string' ? (date_of(value) as FieldValue) : value;
}

const kDate = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(?:\[([^\]]*)\])?)?$/;

/** @internal */
export function date_of(text: string): DateInput {
  const match = kDate.exec(text);
  if (match === null)
    throw new KalendsError('invalid', 'A date is "2026-11-24", "2026-11-24T10:00" or "2026-11-24T10:00[Europe/Berlin]".');
  const [, date, minutes, seconds = ':00', zone = ''] = match;
  return minutes === undefined ? { date: date! } : { at: `${date}T${minutes}${seconds}`, zone };
}
