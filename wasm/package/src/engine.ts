// SPDX-License-Identifier: Apache-2.0
// All contact of the public API with core.wasm: one module, and documents in it that survive its traps. Whatever
// the calls look like (CBOR today), nothing outside this file knows.

import { type CborMap, type CborValue } from './cbor.js';
import type { Core } from './core.js';
import type { CardSnapshot } from './api_types.js';
import { KalendsError } from './errors.js';
import { head_of, set_length, What } from './bundle.js';
import { FastDocument, schema_of, type Schema } from './fast.js';
import { LoadedModule, start_module, type ModuleFile, type ModuleSource } from './module.js';
import { OpsLog } from './ops_log.js';
import { kUnfit } from './room.js';
import { share } from './share.js';
import type { Change, ChangeTaker, Command, DocumentKind, EditAnswer, Id } from './types.js';

/** A loaded core.wasm. Any number of workspaces can share it; they must live in the same thread. */
export class KalendsModule extends LoadedModule {
  /** @internal Use `load`. */
  constructor(
    compiled: WebAssembly.Module,
    core: Core,
    /** @internal Fills the bytes with entropy. */
    readonly random_: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array,
  ) {
    super(kCoreFile, compiled, core);
  }

  private schema_of_core_: Schema | undefined;

  /** @internal The fast calls for an open document; undefined when this core.wasm has none. */
  fast_(handle: number): FastDocument | undefined {
    if (this.core_.fast_ === undefined) return undefined;
    this.schema_of_core_ ??= schema_of(this.call_({ call: 'schema' }) as string);
    return new FastDocument(this.core_, handle, this.schema_of_core_);
  }
}

const kCoreFile: ModuleFile = { name: 'core.wasm', loader: 'load' };

/** @internal */
export function load_module(source: ModuleSource, random = random_of(crypto)): Promise<KalendsModule> {
  return start_module(kCoreFile, source, (compiled, core) => new KalendsModule(compiled, core, random));
}

/** @internal */
export function random_of(from: Pick<Crypto, 'getRandomValues'>): KalendsModule['random_'] {
  return (bytes) => from.getRandomValues(bytes);
}

export interface EngineMerge {
  news: boolean;
  held_back: number;
}

export interface EngineConflict extends CborMap {
  readonly entity: Id;
}

/** What an edit made; `bundle`, when it is there: `ops` as a bundle of their own. */
export interface EngineEdit extends EditAnswer {
  bundle?: Uint8Array;
}

/** What was stored of a document: the bytes of `save`, or a snapshot without history, and chunks after it. */
export interface StoredDocument {
  saved?: Uint8Array | undefined;
  snapshot?: Uint8Array | undefined;
  ops: Uint8Array[];
}

const kNoVersion = Uint8Array.of(1, 0);
// Kept operations are folded into saved bytes when they outgrow both these bytes and the saved ones.
const kKeptBytesMax = 1 << 24;

/** One document in core. It is opened when it is first needed, and again when core was started anew. */
export class EngineDocument {
  private handle_ = 0;
  private fast_: FastDocument | undefined;
  private generation_ = 0;
  private readonly kept_ = new OpsLog();
  private readonly head_: Uint8Array;
  // Operations came whose predecessors are missing: core holds them back, and its bytes lack them.
  private is_gappy_ = false;
  private past_: { of: EngineDocument; version: Uint8Array } | undefined;

  constructor(
    readonly module: KalendsModule,
    readonly id: Id,
    readonly kind: DocumentKind,
    private readonly replica_: Id,
    private readonly author_: Id,
    private readonly clock_: () => number,
    private stored_: StoredDocument = { ops: [] },
  ) {
    this.head_ = head_of(What.kOps, kind, id);
  }

  // This document as it was at `version`, for reading.
  at(version: Uint8Array): EngineDocument {
    const past = new EngineDocument(this.module, this.id, this.kind, this.replica_, this.author_, this.clock_);
    past.past_ = { of: this, version };
    return past;
  }

  open(): void {
    this.handle_of();
  }

  // What is kept, for `rewind`.
  mark(): StoredDocument {
    return { ...this.stored_, ops: this.kept_ops() };
  }

  // Forgets what was done after the mark was taken, as if it had never been.
  rewind(mark: StoredDocument): void {
    this.rebase(mark);
    this.close();
  }

  // Takes the bytes of another copy as its own. Requires: nothing was done here yet (`is_blank`).
  adopt(stored: StoredDocument): void {
    const blank = this.stored_;
    this.rewind(stored);
    try {
      this.open();
    } catch (error) {
      this.rewind(blank);
      throw error;
    }
  }

  get is_blank(): boolean {
    const { saved, snapshot, ops } = this.stored_;
    return saved === undefined && snapshot === undefined && ops.length === 0 && this.kept_.size === 0;
  }

  close(): void {
    const is_open = this.generation_ === this.module.generation_;
    this.generation_ = 0;
    if (!is_open) return;
    try {
      this.module.call_({ call: 'close', handle: this.handle_ });
    } catch {
      // A trap: the module is fresh, and the handle is gone with the old one.
    }
  }

  edit(commands: readonly Command[], keeps_crossed_dates = false): EngineEdit {
    const fast = this.fast_of();
    const now_ms = Math.floor(this.clock_());
    if (fast !== undefined) {
      let made: EngineEdit | undefined;
      try {
        made = fast.edit(commands, now_ms, keeps_crossed_dates, this.head_);
      } catch (error) {
        throw this.module.failed_(error, 'edit');
      }
      if (made !== undefined) {
        const { length } = made.ops;
        set_length(made.bundle!, length);
        if (length > 0) this.keep(made.ops);
        return made;
      }
    }
    return this.made('edit', {
      now_ms,
      keeps_crossed_dates: keeps_crossed_dates,
      commands: commands as unknown as CborValue,
    });
  }

  undo(): EditAnswer {
    return this.made('undo', { now_ms: Math.floor(this.clock_()) });
  }

  redo(): EditAnswer {
    return this.made('redo', { now_ms: Math.floor(this.clock_()) });
  }

  merge(ops: Uint8Array, taker: ChangeTaker): EngineMerge {
    const fast = this.fast_of();
    const now_ms = Math.floor(this.clock_());
    let answer: EngineMerge;
    if (fast === undefined) {
      const slow = this.call<EngineMerge & { changed: readonly Change[] }>('merge', { now_ms, ops });
      for (const { entity, type, live, fields } of slow.changed) taker.take(entity, type, live, fields);
      answer = slow;
    } else {
      try {
        answer = fast.merge(ops, now_ms, taker);
      } catch (error) {
        throw this.module.failed_(error, 'merge');
      }
    }
    this.is_gappy_ = answer.held_back > 0;
    if (answer.news || answer.held_back > 0) this.keep(ops);
    return answer;
  }

  version(): Uint8Array {
    return this.call('version');
  }

  since(version: Uint8Array = kNoVersion): Uint8Array {
    return this.call<{ ops: Uint8Array }>('since', { version }).ops;
  }

  save(history: boolean): StoredDocument {
    let stored: StoredDocument;
    try {
      stored = { saved: this.call('save', { history }), ops: [] };
    } catch (error) {
      // A core.wasm without `save`: a snapshot, or all that is kept.
      if (!is_code(error, 'unsupported')) throw error;
      if (!history) return { snapshot: this.call('snapshot'), ops: [] };
      stored = { ...this.stored_, ops: this.kept_ops() };
      if (stored.saved === undefined && stored.snapshot === undefined) {
        const all = this.since();
        stored.ops = all.length > 0 ? [all] : [];
      }
    }
    if (history && !this.is_gappy_) this.rebase({ ...stored, ops: [...stored.ops] });
    return stored;
  }

  // Null when this version of the document has no such card.
  card(entity: Id, known: CardSnapshot | undefined): CardSnapshot | null {
    const fast = this.fast_of();
    if (fast !== undefined) {
      try {
        return fast.card(entity, known);
      } catch (error) {
        // What is no id is no card's either.
        if (error === kUnfit) return null;
        throw this.module.failed_(error, 'card');
      }
    }
    try {
      return share(known, this.call('card', { entity })) as CardSnapshot;
    } catch (error) {
      if (is_code(error, 'not_found')) return null;
      throw error;
    }
  }

  view(): CborMap {
    return this.call('view');
  }

  // Of a board: its lists and the order of cards, without what is on them.
  layout(): CborMap {
    const fast = this.fast_of();
    if (fast === undefined) return this.view();
    const view = this.call<CborMap>('view', { layout: true });
    for (const list of view['lists'] as { cards: unknown }[]) list.cards = fast.ids(list.cards as Uint8Array);
    return view;
  }

  // All live cards at once; undefined when this core.wasm cannot.
  cards(): CardSnapshot[] | undefined {
    const fast = this.fast_of();
    if (fast === undefined) return undefined;
    try {
      return fast.cards();
    } catch (error) {
      throw this.module.failed_(error, 'cards');
    }
  }

  private fast_of(): FastDocument | undefined {
    if (this.generation_ === this.module.generation_ && this.fast_ !== undefined) return this.fast_;
    const handle = this.handle_of();
    return (this.fast_ = this.module.fast_(handle));
  }

  conflicts(): readonly EngineConflict[] {
    try {
      return this.call('conflicts', {});
    } catch (error) {
      // A core.wasm whose `conflicts` is for one entity only.
      if (!is_code(error, 'invalid')) throw error;
      const view = this.view() as Record<string, Record<string, CborMap>>;
      const rows = [view['cards'], view['lists'], view['boards'], view['labels'], view['custom_fields']];
      return rows
        .flatMap((row) => Object.values(row ?? {}))
        .flatMap((row) =>
          ((row['conflicts'] ?? []) as CborMap[]).map((conflict) => ({ ...conflict, entity: row['id'] as Id })),
        );
    }
  }

  blame(entity: Id): CborMap {
    return this.call('blame', { entity });
  }

  history(entity: Id): readonly CborMap[] {
    return this.call('history', { entity });
  }

  private made(call: string, rest: CborMap): EditAnswer {
    const answer = this.call<EditAnswer>(call, rest);
    if (answer.ops.length > 0) this.keep(answer.ops);
    return answer;
  }

  private call<Answer>(call: string, rest: CborMap = {}): Answer {
    return this.module.call_({ call, handle: this.handle_of(), ...rest }) as unknown as Answer;
  }

  private keep(ops: Uint8Array): void {
    this.kept_.push(ops);
    if (this.kept_.size > kKeptBytesMax && this.kept_.size > (this.stored_.saved?.length ?? 0) && !this.is_gappy_) this.fold();
  }

  private kept_ops(): Uint8Array[] {
    return [...this.stored_.ops, ...this.kept_.chunks()];
  }

  private fold(): void {
    try {
      this.save(true);
    } catch {
      // The operations stay as they are; next time.
    }
  }

  private rebase(stored: StoredDocument): void {
    this.stored_ = stored;
    this.kept_.clear();
  }

  private handle_of(): number {
    if (this.generation_ === this.module.generation_) return this.handle_;
    if (this.past_ !== undefined) {
      const handle = this.past_.of.handle_of();
      this.took(this.module.call_({ call: 'at', handle, version: this.past_.version }));
      return this.handle_;
    }
    const { saved, snapshot } = this.stored_;
    const ops = this.kept_ops();
    if (saved !== undefined) {
      const core = this.module.core_;
      if (core.fast_ === undefined) {
        this.took(this.open_call({ bytes: saved }));
      } else {
        core.give_(saved);
        this.took(this.open_call({ taken: true, trusted: true }));
      }
      this.merge_again(ops);
      return this.handle_;
    }
    try {
      this.took(this.open_call({ snapshot, ops }));
    } catch (error) {
      // Operations with gaps open one after the other only.
      if (ops.length === 0 || !is_code(error, 'corrupt')) throw error;
      this.took(this.open_call({ snapshot }));
      this.merge_again(ops);
    }
    return this.handle_;
  }

  private open_call(bytes: CborMap): CborValue {
    const { id, kind, replica_, author_ } = this;
    return this.module.call_({ call: 'open', document: id, kind, replica: replica_, author: author_, ...bytes });
  }

  private merge_again(chunks: readonly Uint8Array[]): void {
    try {
      for (const ops of chunks)
        this.is_gappy_ = this.call<EngineMerge>('merge', { now_ms: Math.floor(this.clock_()), ops }).held_back > 0;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private took(answer: CborValue): void {
    this.handle_ = (answer as { handle: number }).handle;
    this.fast_ = undefined;
    this.generation_ = this.module.generation_;
  }
}

function is_code(error: unknown, code: string): boolean {
  return error instanceof KalendsError && error.code === code;
}
