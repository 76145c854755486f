// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import type {
  BoardEntrySnapshot,
  LabelSnapshot,
  MemberSnapshot,
  Origin,
  Patch,
  WorkspaceOptions,
  WorkspaceSnapshot,
} from './api_types.js';
import { Board } from './board.js';
import { decode_bundle, encode_bundle, hex, What, type BundleRecord } from './bundle.js';
import { Conflict } from './conflict.js';
import { EngineDocument, type StoredDocument } from './engine.js';
import { KalendsError } from './errors.js';
import { share } from './share.js';
import { DocumentState, guard, type ConflictRow } from './state.js';
import type { Colour, Command, DocumentKind, EditAnswer, Id, OpId } from './types.js';

/** @internal What a transaction has gathered for one document. */
interface Pending {
  commands: Command[];
  /** Descriptions as the commands so far leave them, by card. */
  texts: Map<Id, string> | undefined;
}

interface Transaction {
  pending: Map<DocumentState, Pending>;
  // Boards that it makes: gone when it fails.
  boards: DocumentState[];
}

interface Made {
  state: DocumentState;
  answer: EditAnswer;
}

const kUndoMax = 1000;

/** Gives `listener` up again. */
export type Unsubscribe = () => void;

/**
 * A workspace: the boards' list, labels and members, and any number of boards; one living copy of all of them, which
 * can be edited without a network and merged with any other copy.
 *
 * Every call is synchronous and throws a {@link KalendsError} when it cannot be done; then nothing has changed.
 * Whatever it shows is a frozen plain object that stays the same object until something in it changes.
 */
export class Workspace {
  private readonly states_ = new Map<Id, DocumentState>();
  private readonly boards_ = new Map<Id, Board>();
  private readonly listeners_ = new Set<(patches: readonly Patch[], origin: Origin) => void>();
  private readonly update_listeners_ = new Set<(bytes: Uint8Array) => void>();
  private readonly merge_listeners_ = new Set<(bytes: Uint8Array, from: unknown) => void>();
  private transaction_: Transaction | undefined;
  // Documents of the transactions made here, the last one at the end.
  private undo_: (readonly DocumentState[])[] = [];
  private redo_: (readonly DocumentState[])[] = [];
  private root_!: DocumentState;
  private is_past_ = false;
  private is_disposed_ = false;
  private conflict_rows_: readonly ConflictRow[] = [];
  private conflicts_: readonly Conflict[] = [];
  private are_conflicts_stale_ = true;

  private constructor(private readonly options_: WorkspaceOptions) {}

  /**
   * Opens a workspace from bytes that {@link save}, {@link since} or {@link onUpdate} gave (a list: in the order in
   * which they were stored), or begins an empty one. A board's bytes are read when it is first used, and kept without a
   * copy for a fresh start: neither change nor transfer them afterwards.
   *
   * @throws KalendsError `corrupt` when the bytes are none of a workspace; `wrong_workspace` when they are of several.
   */
  static open(bytes: Uint8Array | readonly Uint8Array[] | null | undefined, options: WorkspaceOptions): Workspace {
    if (options?.module === undefined || options.author === undefined)
      throw new KalendsError('invalid', 'Give `module` (what `await load()` gave) and `author` (32 hexadecimal digits).');
    const workspace = new Workspace(options);
    const stored = new Map<Id, StoredDocument>();
    const later: BundleRecord[] = [];
    let id = options.id;
    for (const bundle of bytes instanceof Uint8Array ? [bytes] : (bytes ?? []))
      for (const record of decode_bundle(bundle)) {
        if (record.kind === 'workspace') {
          id ??= record.id;
          if (id !== record.id) throw wrong_workspace();
        }
        let document = stored.get(record.id);
        if (document === undefined) stored.set(record.id, (document = { ops: [] }));
        if (record.what === What.kOps) {
          if (record.bytes.length > 0) document.ops.push(record.bytes.slice());
        } else if (document.saved !== undefined || document.snapshot !== undefined) {
          later.push(record);
        } else if (record.what !== What.kVersion) {
          document[record.what === What.kSaved ? 'saved' : 'snapshot'] = record.bytes;
        }
        if (record.kind === 'board') workspace.states_.get(record.id) ?? workspace.hold(record.id, 'board', document);
      }
    id ??= workspace.make_id_();
    workspace.root_ = workspace.hold(id, 'workspace', stored.get(id));
    workspace.root_.engine.open();
    if (later.length > 0) workspace.merge(encode_bundle(later));
    return workspace;
  }

  /** The workspace's id: 32 hexadecimal digits. */
  get id(): Id {
    return this.root_.engine.id;
  }

  /** The person who edits here. */
  get author(): Id {
    return this.options_.author;
  }

  /** True for what {@link at} gave. */
  get readOnly(): boolean {
    return this.is_past_;
  }

  /** The boards' list, labels and members. */
  get snapshot(): WorkspaceSnapshot {
    this.check();
    return this.root_.view() as WorkspaceSnapshot;
  }

  /** The boards that the workspace lists, in order. */
  boards(): readonly BoardEntrySnapshot[] {
    return this.snapshot.boards;
  }

  /** The labels, for cards of all boards. */
  labels(): readonly LabelSnapshot[] {
    return this.snapshot.labels;
  }

  /** The people of the workspace. */
  members(): readonly MemberSnapshot[] {
    return this.snapshot.members;
  }

  /**
   * The board with this id; the same object each time.
   *
   * @throws KalendsError `not_found` when the workspace neither lists it nor holds operations of it.
   */
  board(id: Id): Board {
    this.check();
    const known = this.boards_.get(id);
    if (known !== undefined) return known;
    let state = this.states_.get(id);
    if (state === undefined) {
      if (this.is_past_ || !this.boards().some((entry) => entry.id === id))
        throw new KalendsError('not_found', `This workspace has no board ${id}. Merge what you have of it first.`);
      state = this.hold(id, 'board');
    }
    return this.handle_of(state);
  }

  /** Makes a board, last in the list. `timeZone` is an IANA name. */
  createBoard(board: { readonly title: string; readonly timeZone?: string; readonly id?: Id }): Board {
    const id = board.id ?? this.make_id_();
    if (this.states_.has(id)) throw new KalendsError('conflict', 'There is already a board with this id.');
    return this.transact(() => {
      const state = this.hold(id, 'board');
      this.transaction_!.boards.push(state);
      this.edit_(this.root_, { do: 'create', type: 'board', id, fields: { title: board.title } });
      this.set_(state, id, undefined, { title: board.title, time_zone: board.timeZone });
      return this.handle_of(state);
    });
  }

  /** Changes the workspace's title. */
  edit(fields: { readonly title: string }): void {
    this.edit_(this.root_, { do: 'set', entity: this.id, field: 'title', value: fields.title });
  }

  /** Makes a label for all boards; its id goes into cards' `labels`. */
  createLabel(label: { readonly name: string; readonly colour?: Colour; readonly id?: Id }): Id {
    const id = label.id ?? this.make_id_();
    const { name, colour } = label;
    this.edit_(this.root_, { do: 'create', type: 'label', id, fields: colour === undefined ? { name } : { name, colour } });
    return id;
  }

  /** Changes the fields that are named. */
  editLabel(id: Id, fields: { readonly name?: string; readonly colour?: Colour }): void {
    this.set_(this.root_, id, undefined, fields);
  }

  /** What the person who edits here calls a label; `null`: as everybody does. */
  nameLabel(id: Id, name: string | null): void {
    this.edit_(this.root_, { do: 'set', entity: id, field: 'local_names', key: this.author, value: name });
  }

  /** From now on `into` stands for `label`, on every card of every board; `null` parts them again. */
  mergeLabel(label: Id, into: Id | null): void {
    this.edit_(this.root_, { do: 'set', entity: label, field: 'merged_into', value: into });
  }

  /** Its uses on cards are not shown any more; they come back with {@link restoreLabel}. */
  deleteLabel(id: Id): void {
    this.edit_(this.root_, { do: 'delete', entity: id });
  }

  /** Brings a deleted label back, and its uses. */
  restoreLabel(id: Id): void {
    this.edit_(this.root_, { do: 'restore', entity: id });
  }

  /** Adds a person; their names live elsewhere. */
  addMember(id: Id = this.make_id_()): Id {
    this.edit_(this.root_, { do: 'create', type: 'member', id, fields: {} });
    return id;
  }

  /** Changes the fields that are named. */
  editMember(id: Id, fields: { readonly archived: boolean }): void {
    this.set_(this.root_, id, undefined, fields);
  }

  /**
   * Does all edits that `fn` makes, or none of them when one cannot be done or `fn` throws: one transaction for each
   * document that they touch, one update, one notice, one step of {@link undo}. `fn` reads what was before it. Inner
   * transactions belong to the outer one.
   *
   * @param fn - makes edits; must not be async.
   * @returns what `fn` gave.
   */
  transact<T>(fn: () => T): T {
    this.writable_();
    if (this.transaction_ !== undefined) return fn();
    const transaction: Transaction = (this.transaction_ = { pending: new Map(), boards: [] });
    let result: T;
    let made: Made[];
    try {
      result = fn();
      if (typeof (result as { then?: unknown } | undefined)?.then === 'function')
        throw new KalendsError('invalid', 'A transaction cannot be async: await first, then transact.');
      const touched = [...transaction.pending].filter(([, { commands }]) => commands.length > 0);
      made = this.all_or_none(
        touched.map(([state]) => state),
        (state) => state.engine.edit(transaction.pending.get(state)!.commands, this.options_.keepsCrossedDates),
      );
    } catch (error) {
      for (const state of transaction.boards) this.drop(state);
      throw error;
    } finally {
      this.transaction_ = undefined;
    }
    this.done(made, 'edit');
    return result;
  }

  /** Takes the last transaction that was made here back, as a new transaction. False when there is none. */
  undo(): boolean {
    return this.step(this.undo_, this.redo_, 'undo');
  }

  /** Does again what {@link undo} took back. False when there is nothing. */
  redo(): boolean {
    return this.step(this.redo_, this.undo_, 'redo');
  }

  /** Tells of every change, once a transaction or merge, when everything is in place. */
  subscribe(listener: (patches: readonly Patch[], origin: Origin) => void): Unsubscribe {
    return added(this.listeners_, listener);
  }

  /** Gives the bytes of every transaction made here, for storing and for other copies' {@link merge}. */
  onUpdate(listener: (bytes: Uint8Array) => void): Unsubscribe {
    return added(this.update_listeners_, listener);
  }

  /** Gives the bytes of every merge that brought something new, and the `from` that was said there. */
  onMerge(listener: (bytes: Uint8Array, from: unknown) => void): Unsubscribe {
    return added(this.merge_listeners_, listener);
  }

  /**
   * Takes in what another copy gave ({@link onUpdate}, {@link since} or {@link save}), in any order, as often as you
   * like.
   *
   * @param from - told to {@link onMerge} listeners, so that a transport knows its own.
   * @returns `news`: something was new. `missing`: operations wait for earlier ones; ask the other side for
   * `since(version())`.
   * @throws KalendsError `corrupt`, `unsupported_version`, `wrong_workspace`; `history_gone` when a snapshot without
   * history meets a document that has some of its own. Documents before the one that failed are merged; to merge again
   * does no harm.
   */
  merge(bytes: Uint8Array, from?: unknown): { news: boolean; missing: boolean } {
    this.writable_();
    if (this.transaction_ !== undefined) throw new KalendsError('invalid', 'Merge before or after a transaction.');
    const records = decode_bundle(bytes);
    for (const { kind, id } of records) {
      const known = this.states_.get(id);
      if (kind === 'workspace' ? id !== this.id : known !== undefined && !known.is_board) throw wrong_workspace();
    }
    const patches: Patch[] | undefined = this.is_heard ? [] : undefined;
    let news = false;
    let missing = false;
    try {
      for (const record of records) {
        if (record.what === What.kVersion || record.bytes.length === 0) continue;
        const known = this.states_.get(record.id);
        const state = known ?? this.hold(record.id, 'board');
        try {
          if (record.what !== What.kOps && state.engine.is_blank) {
            state.engine.adopt({ [record.what === What.kSaved ? 'saved' : 'snapshot']: record.bytes, ops: [] });
            state.changed([{ entity: record.id, type: 'root', live: true, fields: [] }], patches);
            news = true;
            continue;
          }
          const merged = state.merge(this.ops_of(state, record), patches);
          news ||= merged.news;
          missing ||= merged.held_back > 0;
        } catch (error) {
          if (known === undefined) this.drop(state);
          throw error;
        }
      }
    } finally {
      if (news) for (const listener of this.merge_listeners_) guard(listener, bytes, from);
      this.tell(patches, 'merge');
    }
    return { news, missing };
  }

  /** What this copy has, for another's {@link since}, and for {@link at}. */
  version(): Uint8Array {
    this.check();
    return this.bundle(What.kVersion, (state) => state.engine.version());
  }

  /**
   * Everything that `version` (of another copy) does not cover; without one, everything.
   *
   * @throws KalendsError `history_gone` when it would need history that is not here: send {@link save} instead.
   */
  since(version?: Uint8Array): Uint8Array {
    this.check();
    const versions = new Map(version && decode_bundle(version).map((record) => [record.id, record.bytes]));
    try {
      return this.bundle(What.kOps, (state) => state.engine.since(versions.get(state.engine.id)));
    } catch (error) {
      if (error instanceof KalendsError && error.code === 'conflict')
        throw new KalendsError('history_gone', 'That version needs history that is not kept: send `save()` instead.');
      throw error;
    }
  }

  /**
   * The whole workspace as bytes for {@link open}.
   *
   * @param options - `history: false` leaves out what is only history: smaller, but a copy opened from it cannot help
   * others that lack it, nor show the past.
   */
  save(options: { readonly history?: boolean } = {}): Uint8Array {
    this.check();
    const records: BundleRecord[] = [];
    for (const { engine } of this.in_order()) {
      const { kind, id } = engine;
      const { saved, snapshot, ops } = engine.save(options.history ?? true);
      if (snapshot !== undefined) records.push({ what: What.kSnapshot, kind, id, bytes: snapshot });
      if (saved !== undefined) records.push({ what: What.kSaved, kind, id, bytes: saved });
      for (const bytes of ops) records.push({ what: What.kOps, kind, id, bytes });
      // An empty document is there all the same.
      if (records.at(-1)?.id !== id) records.push({ what: What.kOps, kind, id, bytes: new Uint8Array(0) });
    }
    return encode_bundle(records);
  }

  /** All that is open between people: values that lost but were not given up. The same list until that changes. */
  conflicts(): readonly Conflict[] {
    this.check();
    if (!this.are_conflicts_stale_) return this.conflicts_;
    const before = this.conflict_rows_;
    const found = this.in_order().flatMap((state) => state.conflicts());
    const rows = (this.conflict_rows_ = share(before, found) as unknown as readonly ConflictRow[]);
    this.are_conflicts_stale_ = false;
    if (rows === before) return this.conflicts_;
    const old = this.conflicts_;
    const kept = (row: ConflictRow): Conflict | undefined => old.find((one) => (one.snapshot as unknown) === row);
    return (this.conflicts_ = Object.freeze(rows.map((row) => kept(row) ?? Conflict.of_(this, row))));
  }

  /**
   * The workspace as it was at a version (of {@link Workspace.version}), for reading. Dispose it when you are done.
   *
   * @throws KalendsError `history_gone` when the past is not kept here.
   */
  at(version: Uint8Array): Workspace {
    this.check();
    const past = new Workspace(this.options_);
    past.is_past_ = true;
    for (const { id, bytes } of decode_bundle(version)) {
      const state = this.states_.get(id);
      if (state === undefined) throw new KalendsError('not_found', 'That version is not one of this workspace.');
      const then = new DocumentState(state.engine.at(bytes));
      past.states_.set(id, then);
      if (!then.is_board) past.root_ = then;
      try {
        then.engine.open();
      } catch (error) {
        past.dispose();
        if (error instanceof KalendsError && error.code === 'conflict')
          throw new KalendsError('history_gone', 'The past that far back is not kept here.');
        throw error;
      }
    }
    if (past.root_ === undefined) throw new KalendsError('invalid', 'A version of a workspace is needed.');
    return past;
  }

  /** Gives the memory in core.wasm back. Every later call throws `disposed`. */
  dispose(): void {
    if (this.is_disposed_) return;
    this.is_disposed_ = true;
    for (const state of this.states_.values()) state.engine.close();
    this.listeners_.clear();
    this.update_listeners_.clear();
    this.merge_listeners_.clear();
  }

  /** @internal */
  make_id_(): Id {
    return this.options_.makeId?.() ?? hex(this.options_.module.random_(new Uint8Array(16)));
  }

  /** @internal Throws when it may not be changed. */
  writable_(): void {
    this.check();
    if (this.is_past_) throw new KalendsError('read_only', 'This is the past: change the workspace that it came from.');
  }

  /** @internal Throws when it may not be read. */
  check_(): void {
    this.check();
  }

  /** @internal The ids of what the command made inside a card; null in a transaction. */
  edit_(state: DocumentState, command: Command): OpId | null {
    this.writable_();
    if (this.transaction_ !== undefined) {
      this.pending_(state)!.commands.push(command);
      return null;
    }
    return this.commit_one(state, [command]).created[0] ?? null;
  }

  /** @internal */
  edit_all_(state: DocumentState, commands: readonly Command[]): void {
    this.writable_();
    if (commands.length === 0) return;
    const pending = this.pending_(state);
    if (pending === undefined) this.commit_one(state, commands);
    else for (const command of commands) pending.commands.push(command);
  }

  /** @internal Sets each field that is there. */
  set_(state: DocumentState, entity: Id, child: OpId | undefined, fields: object): void {
    const commands: Command[] = [];
    for (const field in fields) {
      const value = (fields as Record<string, string | boolean | undefined>)[field];
      if (value !== undefined) commands.push({ do: 'set', entity, ...(child && { child }), field, value });
    }
    this.edit_all_(state, commands);
  }

  /** @internal What the running transaction has gathered for the document. */
  pending_(state: DocumentState): Pending | undefined {
    const transaction = this.transaction_?.pending;
    if (transaction === undefined) return undefined;
    let pending = transaction.get(state);
    if (pending === undefined) transaction.set(state, (pending = { commands: [], texts: undefined }));
    return pending;
  }

  /** @internal */
  state_(board: Id | null): DocumentState {
    return board === null ? this.root_ : this.states_.get(board)!;
  }

  private check(): void {
    if (this.is_disposed_) throw new KalendsError('disposed', 'This workspace was disposed of: open it again.');
  }

  private hold(id: Id, kind: DocumentKind, stored?: StoredDocument): DocumentState {
    const { replicas, module, author, clock = Date.now } = this.options_;
    const replica = (typeof replicas === 'function' ? replicas(id, kind) : replicas?.[id]) ?? this.make_id_();
    const state = new DocumentState(new EngineDocument(module, id, kind, replica, author, clock, stored));
    this.states_.set(id, state);
    return state;
  }

  private drop(state: DocumentState): void {
    this.states_.delete(state.engine.id);
    this.boards_.delete(state.engine.id);
    state.engine.close();
  }

  private handle_of(state: DocumentState): Board {
    const { id } = state.engine;
    let board = this.boards_.get(id);
    if (board === undefined) this.boards_.set(id, (board = Board.of_(this, state)));
    return board;
  }

  private commit_one(state: DocumentState, commands: readonly Command[]): EditAnswer {
    const answer = state.engine.edit(commands, this.options_.keepsCrossedDates);
    if (answer.ops.length > 0) {
      const patches: Patch[] | undefined = this.is_heard ? [] : undefined;
      state.changed(answer.changed, patches);
      this.note_undo(state.alone);
      if (this.update_listeners_.size > 0) this.emit(answer.bundle ?? this.bundle_of(state, answer));
      this.tell(patches, 'edit');
    }
    return answer;
  }

  // Whether anybody wants patches.
  private get is_heard(): boolean {
    if (this.listeners_.size > 0) return true;
    for (const state of this.states_.values()) if (state.is_heard) return true;
    return false;
  }

  private note_undo(states: readonly DocumentState[]): void {
    this.undo_.push(states);
    if (this.undo_.length > 2 * kUndoMax) this.undo_.splice(0, kUndoMax);
    if (this.redo_.length > 0) this.redo_ = [];
  }

  private emit(bytes: Uint8Array): void {
    for (const listener of this.update_listeners_) guard(listener, bytes);
  }

  private bundle_of({ engine }: DocumentState, { ops }: EditAnswer): Uint8Array {
    return encode_bundle([{ what: What.kOps, kind: engine.kind, id: engine.id, bytes: ops }]);
  }

  private all_or_none(states: readonly DocumentState[], act: (state: DocumentState) => EditAnswer): Made[] {
    const made: Made[] = [];
    const marks: StoredDocument[] = [];
    try {
      for (const state of states) {
        if (states.length > 1) marks.push(state.engine.mark());
        made.push({ state, answer: act(state) });
      }
    } catch (error) {
      // Nobody has seen what the documents before this one did.
      made.forEach(({ state }, index) => state.engine.rewind(marks[index]!));
      throw error;
    }
    return made;
  }

  private step(from: (readonly DocumentState[])[], to: (readonly DocumentState[])[], what: 'undo' | 'redo'): boolean {
    this.writable_();
    if (this.transaction_ !== undefined) throw new KalendsError('invalid', `Call ${what} outside of transactions.`);
    while (from.length > 0) {
      const states = from.at(-1)!;
      const made = this.all_or_none(states, (state) => state.engine[what]());
      from.pop();
      if (made.every(({ answer }) => answer.ops.length === 0)) continue;
      to.push(states);
      this.done(made, what);
      return true;
    }
    return false;
  }

  private done(made: readonly Made[], origin: Origin): void {
    const patches: Patch[] = [];
    const records: BundleRecord[] = [];
    for (const { state, answer } of made) {
      if (answer.ops.length === 0) continue;
      const { kind, id } = state.engine;
      records.push({ what: What.kOps, kind, id, bytes: answer.ops });
      state.changed(answer.changed, patches);
    }
    if (records.length === 0) return;
    if (origin === 'edit') this.note_undo(made.filter(({ answer }) => answer.ops.length > 0).map(({ state }) => state));
    if (this.update_listeners_.size > 0) this.emit(encode_bundle(records));
    this.tell(patches, origin);
  }

  // `patches`: undefined when nobody wanted them.
  private tell(patches: readonly Patch[] | undefined, origin: Origin): void {
    if (patches?.length === 0) return;
    this.are_conflicts_stale_ = true;
    if (patches === undefined) return;
    let last: DocumentState | undefined;
    for (const { board, entity } of patches) {
      const state = this.state_(board);
      if (state !== last) state.notify((last = state).engine.id);
      if (entity !== state.engine.id) state.notify(entity);
    }
    for (const listener of this.listeners_) guard(listener, patches, origin);
  }

  // The operations of a record, as far as they can be new here.
  private ops_of(state: DocumentState, record: BundleRecord): Uint8Array {
    if (record.what === What.kOps) return record.bytes;
    const { kind, id } = state.engine;
    const { module, author, clock = Date.now } = this.options_;
    const stored = { [record.what === What.kSaved ? 'saved' : 'snapshot']: record.bytes, ops: [] };
    const other = new EngineDocument(module, id, kind, this.make_id_(), author, clock, stored);
    try {
      return other.since(state.engine.version());
    } catch (error) {
      if (error instanceof KalendsError && error.code === 'conflict')
        throw new KalendsError('history_gone', 'A copy without history cannot be merged: open it, or send `since()`.');
      throw error;
    } finally {
      other.close();
    }
  }

  // The workspace, then the boards: equal contents make equal bytes.
  private in_order(): DocumentState[] {
    const rank = ({ is_board, engine }: DocumentState): string => (is_board ? engine.id : '');
    return [...this.states_.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  private bundle(what: What, bytes_of: (state: DocumentState) => Uint8Array): Uint8Array {
    const records: BundleRecord[] = [];
    for (const state of this.in_order()) {
      const bytes = bytes_of(state);
      const { kind, id } = state.engine;
      if (what === What.kVersion || bytes.length > 0) records.push({ what, kind, id, bytes });
    }
    return encode_bundle(records);
  }
}

function added<T>(set: Set<T>, listener: T): Unsubscribe {
  set.add(listener);
  return () => void set.delete(listener);
}

function wrong_workspace(): KalendsError {
  return new KalendsError('wrong_workspace', 'These bytes belong to another workspace.');
}

export interface Workspace {
  /** The same as {@link Workspace.dispose}, for `using`. */
  [Symbol.dispose](): void;
}
if (Symbol.dispose) Workspace.prototype[Symbol.dispose] = Workspace.prototype.dispose;
