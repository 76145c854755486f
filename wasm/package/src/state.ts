// SPDX-License-Identifier: Apache-2.0
// One document as the public API holds it: its copy in core, the snapshots that were taken of it, who listens.

import type { BoardSnapshot, CardSnapshot, Patch, WorkspaceSnapshot } from './api_types.js';
import type { EngineConflict, EngineDocument, EngineMerge } from './engine.js';
import { camel_all, share } from './share.js';
import type { Change, ChangeTaker, Id } from './types.js';

type Listener = () => void;
export type ConflictRow = EngineConflict & { readonly board: Id | null };

// From so many changed cards on, one look at the whole board is cheaper than one at each of them.
const kLooksMax = 32;

export class DocumentState implements ChangeTaker {
  private view_: BoardSnapshot | WorkspaceSnapshot | undefined;
  private is_view_stale_ = true;
  // The last sight of every card of `view_`, and of others that were asked for; stale ones are kept to be shared.
  private readonly cards_ = new Map<Id, CardSnapshot>();
  private readonly stale_ = new Set<Id>();
  private all_: readonly CardSnapshot[] | undefined;
  private conflicts_: readonly ConflictRow[] | undefined;
  private listeners_: Map<Id, Set<Listener>> | undefined;
  private patches_: Patch[] | undefined;

  // For undo: the documents of a transaction that touched only this one.
  readonly alone: readonly DocumentState[] = [this];

  constructor(readonly engine: EngineDocument) {}

  get is_board(): boolean {
    return this.engine.kind === 'board';
  }

  view(): BoardSnapshot | WorkspaceSnapshot {
    if (this.is_view_stale_) this.look();
    return this.view_!;
  }

  cards(): readonly CardSnapshot[] {
    const view = this.view() as BoardSnapshot;
    if (this.all_ !== undefined) return this.all_;
    if (this.stale_.size > kLooksMax || this.cards_.size === 0) this.look_at_cards();
    const all: CardSnapshot[] = [];
    for (const list of view.lists) for (const id of list.cards) all.push(this.card(id)!);
    return (this.all_ = Object.freeze(all));
  }

  card(id: Id): CardSnapshot | undefined {
    const known = this.cards_.get(id);
    if (known !== undefined && !this.stale_.has(id)) return known;
    const card = this.engine.card(id, known);
    this.stale_.delete(id);
    if (card === null) {
      this.cards_.delete(id);
      return undefined;
    }
    this.cards_.set(id, card);
    return card;
  }

  conflicts(): readonly ConflictRow[] {
    const board = this.is_board ? this.engine.id : null;
    return (this.conflicts_ ??= this.engine.conflicts().map((row) => ({ ...row, board })));
  }

  // Merges operations; what they changed is taken in, and given as patches where somebody wants them.
  merge(ops: Uint8Array, patches: Patch[] | undefined): EngineMerge {
    this.patches_ = patches;
    return this.engine.merge(ops, this);
  }

  // Takes in what core says an edit has changed.
  changed(changes: readonly Change[], patches: Patch[] | undefined): void {
    this.patches_ = patches;
    for (let i = 0; i < changes.length; ++i) {
      const { entity, type, live, fields, moves } = changes[i]!;
      this.take(entity, type, live, fields, moves);
    }
  }

  take(entity: Id, type: string, live: boolean, fields: readonly string[], moves?: boolean): void {
    if (type === 'card' && this.cards_.has(entity)) {
      this.stale_.add(entity);
      if (!live || (moves ?? (fields.includes('position') || fields.includes('home')))) this.is_view_stale_ = true;
    } else {
      this.is_view_stale_ = true;
    }
    this.all_ = this.conflicts_ = undefined;
    const { patches_ } = this;
    if (patches_ === undefined) return;
    const board = this.is_board ? this.engine.id : null;
    const names = moves === undefined ? camel_all(fields) : fields;
    patches_.push({ board, entity, type: type as Patch['type'], live, fields: names });
  }

  // Whether somebody listens to a part of it, or to all.
  get is_heard(): boolean {
    return this.listeners_ !== undefined && this.listeners_.size > 0;
  }

  // `key`: a card, or the document for all that is in it.
  listen(key: Id, listener: Listener): Listener {
    const listeners = (this.listeners_ ??= new Map());
    let of_key = listeners.get(key);
    if (of_key === undefined) listeners.set(key, (of_key = new Set()));
    of_key.add(listener);
    return () => {
      of_key.delete(listener);
      if (of_key.size === 0 && listeners.get(key) === of_key) listeners.delete(key);
    };
  }

  // `key` as in `listen`.
  notify(key: Id): void {
    const listeners = this.listeners_?.get(key);
    if (listeners !== undefined) for (const listener of listeners) guard(listener);
  }

  // Every card anew that is not known as it is.
  private look_at_cards(): void {
    const cards = this.engine.cards();
    if (cards === undefined) return;
    for (const card of cards) if (this.stale_.has(card.id) || !this.cards_.has(card.id)) this.cards_.set(card.id, card);
    this.stale_.clear();
  }

  private look(): void {
    const { cards: _, conflicts: __, ...rest } = this.is_board ? this.engine.layout() : this.engine.view();
    if (this.is_board && this.cards_.size > 0) {
      const seen = new Set((rest['lists'] as { cards: Id[] }[]).flatMap((list) => list.cards));
      for (const id of this.cards_.keys()) if (!seen.has(id)) this.cards_.delete(id);
    }
    this.view_ = share(this.view_, rest) as unknown as BoardSnapshot | WorkspaceSnapshot;
    this.is_view_stale_ = false;
  }
}

// A listener that throws must not make the change look as if it had failed: it throws by itself, later.
export function guard<A, B>(listener: (a: A, b: B) => void, a?: A, b?: B): void {
  try {
    listener(a as A, b as B);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
