// SPDX-License-Identifier: Apache-2.0
// The replica of one account in this browser: all its open documents, the connection, and the pages that look on.
// Everything that happens goes through one queue, step after step; between two steps nothing is half done.
import { CoreError, CoreTrap, type Core, type DocumentKind, type Id } from '@kalends/core';
import { Connection, type ConnectionPorts } from './connection';
import { DocumentReplica } from './document_replica';
import type { Account, Outcome, PageMessage, RefusedItem, ReplicaMessage, SyncState } from './messages';
import type { Storage } from './storage';

export interface ReplicaPorts extends ConnectionPorts {
  core: Pick<Core, 'call' | 'memory_bytes'>;
  storage: Storage;
  // Tells all pages.
  post(message: ReplicaMessage): void;
  // 128 random bits as 32 hex digits.
  make_id(): Id;
  // The replica can do nothing more; another one must be started.
  broke(message: string): void;
}

// Boards that stay open in memory. Beyond it the one that was used longest ago is closed; it is opened again from the
// database when somebody looks at it.
const kOpenDocumentsMax = 24;

export class Replica {
  // In the order of their last use.
  private readonly documents_ = new Map<Id, DocumentReplica>();
  private readonly connection_: Connection;
  // Documents whose session was started on this connection.
  private readonly started_ = new Set<Id>();
  private queue_: Promise<void> = Promise.resolve();
  private last_sync_ = '';

  private constructor(
    private readonly ports_: ReplicaPorts,
    private readonly account_: Account,
    private readonly leader_: string,
  ) {
    this.connection_ = new Connection(ports_, account_, {
      online: () => {
        this.started_.clear();
        this.enqueue(() => this.start_sessions());
      },
      received: (document, message) => this.enqueue(() => this.receive(document, message)),
      document_refused: (document, code, message) =>
        this.enqueue(() => {
          this.documents_.get(document)?.refuse({ code, message });
          this.post_sync();
        }),
      state_changed: () => this.enqueue(() => this.post_sync()),
    });
  }

  // Ensures: the workspace and every document with unsent edits are open.
  static async start(ports: ReplicaPorts, account: Account): Promise<Replica> {
    const replica = new Replica(ports, account, ports.make_id());
    await replica.document(account.workspace_document, 'workspace');
    for (const stored of await ports.storage.pending_documents()) await replica.document(stored.document, stored.kind);
    ports.post({ kind: 'ready', leader: replica.leader_ });
    return replica;
  }

  receive_from_page(message: PageMessage): void {
    switch (message.kind) {
      case 'hello':
        this.connection_.set_network(message.online);
        this.connection_.sign_in(message.token);
        this.enqueue(async () => {
          this.post_sync('always');
          await this.post_tray();
        });
        return;
      case 'network':
        return this.connection_.set_network(message.online);
      case 'connect_now':
        return this.connection_.connect_now();
      case 'watch':
        return this.enqueue(() => this.watch(message.document, message.document_kind));
      case 'edit':
        return this.answer(message, () => this.edit(message));
      case 'inspect':
        return this.answer(message, async () => {
          const document = await this.document(message.document, message.document_kind);
          const inspection = { hash: document.hash(), memory_bytes: this.ports_.core.memory_bytes() };
          return { kind: 'inspected', inspection };
        });
      case 'dismiss_tray':
        return this.enqueue(async () => {
          await this.ports_.storage.dismiss(message.op);
          await this.post_tray();
        });
    }
  }

  // Resolves when everything that was asked for so far is done.
  settled(): Promise<void> {
    return this.queue_;
  }

  private async watch(id: Id, kind: DocumentKind): Promise<void> {
    const document = await this.document(id, kind);
    const change = document.whole_view();
    this.ports_.post({
      kind: 'view',
      leader: this.leader_,
      document: id,
      revision: document.revision,
      base: null,
      change,
    });
    this.post_sync();
  }

  private async edit(message: Extract<PageMessage, { kind: 'edit' }>): Promise<Outcome> {
    const known = await this.ports_.storage.answered(message.request);
    if (known !== null) return { kind: 'edited', created: known };
    const document = await this.document(message.document, message.document_kind);
    let created;
    try {
      created = await document.edit(message.request, message.commands);
    } catch (error) {
      // The database did not take it: the document was opened anew, and its session starts anew.
      if (!(error instanceof CoreError)) this.connection_.fail();
      throw error;
    }
    this.post_change(document);
    if (this.connection_.state.is === 'online') this.connection_.send(document.id, document.edited());
    this.post_sync();
    return { kind: 'edited', created };
  }

  private async document(id: Id, kind: DocumentKind): Promise<DocumentReplica> {
    const open = this.documents_.get(id);
    if (open !== undefined) {
      this.documents_.delete(id);
      this.documents_.set(id, open);
      return open;
    }
    this.close_idle_documents();
    const replica = await this.ports_.storage.replica_id(id, this.ports_.make_id);
    const identity = { replica, author: this.account_.member };
    const document = await DocumentReplica.open(this.ports_, identity, id, kind);
    this.documents_.set(id, document);
    this.start_session(document);
    return document;
  }

  private close_idle_documents(): void {
    for (const document of this.documents_.values()) {
      if (this.documents_.size < kOpenDocumentsMax) return;
      if (document.kind === 'workspace' || document.unsent > 0) continue;
      this.documents_.delete(document.id);
      if (this.started_.delete(document.id)) this.connection_.send(document.id, document.end_session());
      document.close();
      this.ports_.post({ kind: 'closed', leader: this.leader_, document: document.id });
    }
  }

  private start_sessions(): void {
    for (const document of this.documents_.values()) this.start_session(document);
    this.post_sync();
  }

  private start_session(document: DocumentReplica): void {
    if (this.connection_.state.is !== 'online' || this.started_.has(document.id)) return;
    this.started_.add(document.id);
    this.connection_.send(document.id, document.start_session());
  }

  private async receive(id: Id, message: Uint8Array): Promise<void> {
    const document = this.documents_.get(id);
    if (document === undefined) return;
    try {
      const { send, tray, reload } = await document.receive(message);
      this.connection_.send(id, send);
      this.post_change(document);
      if (tray.length > 0) await this.post_tray();
      if (reload !== null) this.connection_.stop({ is: 'outdated', message: reload });
    } catch (error) {
      if (error instanceof CoreTrap) throw error;
      // A message that core cannot take, or a database that is full: what is stored is whole, so start over.
      console.warn('kalends: a message from the server could not be taken', code_of(error));
      this.connection_.fail();
    }
    this.post_sync();
  }

  private answer(
    { page, request }: { page: string; request: string },
    step: () => Promise<Outcome>,
  ): void {
    this.enqueue(async () => {
      let outcome: Outcome;
      try {
        outcome = await step();
      } catch (error) {
        outcome = { kind: 'failed', code: code_of(error), message: message_of(error) };
        if (error instanceof CoreTrap) this.break_down(error);
      }
      this.ports_.post({ kind: 'answer', page, request, outcome });
    });
  }

  private post_change(document: DocumentReplica): void {
    const taken = document.take_change();
    if (taken === null) return;
    this.ports_.post({ kind: 'view', leader: this.leader_, document: document.id, ...taken });
  }

  private post_sync(when: 'changed' | 'always' = 'changed'): void {
    const documents = [...this.documents_.values()];
    const is_online = this.connection_.state.is === 'online';
    const state: SyncState = {
      connection: this.connection_.state,
      unsent: documents.reduce((sum, document) => sum + document.unsent, 0),
      catching_up: is_online ? documents.filter((document) => !document.is_synced && !document.refusal).length : 0,
      refused_documents: documents.flatMap(({ id, refusal }) => (refusal === null ? [] : [{ document: id, ...refusal }])),
    };
    const text = JSON.stringify(state);
    if (when === 'changed' && text === this.last_sync_) return;
    this.last_sync_ = text;
    this.ports_.post({ kind: 'sync', leader: this.leader_, state });
  }

  private async post_tray(): Promise<void> {
    const items: RefusedItem[] = await this.ports_.storage.tray();
    this.ports_.post({ kind: 'tray', leader: this.leader_, items });
  }

  private enqueue(step: () => void | Promise<void>): void {
    this.queue_ = this.queue_.then(step).catch((error: unknown) => this.break_down(error));
  }

  // Core is gone or the database is: nothing that is not stored was shown, so a reload loses nothing.
  private break_down(error: unknown): void {
    console.error('kalends: the replica has stopped', error);
    if (this.connection_.state.is === 'broken') return;
    this.connection_.stop({ is: 'broken', message: message_of(error) });
    this.post_sync();
    this.ports_.broke(message_of(error));
  }
}

function code_of(error: unknown): string {
  return error instanceof CoreError ? error.code : error instanceof CoreTrap ? 'corrupt' : 'unavailable';
}

function message_of(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
