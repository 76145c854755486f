// SPDX-License-Identifier: Apache-2.0
// One open document of the replica: core's document, what is stored of it, and its session with the server.
// Order of every step: core decides, the database has it, then pages and server are told.
import {
  CoreDocument,
  encode_cbor,
  type Caller,
  type Card,
  type Command,
  type Cursor,
  type DocumentKind,
  type Id,
  type OpId,
} from '@kalends/core';
import type { PageCommand, RefusedItem, ViewChange } from './messages';
import { rebase_text } from './rebase_text';
import type { DocumentChange, Storage, StoredDocument } from './storage';
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

// Opening reads every chunk: beyond this many, one takes their place.
const kChunksMax = 400;

export class DocumentReplica {
  private view_: View | null = null;
  private revision_ = 0;
  private synced_ = false;
  private has_session_ = false;
  private refusal_: { code: string; message: string } | null = null;

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
  // Why the server does not speak of this document; null: it does, or has not been asked yet.
  get refusal(): { code: string; message: string } | null {
    return this.refusal_;
  }
  get revision(): number {
    return this.revision_;
  }
  hash(): string {
    return this.core_.hash();
  }

  // Errors: CoreError (nothing has changed), or what the database threw (nothing has changed either: core's document
  // is opened anew from what is stored).
  async edit(request: string, commands: readonly PageCommand[]): Promise<readonly (Id | OpId | null)[]> {
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
    return this.has_session_ ? this.core_.session_edited() : [];
  }

  start_session(): Uint8Array[] {
    this.synced_ = false;
    this.has_session_ = true;
    this.refusal_ = null;
    return this.core_.session_start(this.stored_.cursor);
  }

  // Until the next connection.
  refuse(refusal: { code: string; message: string }): void {
    this.has_session_ = false;
    this.refusal_ = refusal;
  }

  // What tells the server that nobody follows this document here any more.
  end_session(): Uint8Array[] {
    this.has_session_ = false;
    return [encode_cbor({ t: 'bye' })];
  }

  // Requires: no call comes after this one.
  close(): void {
    this.core_.close();
  }

  // Errors as of `edit`. A message that comes without a session is a leftover of one that ended: it is passed over.
  async receive(message: Uint8Array): Promise<Received> {
    if (!this.has_session_) return { send: [], tray: [], reload: null };
    const answer = this.core_.session_receive(message, this.ports_.now_ms());
    const unsent = Math.min(this.unsent_, answer.pending);
    const tray = answer.tray.map((item) => ({
      ...item,
      document: this.id,
      message: answer.refused.find((refusal) => refusal.op === item.op)?.message ?? '',
    }));
    if (answer.replace_snapshot !== undefined) {
      await this.rewrite(answer.replace_snapshot, answer.replace_ops, { cursor: answer.cursor, unsent, tray });
    } else {
      await this.append(answer.ops, answer.cursor, unsent === 0 && this.unsent_ > 0);
    }
    this.unsent_ = unsent;
    this.synced_ = answer.synced;
    if (this.chunk_count_ > kChunksMax) await this.join_chunks();
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

  private async append(ops: Uint8Array | undefined, cursor: Cursor, all_confirmed: boolean): Promise<void> {
    const has_ops = ops !== undefined && ops.length > 0;
    const has_moved = cursor.epoch !== this.stored_.cursor.epoch || cursor.seq !== this.stored_.cursor.seq;
    if (!has_ops && !has_moved && !all_confirmed) return;
    await this.apply({
      stored: { cursor },
      append: has_ops ? [{ document: this.id, ops, pending: 0 }] : [],
      all_confirmed,
    });
  }

  // Stores this in place of everything that is stored of the document.
  private async rewrite(
    snapshot: Uint8Array | null,
    ops: Uint8Array | undefined,
    { cursor, unsent, tray }: { cursor: Cursor; unsent: number; tray: RefusedItem[] },
  ): Promise<void> {
    await this.apply({
      stored: { cursor, snapshot: snapshot === null || snapshot.length === 0 ? null : snapshot },
      is_rewritten: true,
      append: ops === undefined || ops.length === 0 ? [] : [{ document: this.id, ops, pending: unsent }],
      tray,
    });
  }

  // All operations after the stored snapshot as one chunk. The operations themselves stay: after a restore of the
  // server they are offered again.
  private async join_chunks(): Promise<void> {
    const { snapshot, cursor } = this.stored_;
    const ops = this.core_.since(snapshot === null ? new Uint8Array() : this.version_of(snapshot));
    await this.rewrite(snapshot, ops, { cursor, unsent: this.unsent_, tray: [] });
  }

  private version_of(snapshot: Uint8Array): Uint8Array {
    const opened = CoreDocument.open(this.ports_.core, {
      document: this.id,
      kind: this.kind,
      ...this.identity_,
      snapshot,
    });
    const version = opened.version();
    opened.close();
    return version;
  }

  private async apply(
    change: Partial<Omit<DocumentChange, 'document'>> & { stored?: Partial<StoredDocument> },
  ): Promise<void> {
    const { stored, ...rest } = change;
    const document = { ...this.stored_, ...stored };
    try {
      await this.ports_.storage.apply({
        is_rewritten: false,
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
    this.chunk_count_ = rest.is_rewritten ? appended : this.chunk_count_ + appended;
  }

  // Core's document is ahead of what is stored: back to what is stored. Its session is over; a new one must start.
  private async reopen(): Promise<void> {
    this.core_.close();
    this.has_session_ = false;
    this.synced_ = false;
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
    ops: chunks.map((chunk) => chunk.ops),
  });
  const unsent = chunks.reduce((sum, chunk) => sum + chunk.pending, 0);
  return { core, stored, chunk_count: chunks.length, unsent };
}

function text_of(card: Card, child: OpId | undefined): string | null {
  if (child === undefined) return card.description;
  for (const checklist of card.checklists) {
    const item = checklist.items.find((candidate) => candidate.id === child);
    if (item !== undefined) return item.text;
  }
  return null;
}
