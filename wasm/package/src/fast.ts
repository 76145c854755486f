// SPDX-License-Identifier: Apache-2.0
// The calls that a page makes thousands of times, without CBOR (core/api/fast.h): commands are written straight into
// core's memory, cards are read straight out of it. Ids go by the numbers of the document's table, which are learnt once.

import type { CardSnapshot, ChecklistSnapshot, CommentSnapshot } from './api_types.js';
import type { Core, CoreExports } from './core.js';
import type { Change, Command, EditAnswer, FieldValue, Id, OpId } from './types.js';

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
}

export function schema_of(rows: readonly Record<string, unknown>[]): Schema {
  const schema: Schema = { types: new Map(), names: [], fields: new Map(), by_number: new Map() };
  for (const row of rows) {
    const type = row['type'] as number;
    schema.types.set(row['entity'] as string, type);
    schema.names[type] = row['entity'] as string;
    let fields = schema.fields.get(type);
    if (fields === undefined) {
      schema.fields.set(type, (fields = new Map()));
      schema.by_number.set(type, []);
    }
    fields.set(row['name'] as string, { number: row['number'] as number, value: row['value'] as number, merge: row['merge'] as number });
    schema.by_number.get(type)![row['number'] as number] = row['name'] as string;
  }
  return schema;
}

const kNumbers = 2048;
const kTextBytes = 1 << 16;
const kSet = 1;
const kText = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const kNone: readonly never[] = Object.freeze([]);
const kNoCustom = Object.freeze({});
const kCard = 3;
const kRoot = 255;

// A command that the fast calls do not know, or a value that does not fit: the facade says what is wrong with it.
const kUnfit = Symbol('unfit');

/** One open document, by the fast calls. */
export class FastDocument {
  private readonly refs_ = new Map<Id, number>();
  private readonly ids_: Id[] = [];
  private readonly replicas_: Id[] = [];
  private readonly replica_numbers_ = new Map<Id, number>();
  private buffer_: ArrayBufferLike | undefined;
  private words_!: Uint32Array;
  private bytes_!: Uint8Array;
  private room_ = 0; // in words
  private text_capacity_ = 0;
  private at_ = 0;
  private text_at_ = 0;
  private readonly field_names_ = new Map<number, readonly string[]>();

  constructor(
    private readonly core_: Core,
    private readonly handle_: number,
    private readonly schema_: Schema,
  ) {}

  private get exports_(): CoreExports {
    return this.core_.exports_;
  }

  // Undefined when the fast calls cannot take these commands. Errors: as Core.call.
  edit(commands: readonly Command[], now_ms: number, keeps_crossed_dates = false): EditAnswer | undefined {
    this.begin(now_ms, keeps_crossed_dates ? 1 : 0);
    try {
      for (const command of commands) this.command(command);
    } catch (error) {
      if (error === kUnfit) return undefined;
      throw error;
    }
    const { exports_ } = this;
    const numbers = this.at_ - this.room_;
    const text_bytes = this.text_at_ - (this.room_ + kNumbers) * 4;
    if (this.core_.fast_call_(() => exports_.kalends_edit!(this.handle_, numbers, text_bytes)) === 0) this.core_.fail_();
    this.refresh();
    let at = exports_.kalends_answer!() >>> 2;
    const words = this.words_;
    const size = words[at]!;
    const count = words[at + 1]!;
    at += 2;
    const created: (OpId | null)[] = [];
    for (let i = 0; i < count; ++i, at += 2) created.push(words[at + 1] === 0 ? null : this.op(words[at]!, words[at + 1]!));
    const next = at + 1 + words[at]! * 5;
    return { ops: this.bytes_.slice(next * 4, next * 4 + size), changed: this.changes(at), created };
  }

  merge(ops: Uint8Array, now_ms: number): { changed: Change[]; news: boolean; held_back: number } {
    this.make_room(ops.length);
    this.bytes_.set(ops, (this.room_ + kNumbers) * 4);
    const { exports_ } = this;
    const call = (): number => exports_.kalends_merge!(this.handle_, ops.length, now_ms >>> 0, Math.floor(now_ms / 2 ** 32));
    if (this.core_.fast_call_(call) === 0) this.core_.fail_();
    this.refresh();
    const at = exports_.kalends_answer!() >>> 2;
    return { changed: this.changes(at + 2), news: this.words_[at]! > 0, held_back: this.words_[at + 1]! };
  }

  // Null when this board has no such card.
  card(id: Id, known: CardSnapshot | undefined): CardSnapshot | null | undefined {
    const { exports_ } = this;
    const ref = this.ref(id);
    if (this.core_.fast_call_(() => exports_.kalends_card!(this.handle_, ref)) === 0) return null;
    this.refresh();
    return this.read_cards(1, 2, known)[0];
  }

  // All live cards, list by list. `known` gives what was shown before, to be shared.
  cards(): CardSnapshot[] {
    const { exports_ } = this;
    if (this.core_.fast_call_(() => exports_.kalends_cards!(this.handle_)) === 0) this.core_.fail_();
    this.refresh();
    const at = exports_.kalends_answer!() >>> 2;
    return this.read_cards(this.words_[at + 2]!, 3);
  }

  // --- writing ---

  private begin(now_ms: number, flags: number): void {
    this.make_room(kTextBytes); // another document may have asked for more meanwhile, and moved it
    this.at_ = this.room_;
    this.text_at_ = (this.room_ + kNumbers) * 4;
    this.words_[this.at_++] = now_ms >>> 0;
    this.words_[this.at_++] = Math.floor(now_ms / 2 ** 32);
    this.words_[this.at_++] = flags;
  }

  private make_room(text_bytes: number): void {
    this.text_capacity_ = Math.max(text_bytes, this.text_capacity_, kTextBytes);
    this.room_ = this.exports_.kalends_room!(kNumbers, this.text_capacity_) >>> 2;
    this.refresh();
  }

  // The memory may have grown, and its buffer been replaced.
  private refresh(): void {
    const { buffer } = this.exports_.memory;
    if (buffer === this.buffer_) return;
    this.buffer_ = buffer;
    this.words_ = new Uint32Array(buffer);
    this.bytes_ = new Uint8Array(buffer);
  }

  private put(value: number): void {
    if (this.at_ - this.room_ >= kNumbers - 8) throw kUnfit;
    this.words_[this.at_++] = value;
  }

  private put_text(text: string): void {
    const { length } = text;
    if (this.text_at_ + length * 3 > (this.room_ + kNumbers) * 4 + this.text_capacity_) throw kUnfit;
    if (length < 40) {
      const bytes = this.bytes_;
      let at = this.text_at_;
      let i = 0;
      for (; i < length; ++i) {
        const code = text.charCodeAt(i);
        if (code > 127 || code === 0) break;
        bytes[at++] = code;
      }
      if (i === length) {
        this.put(length);
        this.text_at_ = at;
        return;
      }
    }
    const { written } = encoder.encodeInto(text, this.bytes_.subarray(this.text_at_));
    this.put(written);
    this.text_at_ += written;
  }

  private command(command: Command): void {
    const { schema_ } = this;
    switch (command.do) {
      case 'set': {
        const type = this.target(2, command.entity, command.child);
        this.field(type, command.field, command.key, command.value);
        return;
      }
      case 'move': {
        this.target(3, command.entity, command.child);
        this.put(command.list === undefined ? 0 : this.ref(command.list));
        this.put_op((command as { checklist?: OpId }).checklist);
        this.placement(command.after, command.child !== undefined);
        return;
      }
      case 'add':
      case 'remove':
        this.target(command.do === 'add' ? 4 : 5, command.entity, undefined);
        this.put(this.row(kCard, command.field).number);
        this.put(this.ref(command.value));
        return;
      case 'text':
        this.target(6, command.entity, command.child);
        this.put_text(command.value);
        return;
      case 'splice':
        this.target(7, command.entity, command.child);
        this.put(command.pos);
        this.put(command.del);
        this.put_text(command.ins);
        return;
      case 'create': {
        const type = schema_.types.get(command.type);
        if (type !== kCard && command.type !== 'list') throw kUnfit;
        this.target(1, command.id, undefined);
        this.put(type!);
        const { list, ...fields } = command.fields as Record<string, FieldValue> & { list?: Id };
        this.put(list === undefined ? 0 : this.ref(list));
        this.placement(command.after, false);
        this.fields(type!, fields);
        return;
      }
      case 'add_child': {
        const type = schema_.types.get(command.type);
        if (type === undefined) throw kUnfit;
        this.target(8, command.entity, undefined);
        this.put(type);
        this.put_op(command.checklist);
        this.placement(command.after, true);
        this.put((command as { checklist_made_by?: number }).checklist_made_by === undefined ? 0 : (command as unknown as { checklist_made_by: number }).checklist_made_by + 1);
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

  // Children's types are not known here: their fields are looked for in all kinds of children.
  private target(what: number, entity: Id, child: OpId | undefined): number {
    this.put(what);
    this.put(this.ref(entity));
    this.put_op(child);
    return child === undefined ? 0 : -1;
  }

  private placement(after: Id | OpId | null | undefined, among_children: boolean): void {
    this.put(after === undefined ? 1 : after === null ? 0 : 2);
    this.put(typeof after === 'string' && !among_children ? this.ref(after) : 0);
    this.put_op(typeof after === 'string' && among_children ? after : undefined);
  }

  private row(type: number, name: string): FieldRow {
    if (type > 0) {
      const row = this.schema_.fields.get(type)?.get(name);
      if (row === undefined) throw kUnfit;
      return row;
    }
    // Fields of one name have one number and one kind of value, whatever they are a field of.
    for (const [, fields] of this.schema_.fields) {
      const row = fields.get(name);
      if (row !== undefined && row.merge === 0) return row;
    }
    throw kUnfit;
  }

  private fields(type: number, fields: Record<string, FieldValue | undefined>): void {
    const count_at = this.at_;
    this.put(0);
    let count = 0;
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined) continue;
      const row = this.row(type, name);
      if (row.merge === kSet || name === 'custom') {
        if (!Array.isArray(value)) throw kUnfit;
        for (const id of value as Id[]) {
          this.put(row.number);
          this.put(0);
          this.put(3);
          this.put(this.ref(id));
          ++count;
        }
        continue;
      }
      this.put(row.number);
      this.put(0);
      this.value(row, value);
      ++count;
    }
    this.words_[count_at] = count;
  }

  private field(type: number, name: string, key: Id | undefined, value: FieldValue): void {
    const row = this.row(type, name);
    if (row.merge === kText || row.merge === kSet) throw kUnfit;
    this.put(row.number);
    this.put(key === undefined ? 0 : this.ref(key));
    this.value(row, value);
  }

  private value(row: FieldRow, value: FieldValue): void {
    if (value === null) return this.put(0);
    if (typeof value === 'string') {
      if (row.value === 3) {
        this.put(2);
        return this.put_text(value);
      }
      if (row.value !== 4) throw kUnfit;
      this.put(3);
      return this.put(this.ref(value));
    }
    if (typeof value === 'boolean') {
      if (row.value !== 1) throw kUnfit;
      this.put(1);
      return this.put(value ? 1 : 0);
    }
    if (row.value !== 5 || typeof value !== 'object' || Array.isArray(value)) throw kUnfit;
    const when = value as { date?: string; at?: string; zone?: string; fold?: number };
    if (when.date !== undefined) {
      if (when.date.length !== 10) throw kUnfit;
      this.put(4);
      return this.put_text(when.date);
    }
    if (when.at === undefined) throw kUnfit;
    this.put(5);
    this.put_text(when.at);
    this.put_text(when.zone ?? '');
    this.put(when.fold ?? 0);
  }

  private put_op(op: OpId | undefined): void {
    if (op === undefined) {
      this.put(0);
      return this.put(0);
    }
    const counter = Number(op.slice(33));
    const number = this.replica_numbers_.get(op.slice(0, 32));
    if (number === undefined || !(counter > 0 && counter < 2 ** 32)) throw kUnfit;
    this.put(number);
    this.put(counter);
  }

  // --- ids ---

  private ref(id: Id): number {
    const known = this.refs_.get(id);
    if (known !== undefined) return known;
    if (!/^[0-9a-f]{32}$/.test(id)) throw kUnfit;
    // The room holds a message that is being written: the id is put behind it.
    if (this.room_ === 0) this.make_room(kTextBytes);
    this.refresh();
    const keep = this.words_.slice(this.room_, this.room_ + 4);
    for (let i = 0; i < 16; ++i) this.bytes_[this.room_ * 4 + i] = parseInt(id.slice(2 * i, 2 * i + 2), 16);
    const ref = this.exports_.kalends_ref!(this.handle_);
    this.refresh();
    this.words_.set(keep, this.room_);
    this.refs_.set(id, ref);
    this.ids_[ref] = id;
    return ref;
  }

  private id(ref: number): Id {
    return this.ids_[ref] ?? this.learn_id(ref);
  }

  private learn_id(ref: number): Id {
    const keep = this.words_;
    const id = this.hex(this.core_.fast_call_(() => this.exports_.kalends_id!(this.handle_, ref)));
    if (keep !== this.words_) this.refresh();
    this.ids_[ref] = id;
    this.refs_.set(id, ref);
    return id;
  }

  private op(replica: number, counter: number): OpId {
    return `${this.replicas_[replica] ?? this.learn_replica(replica)}:${counter}`;
  }

  private learn_replica(number: number): Id {
    const id = this.hex(this.core_.fast_call_(() => this.exports_.kalends_replica!(this.handle_, number)));
    this.replicas_[number] = id;
    this.replica_numbers_.set(id, number);
    return id;
  }

  private hex(at: number): Id {
    this.refresh();
    let text = '';
    for (let i = 0; i < 16; ++i) text += (this.bytes_[at + i]! < 16 ? '0' : '') + this.bytes_[at + i]!.toString(16);
    return text;
  }

  // --- reading ---

  private changes(at: number): Change[] {
    const words = this.words_;
    const end = at + 1 + words[at]! * 5;
    const changed: Change[] = [];
    for (let i = at + 1; i < end; i += 5) {
      const type = words[i + 1]!;
      changed.push({
        entity: this.id(words[i]!),
        type: type === kRoot ? 'root' : (this.schema_.names[type] ?? 'unknown'),
        live: words[i + 2] === 1,
        fields: this.names(type, words[i + 3]!, words[i + 4]!) as string[],
      });
    }
    return changed;
  }

  // The same list each time.
  private names(type: number, low: number, high: number): readonly string[] {
    if (high === 0 && low === 0) return kNone;
    const key = (type * 2 ** 12 + high) * 2 ** 32 + low;
    let names = this.field_names_.get(key);
    if (names !== undefined) return names;
    const made: string[] = [];
    const by_number = this.schema_.by_number.get(type === kRoot ? 1 : type) ?? [];
    for (let number = 1; number < 64; ++number) {
      const word = number < 32 ? low : high;
      if (((word >>> number % 32) & 1) === 1 && by_number[number] !== undefined) made.push(by_number[number]!);
    }
    this.field_names_.set(key, (names = Object.freeze(made)));
    return names;
  }

  private read_cards(count: number, head: number, known?: CardSnapshot): CardSnapshot[] {
    const start = this.exports_.kalends_answer!() >>> 2;
    const numbers = this.words_[start]!;
    const size = this.words_[start + 1]!;
    const words = this.words_.subarray(start, start + numbers);
    const text = this.decode((start + numbers) * 4, size);
    const reader = new CardReader(words, head, text, this);
    const cards: CardSnapshot[] = [];
    for (let i = 0; i < count; ++i) cards.push(reader.card(known));
    return cards;
  }

  private decode(at: number, size: number): string {
    if (size < 64) {
      const bytes = this.bytes_;
      let text = '';
      let i = 0;
      for (; i < size; ++i) {
        const code = bytes[at + i]!;
        if (code > 127) break;
        text += String.fromCharCode(code);
      }
      if (i === size) return text;
    }
    return decoder.decode(this.bytes_.subarray(at, at + size));
  }

  /** @internal */
  id_(ref: number): Id {
    return this.ids_[ref] ?? this.learn_id(ref);
  }

  /** @internal */
  op_(replica: number, counter: number): OpId {
    return this.op(replica, counter);
  }
}

// Reads what FastCalls::write_card wrote.
class CardReader {
  private text_at_ = 0;

  constructor(
    private readonly words_: Uint32Array,
    private at_: number,
    private readonly text_: string,
    private readonly names_: FastDocument,
  ) {}

  card(known: CardSnapshot | undefined): CardSnapshot {
    const { words_ } = this;
    const id = this.names_.id_(words_[this.at_]!);
    const list = this.names_.id_(words_[this.at_ + 1]!);
    const createdMs = words_[this.at_ + 2]! + words_[this.at_ + 3]! * 2 ** 32;
    const flags = words_[this.at_ + 4]!;
    this.at_ += 5;
    const title = this.text();
    const description = this.text();
    const location = this.text();
    const colour = this.text();
    const start = (flags & 4) === 0 ? null : this.when((flags & 16) !== 0, (flags & 64) !== 0);
    const due = (flags & 8) === 0 ? null : this.when((flags & 32) !== 0, (flags & 128) !== 0);
    const labels = this.ids();
    const assignees = this.ids();
    const reminders = this.list(() => this.number());
    let custom: Record<Id, string> = kNoCustom;
    for (let n = this.number(), i = 0; i < n; ++i) {
      if (i === 0) custom = {};
      const key = this.names_.id_(this.number());
      custom[key] = this.text();
    }
    const checklists = this.list((): ChecklistSnapshot => {
      const of = this.op();
      const name = this.text();
      const items = this.list(() => {
        const item = this.op();
        const done = this.number() === 1;
        return { id: item, text: this.text(), done };
      });
      return { id: of, title: name, items };
    });
    const comments = this.list((): CommentSnapshot => {
      const of = this.op();
      const author = this.names_.id_(this.number());
      const atMs = this.number() + this.number() * 2 ** 32;
      return { id: of, author, atMs, text: this.text() };
    });
    const attachments = this.list(() => ({ id: this.op(), title: this.text(), url: this.text() }));
    const card = {
      id,
      list,
      title,
      description,
      labels,
      assignees,
      start,
      due,
      done: (flags & 1) !== 0,
      location,
      colour,
      reminders,
      archived: (flags & 2) !== 0,
      custom,
      checklists,
      comments,
      attachments,
      // Whoever reads them puts them here: few cards have any.
      conflicts: (flags & 256) !== 0 ? undefined : kNone,
      createdMs,
    };
    return keep(known, card as unknown as CardSnapshot);
  }

  private number(): number {
    return this.words_[this.at_++]!;
  }

  private text(): string {
    const length = this.words_[this.at_++]!;
    if (length === 0) return '';
    const at = this.text_at_;
    this.text_at_ += length;
    return this.text_.slice(at, at + length);
  }

  private op(): OpId {
    const at = this.at_;
    this.at_ += 2;
    return this.names_.op_(this.words_[at]!, this.words_[at + 1]!);
  }

  private ids(): readonly Id[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const ids: Id[] = [];
    for (let i = 0; i < count; ++i) ids.push(this.names_.id_(this.words_[this.at_++]!));
    return Object.freeze(ids);
  }

  private list<T>(read: () => T): readonly T[] {
    const count = this.words_[this.at_++]!;
    if (count === 0) return kNone;
    const list: T[] = [];
    for (let i = 0; i < count; ++i) list.push(Object.freeze(read()));
    return Object.freeze(list);
  }

  private when(is_timed: boolean, is_second: boolean): CardSnapshot['due'] {
    const text = this.text();
    return Object.freeze(is_timed ? { at: text, zone: this.text(), fold: is_second ? 1 : 0 } : { date: text });
  }
}

// Parts that are as they were stay the objects that they were.
function keep(known: CardSnapshot | undefined, card: CardSnapshot): CardSnapshot {
  if (known === undefined) return card;
  // Whoever adds the conflicts freezes it.
  const made = card as unknown as Record<string, unknown>;
  const before = known as unknown as Record<string, unknown>;
  for (const name in made) {
    const value = made[name];
    if (value !== null && typeof value === 'object' && value !== before[name] && equal(before[name], value))
      made[name] = before[name];
  }
  return card;
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => equal(left[name], right[name]));
}
