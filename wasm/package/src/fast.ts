// SPDX-License-Identifier: Apache-2.0
// The calls that a page makes thousands of times, without CBOR (core/api/fast.h): commands are written straight into
// core's memory, cards are read straight out of it. Ids go by the numbers of the document's table, which are learnt once.

import type { CardSnapshot, ChecklistSnapshot, CommentSnapshot, ConflictSnapshot } from './api_types.js';
import type { Core, CoreExports } from './core.js';
import { kUnfit, type Room } from './room.js';
import { camel } from './share.js';
import type { Change, ChangeTaker, Command, FieldValue, Id, OpId } from './types.js';

interface FieldRow {
  number: number;
  value: number;
  merge: number;
}

/** @internal Field and type numbers of core, asked for once. */
export interface Schema {
  types: Map<string, number>;
  names: string[];
  // By type, then by name.
  fields: Map<number, Map<string, FieldRow>>;
  by_number: Map<number, string[]>;
  // Registers by name: those of one name have one number and one kind of value, whatever they are a field of.
  registers: Map<string, FieldRow>;
}

/** @internal Of core's answer to `schema`. */
export function schema_of(text: string): Schema {
  const schema: Schema = { types: new Map(), names: [], fields: new Map(), by_number: new Map(), registers: new Map() };
  for (const line of text.trimEnd().split('\n')) {
    const [entity, of_type, name, number, value, merge] = line.split(' ') as [string, string, string, string, string, string];
    const type = +of_type;
    schema.types.set(entity, type);
    schema.names[type] = entity;
    let fields = schema.fields.get(type);
    if (fields === undefined) {
      schema.fields.set(type, (fields = new Map()));
      schema.by_number.set(type, []);
    }
    const field = { number: +number, value: +value, merge: +merge };
    fields.set(name, field);
    if (field.merge === kRegister && !schema.registers.has(name)) schema.registers.set(name, field);
    schema.by_number.get(type)![field.number] = camel(name);
  }
  return schema;
}

const kRegister = 0;
const kSet = 1;
const kNone: readonly never[] = Object.freeze([]);
const kNoCustom = Object.freeze({});
const kCard = 3;
const kRoot = 255;
const kConflictKinds = ['value', 'deletion', 'dates', 'text'] as const;
const kPlaces = new Set(['position', 'home']);
// Ids are learnt so many at once: reading them one by one costs more.
const kIdsAtOnce = 256;
const decoder = new TextDecoder();

/** @internal What an edit made. `bundle` is what was asked for before it and then the operations; `ops` are those alone. */
export interface FastEdit {
  bundle: Uint8Array;
  ops: Uint8Array;
  changed: readonly Change[];
  created: readonly (OpId | null)[];
}

/** One open document, by the fast calls. Errors: CoreError; whatever a trap throws. */
export class FastDocument {
  private readonly refs_ = new Map<Id, number>();
  private ids_: Id[] = []; // '': not learnt yet
  private readonly replicas_: Id[] = [];
  private readonly replica_numbers_ = new Map<Id, number>();
  private readonly field_names_ = new Map<number, FieldNames>();
  private readonly exports_: CoreExports;
  private readonly room_: Room;

  constructor(
    private readonly core_: Core,
    private readonly handle_: number,
    private readonly schema_: Schema,
  ) {
    this.exports_ = core_.exports_;
    this.room_ = core_.room_;
  }

  /** Undefined when the fast calls cannot take these commands. `head`: what stands before the operations in `bundle`. */
  edit(commands: readonly Command[], now_ms: number, keeps_crossed_dates: boolean, head: Uint8Array): FastEdit | undefined {
    const { room_: room, exports_ } = this;
    room.begin();
    room.put(now_ms >>> 0);
    room.put(Math.floor(now_ms / 2 ** 32));
    room.put(keeps_crossed_dates ? 1 : 0);
    try {
      for (let i = 0; i < commands.length; ++i) this.command(commands[i]!);
    } catch (error) {
      if (error === kUnfit) return undefined;
      throw error;
    }
    if (exports_.kalends_edit!(this.handle_, room.numbers, room.text_bytes) === 0) this.core_.fail_();
    let at = exports_.kalends_answer!() >>> 2;
    room.refresh();
    const { words, bytes } = room;
    const size = words[at]!;
    const count = words[at + 1]!;
    at += 2;
    let created: (OpId | null)[] | undefined;
    for (let i = 0; i < count; ++i, at += 2)
      if (words[at + 1] !== 0) (created ??= new Array<OpId | null>(count).fill(null))[i] = this.op(words[at]!, words[at + 1]!);
    const from = (at + 1 + words[at]! * 5) * 4;
    const bundle = new Uint8Array(head.length + size);
    for (let i = 0; i < head.length; ++i) bundle[i] = head[i]!;
    if (size < 300) for (let i = 0, to = head.length; i < size; ++i, ++to) bundle[to] = bytes[from + i]!;
    else bundle.set(bytes.subarray(from, from + size), head.length);
    const ops = new Uint8Array(bundle.buffer, head.length, size);
    return { bundle, ops, changed: this.changes(at), created: created ?? kNone };
  }

  merge(ops: Uint8Array, now_ms: number, taker: ChangeTaker): { news: boolean; held_back: number } {
    const { room_: room, exports_ } = this;
    room.begin(ops.length);
    room.put_bytes(ops);
    if (exports_.kalends_merge!(this.handle_, ops.length, now_ms >>> 0, Math.floor(now_ms / 2 ** 32)) === 0) this.core_.fail_();
    const at = exports_.kalends_answer!() >>> 2;
    room.refresh();
    const { words } = room;
    const answer = { news: words[at]! > 0, held_back: words[at + 1]! };
    for (let n = words[at + 2]!, from = at + 3; n > 0; --n, from += 5) {
      const type = words[from + 1]!;
      const { names, moves } = this.names(type, words[from + 3]!, words[from + 4]!);
      taker.take(this.id(words[from]!), this.type_name(type), words[from + 2] === 1, names, moves);
    }
    return answer;
  }

  // Null when this board has no such card.
  card(id: Id, known: CardSnapshot | undefined): CardSnapshot | null {
    if (this.exports_.kalends_card!(this.handle_, this.ref(id)) === 0) return null;
    this.begin_reading(2);
    return this.read_card(known);
  }

  // All live cards, list by list.
  cards(): CardSnapshot[] {
    if (this.exports_.kalends_cards!(this.handle_) === 0) this.core_.fail_();
    const count = this.begin_reading(3);
    const cards: CardSnapshot[] = [];
    for (let i = 0; i < count; ++i) cards.push(this.read_card(undefined));
    return cards;
  }

  // Numbers of ids as core's views give them: u32 each.
  ids(numbers: Uint8Array): Id[] {
    const ids: Id[] = [];
    for (let i = 0; i < numbers.length; i += 4)
      ids.push(this.id(numbers[i]! | (numbers[i + 1]! << 8) | (numbers[i + 2]! << 16) | (numbers[i + 3]! << 24)));
    return ids;
  }

  // --- writing ---

  private command(command: Command): void {
    const { room_: room } = this;
    switch (command.do) {
      case 'set':
        this.target(2, command.entity, command.child);
        this.field(command.field, command.key, command.value);
        return;
      case 'move':
        this.target(3, command.entity, command.child);
        room.put(command.list === undefined ? 0 : this.ref(command.list));
        this.put_op((command as { checklist?: OpId }).checklist);
        this.placement(command.after, command.child !== undefined);
        return;
      case 'add':
      case 'remove':
        this.target(command.do === 'add' ? 4 : 5, command.entity, undefined);
        room.put(this.row(kCard, command.field).number);
        room.put(this.ref(command.value));
        return;
      case 'text':
        this.target(6, command.entity, command.child);
        room.put_text(command.value);
        return;
      case 'splice':
        this.target(7, command.entity, command.child);
        room.put(command.pos);
        room.put(command.del);
        room.put_text(command.ins);
        return;
      case 'create': {
        const type = this.schema_.types.get(command.type);
        if (type !== kCard && command.type !== 'list') throw kUnfit;
        this.target(1, command.id, undefined);
        room.put(type!);
        const { list } = command.fields as { list?: Id };
        room.put(list === undefined ? 0 : this.ref(list));
        this.placement(command.after, false);
        this.fields(type!, command.fields as Record<string, FieldValue>);
        return;
      }
      case 'add_child': {
        const type = this.schema_.types.get(command.type);
        if (type === undefined) throw kUnfit;
        this.target(8, command.entity, undefined);
        room.put(type);
        this.put_op(command.checklist);
        this.placement(command.after, true);
        const { checklist_made_by } = command as { checklist_made_by?: number };
        room.put(checklist_made_by === undefined ? 0 : checklist_made_by + 1);
        this.fields(type, command.fields);
        return;
      }
      case 'delete':
      case 'restore':
        this.target(command.do === 'delete' ? 9 : 10, command.entity, command.child);
        return;
      default:
        throw kUnfit;
    }
  }

  private target(what: number, entity: Id, child: OpId | undefined): void {
    const ref = this.ref(entity);
    this.room_.put(what);
    this.room_.put(ref);
    this.put_op(child);
  }

  private placement(after: Id | OpId | null | undefined, among_children: boolean): void {
    const ref = typeof after === 'string' && !among_children ? this.ref(after) : 0;
    this.room_.put(after === undefined ? 1 : after === null ? 0 : 2);
    this.room_.put(ref);
    this.put_op(typeof after === 'string' && among_children ? after : undefined);
  }

  private row(type: number, name: string): FieldRow {
    const row = this.schema_.fields.get(type)?.get(name);
    if (row === undefined) throw kUnfit;
    return row;
  }

  private fields(type: number, fields: Record<string, FieldValue | undefined>): void {
    const { room_: room } = this;
    const place = room.place;
    room.put(0);
    let count = 0;
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined || (name === 'list' && type === kCard)) continue;
      const row = this.row(type, name);
      if (row.merge === kSet || name === 'custom') {
        if (!Array.isArray(value)) throw kUnfit;
        for (const id of value as Id[]) {
          const ref = this.ref(id);
          room.put(row.number);
          room.put(0);
          room.put(3);
          room.put(ref);
          ++count;
        }
        continue;
      }
      room.put(row.number);
      room.put(0);
      this.value(row, value);
      ++count;
    }
    room.words[place] = count;
  }

  // Children's types are not known here, nor needed.
  private field(name: string, key: Id | undefined, value: FieldValue): void {
    const row = this.schema_.registers.get(name);
    if (row === undefined) throw kUnfit;
    const ref = key === undefined ? 0 : this.ref(key);
    this.room_.put(row.number);
    this.room_.put(ref);
    this.value(row, value);
  }

  private value(row: FieldRow, value: FieldValue): void {
    const { room_: room } = this;
    if (value === null) return room.put(0);
    if (typeof value === 'string') {
      if (row.value === 3) {
        room.put(2);
        return room.put_text(value);
      }
      if (row.value !== 4) throw kUnfit;
      const ref = this.ref(value);
      room.put(3);
      return room.put(ref);
    }
    if (typeof value === 'boolean') {
      if (row.value !== 1) throw kUnfit;
      room.put(1);
      return room.put(value ? 1 : 0);
    }
    if (typeof value === 'number') {
      if (row.value !== 2 || (value | 0) !== value) throw kUnfit;
      room.put(7);
      return room.put(value);
    }
    if (row.value !== 5 || typeof value !== 'object' || Array.isArray(value)) throw kUnfit;
    const when = value as { date?: string; at?: string; zone?: string; fold?: number };
    if (when.date !== undefined) {
      if (when.date.length !== 10) throw kUnfit;
      room.put(4);
      return room.put_text(when.date);
    }
    if (when.at === undefined) throw kUnfit;
    room.put(5);
    room.put_text(when.at);
    room.put_text(when.zone ?? '');
    room.put(when.fold ?? 0);
  }

  private put_op(op: OpId | undefined): void {
    const { room_: room } = this;
    if (op === undefined) {
      room.put(0);
      return room.put(0);
    }
    const counter = Number(op.slice(33));
    const number = this.replica_numbers_.get(op.slice(0, 32));
    if (number === undefined || !(counter > 0 && counter < 2 ** 32)) throw kUnfit;
    room.put(number);
    room.put(counter);
  }

  // --- ids ---

  private ref(id: Id): number {
    const known = this.refs_.get(id);
    if (known !== undefined) return known;
    if (typeof id !== 'string' || id.length !== 32) throw kUnfit;
    const ref = this.room_.ref(id, this.handle_);
    this.refs_.set(id, ref);
    // Ids beyond are learnt in order: an array with holes is a slow dictionary.
    if (ref <= this.ids_.length) this.ids_[ref] = id;
    return ref;
  }

  private id(ref: number): Id {
    const { ids_ } = this;
    return (ref < ids_.length && ids_[ref]) || this.learn_ids(ref);
  }

  // This one and its neighbours, as far as there are any.
  private learn_ids(ref: number): Id {
    const { room_: room, exports_, handle_ } = this;
    const from = ref - (ref % kIdsAtOnce);
    let to = from + kIdsAtOnce;
    while (to > ref + 1 && exports_.kalends_id!(handle_, to - 1) === 0) to = ref + 1 + ((to - ref - 1) >> 1);
    const start = exports_.kalends_id!(handle_, from);
    room.refresh();
    const text = hex(room.bytes, start, (to - from) * 16);
    const missing = to - this.ids_.length;
    if (missing > kIdsAtOnce * 2) this.ids_ = this.ids_.concat(new Array<Id>(missing).fill(''));
    else for (let i = 0; i < missing; ++i) this.ids_.push('');
    const { ids_ } = this;
    for (let i = from; i < to; ++i) ids_[i] ||= text.slice((i - from) * 32, (i - from) * 32 + 32);
    return ids_[ref]!;
  }

  private op(replica: number, counter: number): OpId {
    return `${this.replicas_[replica] ?? this.learn_replica(replica)}:${counter}`;
  }

  private learn_replica(number: number): Id {
    const at = this.exports_.kalends_replica!(this.handle_, number);
    this.room_.refresh();
    const id = hex(this.room_.bytes, at, 16);
    this.replicas_[number] = id;
    this.replica_numbers_.set(id, number);
    return id;
  }

  // --- reading ---

  private changes(at: number): readonly Change[] {
    const { words } = this.room_;
    const count = words[at]!;
    if (count === 0) return kNone;
    const changed = new Array<Change>(count);
    for (let i = 0, from = at + 1; i < count; ++i, from += 5) {
      const type = words[from + 1]!;
      const { names, moves } = this.names(type, words[from + 3]!, words[from + 4]!);
      changed[i] = {
        entity: this.id(words[from]!),
        type: this.type_name(type),
        live: words[from + 2] === 1,
        fields: names,
        moves,
      };
    }
    return changed;
  }

  private type_name(type: number): string {
    return type === kRoot ? 'root' : (this.schema_.names[type] ?? 'unknown');
  }

  // The same list each time.
  private names(type: number, low: number, high: number): FieldNames {
    const key = (type * 2 ** 12 + high) * 2 ** 32 + low;
    let names = this.field_names_.get(key);
    if (names !== undefined) return names;
    const made: string[] = [];
    const by_number = this.schema_.by_number.get(type === kRoot ? 1 : type) ?? [];
    for (let number = 1; number < 64; ++number) {
      const word = number < 32 ? low : high;
      if (((word >>> number % 32) & 1) === 1 && by_number[number] !== undefined) made.push(by_number[number]!);
    }
    this.field_names_.set(key, (names = { names: Object.freeze(made), moves: made.some((name) => kPlaces.has(name)) }));
    return names;
  }

  private words_ = new Uint32Array(0);
  private at_ = 0;
  private text_ = '';
  private text_at_ = 0;

  // An answer: numbers, bytes of text, [how many], then `head` numbers in all before the first card.
  private begin_reading(head: number): number {
    const start = this.exports_.kalends_answer!() >>> 2;
    const { room_: room } = this;
    room.refresh();
    const { words } = room;
    const numbers = words[start]!;
    const size = words[start + 1]!;
    this.words_ = words;
    this.at_ = start + head;
    this.text_ = decoded(room.bytes, (start + numbers) * 4, size);
    this.text_at_ = 0;
    return words[start + 2]!;
  }

  // What FastCalls::write_card wrote. Ids that are not known yet are asked for, which moves nothing.
  // Parts that are as they were in `known` stay the objects that they were.
  private read_card(known: CardSnapshot | undefined): CardSnapshot {
    const { words_: words } = this;
    const first = this.at_;
    const id = this.id(words[first]!);
    const list = this.id(words[first + 1]!);
    const createdMs = words[first + 2]! + words[first + 3]! * 2 ** 32;
    const flags = words[first + 4]!;
    this.at_ = first + 5;
    const title = this.text();
    const description = this.text();
    const location = this.text();
    const colour = this.text();
    const start = (flags & 4) === 0 ? null : this.when((flags & 16) !== 0, (flags & 64) !== 0);
    const due = (flags & 8) === 0 ? null : this.when((flags & 32) !== 0, (flags & 128) !== 0);
    const labels = this.read_ids();
    const assignees = this.read_ids();
    const reminders = this.read_numbers();
    const estimate = (flags & 512) === 0 ? null : this.words_[this.at_++]!;
    let custom: Record<Id, string> = kNoCustom;
    for (let n = words[this.at_++]!; n > 0; --n) {
      if (custom === kNoCustom) custom = {};
      const key = this.id(words[this.at_++]!);
      custom[key] = this.text();
    }
    if (custom !== kNoCustom) Object.freeze(custom);
    const checklists = this.read_checklists();
    const comments = this.read_comments();
    const attachments = this.read_attachments();
    return Object.freeze({
      id,
      list,
      title,
      description,
      labels: kept(known?.labels, labels),
      assignees: kept(known?.assignees, assignees),
      start: kept(known?.start, start),
      due: kept(known?.due, due),
      done: (flags & 1) !== 0,
      location,
      colour,
      reminders: kept(known?.reminders, reminders),
      estimate,
      archived: (flags & 2) !== 0,
      custom: kept(known?.custom, custom),
      checklists: kept(known?.checklists, checklists),
      comments: kept(known?.comments, comments),
      attachments: kept(known?.attachments, attachments),
      conflicts: (flags & 256) !== 0 ? kept(known?.conflicts, this.read_conflicts()) : kNone,
      createdMs,
    }) as CardSnapshot;
  }

  private text(): string {
    const length = this.words_[this.at_++]!;
    if (length === 0) return '';
    const at = this.text_at_;
    this.text_at_ = at + length;
    return this.text_.slice(at, at + length);
  }

  private read_op(): OpId {
    const at = this.at_;
    this.at_ = at + 2;
    return this.words_[at + 1] === 0 ? '' : this.op(this.words_[at]!, this.words_[at + 1]!);
  }

  private read_numbers(): readonly number[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const numbers: number[] = [];
    for (let i = 0; i < count; ++i) numbers.push(this.words_[this.at_++]!);
    return Object.freeze(numbers);
  }

  private read_ids(): readonly Id[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const ids: Id[] = [];
    for (let i = 0; i < count; ++i) ids.push(this.id(this.words_[this.at_++]!));
    return Object.freeze(ids);
  }

  private read_checklists(): readonly ChecklistSnapshot[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const checklists: ChecklistSnapshot[] = [];
    for (let i = 0; i < count; ++i) {
      const id = this.read_op();
      const title = this.text();
      const items: { id: OpId; text: string; done: boolean }[] = [];
      for (let n = this.words_[this.at_++]!; n > 0; --n) {
        const item = this.read_op();
        const done = this.words_[this.at_++] === 1;
        items.push(Object.freeze({ id: item, text: this.text(), done }));
      }
      checklists.push(Object.freeze({ id, title, items: items.length === 0 ? kNone : Object.freeze(items) }));
    }
    return Object.freeze(checklists);
  }

  private read_comments(): readonly CommentSnapshot[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const comments: CommentSnapshot[] = [];
    for (let i = 0; i < count; ++i) {
      const id = this.read_op();
      const { words_: words, at_: at } = this;
      const author = this.id(words[at]!);
      const atMs = words[at + 1]! + words[at + 2]! * 2 ** 32;
      this.at_ = at + 3;
      comments.push(Object.freeze({ id, author, atMs, text: this.text() }));
    }
    return Object.freeze(comments);
  }

  private read_attachments(): CardSnapshot['attachments'] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const attachments: { id: OpId; title: string; url: string }[] = [];
    for (let i = 0; i < count; ++i) attachments.push(Object.freeze({ id: this.read_op(), title: this.text(), url: this.text() }));
    return Object.freeze(attachments);
  }

  private read_conflicts(): readonly ConflictSnapshot[] {
    const conflicts: ConflictSnapshot[] = [];
    for (let n = this.words_[this.at_++]!; n > 0; --n) {
      const { words_: words, at_: at } = this;
      this.at_ = at + 4;
      const child = this.read_op();
      const values: ConflictSnapshot['values'][number][] = [];
      for (let m = this.words_[this.at_++]!; m > 0; --m) {
        const op = this.read_op();
        const from = this.at_;
        this.at_ = from + 4;
        values.push(
          Object.freeze({
            op,
            value: this.read_value(),
            author: this.id(words[from]!),
            atMs: words[from + 1]! + words[from + 2]! * 2 ** 32,
            winner: words[from + 3] === 1,
          }),
        );
      }
      const conflict: { -readonly [Name in keyof ConflictSnapshot]: ConflictSnapshot[Name] } = {
        kind: kConflictKinds[words[at]!]!,
        field: this.schema_.by_number.get(words[at + 1]!)?.[words[at + 2]!] ?? 'unknown',
        values: Object.freeze(values),
      };
      if (words[at + 3] !== 0) conflict.key = this.id(words[at + 3]!);
      if (child !== '') conflict.child = child;
      conflicts.push(Object.freeze(conflict));
    }
    return Object.freeze(conflicts);
  }

  private read_value(): FieldValue {
    switch (this.words_[this.at_++]) {
      case 1:
        return this.words_[this.at_++] === 1;
      case 2:
        return this.text();
      case 3:
        return this.id(this.words_[this.at_++]!);
      case 4:
        return Object.freeze({ date: this.text() });
      case 5:
        return Object.freeze({ at: this.text(), zone: this.text(), fold: this.words_[this.at_++]! });
      case 6:
        return this.read_numbers() as unknown as FieldValue;
      case 7:
        return this.words_[this.at_++]! | 0;
      case 8: {
        const list = this.words_[this.at_++]!;
        const checklist = this.read_op();
        return Object.freeze({ ...(list !== 0 && { list: this.id(list) }), ...(checklist !== '' && { checklist }) }) as FieldValue;
      }
      default:
        return null;
    }
  }

  private when(is_timed: boolean, is_second: boolean): CardSnapshot['due'] {
    const text = this.text();
    return Object.freeze(is_timed ? { at: text, zone: this.text(), fold: is_second ? 1 : 0 } : { date: text });
  }
}

interface FieldNames {
  names: readonly string[];
  // Whether one of them says where an entity stands.
  moves: boolean;
}

function decoded(bytes: Uint8Array, at: number, size: number): string {
  if (size < 64) {
    let text = '';
    let i = 0;
    for (; i < size; ++i) {
      const code = bytes[at + i]!;
      if (code > 127) break;
      text += String.fromCharCode(code);
    }
    if (i === size) return text;
  }
  return decoder.decode(bytes.subarray(at, at + size));
}

const kDigits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

function hex(bytes: Uint8Array, at: number, size: number): string {
  const text = new Uint8Array(size * 2);
  for (let i = 0, to = 0; i < size; ++i) {
    const byte = bytes[at + i]!;
    text[to++] = kDigits[byte >> 4]!;
    text[to++] = kDigits[byte & 15]!;
  }
  return decoder.decode(text);
}

function kept<Part>(before: Part | undefined, part: Part): Part {
  return before !== undefined && equal(before, part) ? before : part;
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; ++i) if (!equal(a[i], b[i])) return false;
    return true;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let count = 0;
  for (const name in left) {
    if (!equal(left[name], right[name])) return false;
    ++count;
  }
  for (const _ in right) --count;
  return count === 0;
}
