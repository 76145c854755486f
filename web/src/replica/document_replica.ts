// SPDX-License-Identifier: Apache-2.0
// One open document of the replica: core's document, what is stored of it, and its session with the server.
// Order of every step: core decides, the database has it, then pages and server are told.
import {
  CoreDocument,
  type Caller,
  type Card,
  type Command,
  type DocumentKind,
  type Id,
  type OpId,
} from '@kalends/core';
import type { PageCommand, RefusedItem, ViewChange } from './messages';
import { rebase_text } from './rebase_text';
import type { DocumentChange, Storage, StoredDocument, StoredOps } from './storage';
import { view_change, type View } from './view_change';

export interface DocumentPorts {
  core: Caller;
  storage: Storage;
  now_ms(): number;
}
export interface Identity {
  replica: Id;
  author: Id;
}
export interface Received {
  send: Uint8Array[];
  tray: RefusedItem[];
  // The server will not speak with software this old: why.
  reload: string | null;
}

// Opening reads every chunk: beyond this many, a snapshot takes their place.
const kChunksMax = 400;

export class DocumentReplica {
  private view_: View | null = null;
  private revision_ = 0;
  private synced_ = false;

  private constructor(
    private readonly ports_: DocumentPorts,
    private readonly identity_: Identity,
    private core_: CoreDocument,
    private stored_: StoredDocument,
    private chunk_count_: number,
    private unsent_: number,
  ) {}

  static async open(ports: DocumentPorts, identity: Identity, id: Id, kind: DocumentKind): Promise<DocumentReplica> {
    const loaded = await load(ports, identity, id, kind);
    return new DocumentReplica(ports, identity, loaded.core, loaded.stored, loaded.chunk_count, loaded.unsent);
  }

  get id(): Id {
    return this.stored_.document;
  }
  get kind(): DocumentKind {
    return this.stored_.kind;
  }
  // Edits that the server has not confirmed.
  get unsent(): number {
    return this.unsent_;
  }
  get is_synced(): boolean {
    return this.synced_;
  }
  get revision(): number {
    return this.revision_;
  }
  hash(): string {
    return this.core_.hash();
  }

  // Errors: CoreError (nothing has changed), or what the database threw (nothing has changed either: core's document
  // is opened anew from what is stored).
  async edit(request: string, commands: readonly PageCommand[]): Promise<(Id | OpId | null)[]> {
    const answer = this.core_.edit(this.ports_.now_ms(), commands.map((command) => this.rebased(command)));
    if (answer.ops.length === 0) return answer.created;
    const { document } = this.stored_;
    await this.apply({
      append: [{ document, ops: answer.ops, pending: 1, request, created: answer.created }],
    });
    this.unsent_ += 1;
    return answer.created;
  }

  // What is to be sent for the edits so far.
  edited(): Uint8Array[] {
    return this.core_.session_edited();
  }

  start_session(): Uint8Array[] {
    this.synced_ = false;
    return this.core_.session_start(this.stored_.cursor);
  }

  async receive(message: Uint8Array): Promise<Received> {
    const answer = this.core_.session_receive(message, this.ports_.now_ms());
    const { document } = this.stored_;
    const all_confirmed = this.unsent_ > 0 && !this.core_.has_pending();
    const tray = answer.tray.map((item) => ({
      ...item,
      document,
      message: answer.refused.find((refusal) => refusal.op === item.op)?.message ?? '',
    }));
    const append: StoredOps[] =
      answer.ops === undefined || answer.ops.length === 0 ? [] : [{ document, ops: answer.ops, pending: 0 }];
    const has_cursor_moved =
      answer.cursor.epoch !== this.stored_.cursor.epoch || answer.cursor.seq !== this.stored_.cursor.seq;
    if (answer.refused.length > 0) {
      // Stored operations that were taken back must not come again at the next start.
      await this.rewrite({ cursor: answer.cursor, tray });
    } else if (append.length > 0 || answer.replace_snapshot !== undefined || has_cursor_moved || all_confirmed) {
      await this.apply({
        stored: { cursor: answer.cursor, ...(answer.replace_snapshot && { snapshot: answer.replace_snapshot }) },
        forget: answer.replace_snapshot === undefined ? 'nothing' : 'confirmed',
        append,
        all_confirmed,
        tray,
      });
    }
    if (all_confirmed) this.unsent_ = 0;
    if (this.unsent_ === 0 && this.chunk_count_ > kChunksMax) await this.rewrite({});
    this.synced_ = answer.synced;
    return { send: answer.send, tray, reload: answer.reload ?? null };
  }

  // What changed since the last call; null: nothing.
  take_change(): { change: ViewChange; base: number; revision: number } | null {
    const view = this.core_.view();
    const change = view_change(this.kind, this.view_, view);
    if (change === null) return null;
    this.view_ = view;
    const base = this.revision_;
    this.revision_ += 1;
    return { change, base, revision: this.revision_ };
  }

  // The whole view as of the last `take_change`.
  whole_view(): ViewChange {
    this.take_change();
    return view_change(this.kind, null, this.view_!)!;
  }

  private rebased(command: PageCommand): Command {
    if (command.do !== 'text' || !('base' in command)) return command;
    const { base, ...rest } = command;
    const current = text_of(this.core_.card(command.entity), command.child);
    return current === null ? rest : { ...rest, value: rebase_text({ base, draft: command.value, current }) };
  }

  // Stores core's whole state in place of the chunks.
  private async rewrite(change: Partial<Pick<StoredDocument, 'cursor'>> & { tray?: RefusedItem[] }): Promise<void> {
    const { document } = this.stored_;
    const { snapshot, pending } = this.core_.stored_form();
    await this.apply({
      stored: { ...(change.cursor && { cursor: change.cursor }), snapshot },
      forget: 'everything',
      append: pending.length === 0 ? [] : [{ document, ops: pending, pending: 1 }],
      tray: change.tray ?? [],
    });
    this.unsent_ = this.core_.has_pending() ? Math.max(1, Math.min(this.unsent_, 1)) : 0;
  }

  private async apply(
    change: Partial<Omit<DocumentChange, 'document'>> & { stored?: Partial<StoredDocument> },
  ): Promise<void> {
    const { stored, ...rest } = change;
    const document = { ...this.stored_, ...stored };
    try {
      await this.ports_.storage.apply({
        forget: 'nothing',
        append: [],
        all_confirmed: false,
        tray: [],
        ...rest,
        document,
      });
    } catch (error) {
      await this.reopen();
      throw error;
    }
    this.stored_ = document;
    const appended = rest.append?.length ?? 0;
    this.chunk_count_ = rest.forget === 'everything' ? appended : this.chunk_count_ + appended;
  }

  private async reopen(): Promise<void> {
    this.core_.close();
    const loaded = await load(this.ports_, this.identity_, this.id, this.kind);
    this.core_ = loaded.core;
    this.stored_ = loaded.stored;
    this.chunk_count_ = loaded.chunk_count;
    this.unsent_ = loaded.unsent;
  }
}

interface Loaded {
  core: CoreDocument;
  stored: StoredDocument;
  chunk_count: number;
  unsent: number;
}

async function load(ports: DocumentPorts, identity: Identity, id: Id, kind: DocumentKind): Promise<Loaded> {
  const { stored, chunks } = await ports.storage.load(id, kind);
  const core = CoreDocument.open(ports.core, {
    document: id,
    kind,
    ...identity,
    ...(stored.snapshot !== null && { snapshot: stored.snapshot }),
  });
  const now_ms = ports.now_ms();
  for (const chunk of chunks) core.merge(now_ms, chunk.ops);
  return { core, stored, chunk_count: chunks.length, unsent: chunks.filter((chunk) => chunk.pending === 1).length };
}

function text_of(card: Card, child: OpId | undefined): string | null {
  if (child === undefined) return card.description;
  for (const checklist of card.checklists) {
    const item = checklist.items.find((candidate) => candidate.id === child);
    if (item !== undefined) return item.text;
  }
  return null;
}
