// SPDX-License-Identifier: Apache-2.0
// A page's end of the replica: starts the page's worker, asks, and keeps the latest views for the screen. Whoever
// runs the replica may go at any time; what is unanswered is then asked again, and an edit is still made only once.
import type { DocumentKind, Id, OpId } from '@kalends/core';
import { make_id } from '../core/make_id';
import {
  account_key,
  type Account,
  type ChannelMessage,
  type Inspection,
  type Outcome,
  type PageCommand,
  type PageMessage,
  type RefusedItem,
  type ReplicaMessage,
  type SyncState,
} from './messages';
import { apply_view_change, type View } from './view_change';

// The two ways to the replica, so that a test can stand in for the browser's.
export interface ClientPorts {
  send(message: PageMessage): void;
  is_online(): boolean;
}

export class EditRefused extends Error {
  override name = 'EditRefused';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Watched {
  kind: DocumentKind;
  view: View | null;
  revision: number;
  watchers: number;
}
interface Waiting {
  message: PageMessage;
  settle(outcome: Outcome): void;
}

const kInitialSync: SyncState = { connection: { is: 'connecting' }, unsent: 0, catching_up: 0, refused_documents: [] };

export class ReplicaClient {
  private readonly page_ = make_id();
  private readonly watched_ = new Map<Id, Watched>();
  private readonly waiting_ = new Map<string, Waiting>();
  private readonly listeners_ = new Set<() => void>();
  private leader_ = '';
  private sync_ = kInitialSync;
  private tray_: readonly RefusedItem[] = [];

  constructor(
    private readonly ports_: ClientPorts,
    private readonly token_: string,
  ) {}

  // Calls `listener` after every change of what the getters below give.
  subscribe(listener: () => void): () => void {
    this.listeners_.add(listener);
    return () => this.listeners_.delete(listener);
  }

  get sync(): SyncState {
    return this.sync_;
  }
  get tray(): readonly RefusedItem[] {
    return this.tray_;
  }
  // Null until the replica has told.
  view(document: Id): View | null {
    return this.watched_.get(document)?.view ?? null;
  }

  start(): void {
    this.say_hello();
  }

  // Keeps the document's view up to date until the function that it gives is called.
  watch(document: Id, kind: DocumentKind): () => void {
    let watched = this.watched_.get(document);
    if (watched === undefined) {
      watched = { kind, view: null, revision: 0, watchers: 0 };
      this.watched_.set(document, watched);
      this.ports_.send({ kind: 'watch', page: this.page_, document, document_kind: kind });
    }
    watched.watchers += 1;
    return () => {
      watched.watchers -= 1;
      if (watched.watchers === 0) this.watched_.delete(document);
    };
  }

  // All commands in one transaction. Resolves when they are stored; gives the id made for each command, or null.
  // Rejects with EditRefused.
  async edit(document: Id, kind: DocumentKind, commands: PageCommand[]): Promise<readonly (Id | OpId | null)[]> {
    const request = make_id();
    const outcome = await this.ask(request, {
      kind: 'edit',
      page: this.page_,
      request,
      document,
      document_kind: kind,
      commands,
    });
    return outcome.kind === 'edited' ? outcome.created : [];
  }

  async inspect(document: Id, kind: DocumentKind): Promise<Inspection | null> {
    const request = make_id();
    const outcome = await this.ask(request, {
      kind: 'inspect',
      page: this.page_,
      request,
      document,
      document_kind: kind,
    });
    return outcome.kind === 'inspected' ? outcome.inspection : null;
  }

  dismiss_tray(op: OpId): void {
    this.ports_.send({ kind: 'dismiss_tray', page: this.page_, op });
  }

  connect_now(): void {
    this.ports_.send({ kind: 'connect_now', page: this.page_ });
  }

  network_changed(): void {
    this.ports_.send({ kind: 'network', page: this.page_, online: this.ports_.is_online() });
  }

  // The page's own worker could not run the replica.
  worker_failed(message: string): void {
    this.sync_ = { ...this.sync_, connection: { is: 'broken', message } };
    this.notify();
  }

  receive(message: ReplicaMessage): void {
    switch (message.kind) {
      case 'ready':
        this.leader_ = message.leader;
        return this.say_hello();
      case 'answer':
        if (message.page === this.page_) this.answered(message.request, message.outcome);
        return;
      case 'view':
        return this.view_changed(message);
      case 'closed':
        return this.watch_again(message.document);
      case 'sync':
        this.leader_ = message.leader;
        this.sync_ = message.state;
        return this.notify();
      case 'tray':
        this.tray_ = message.items;
        return this.notify();
    }
  }

  private ask(request: string, message: PageMessage): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.kind === 'failed') reject(new EditRefused(outcome.code, outcome.message));
        else resolve(outcome);
      };
      this.waiting_.set(request, { message, settle });
      this.ports_.send(message);
    });
  }

  private answered(request: string, outcome: Outcome): void {
    const waiting = this.waiting_.get(request);
    this.waiting_.delete(request);
    waiting?.settle(outcome);
  }

  private view_changed({ leader, document, revision, base, change }: Extract<ReplicaMessage, { kind: 'view' }>): void {
    const watched = this.watched_.get(document);
    if (watched === undefined) return;
    if (base === null) {
      watched.view = apply_view_change(null, change);
    } else if (leader === this.leader_ && watched.view !== null && base === watched.revision) {
      watched.view = apply_view_change(watched.view, change);
    } else {
      // Something was missed, for example by a new leader's start: the whole view will do.
      return this.watch_again(document);
    }
    this.leader_ = leader;
    watched.revision = revision;
    this.notify();
  }

  private watch_again(document: Id): void {
    const watched = this.watched_.get(document);
    if (watched === undefined) return;
    this.ports_.send({ kind: 'watch', page: this.page_, document, document_kind: watched.kind });
  }

  private say_hello(): void {
    this.ports_.send({ kind: 'hello', page: this.page_, token: this.token_, online: this.ports_.is_online() });
    for (const document of this.watched_.keys()) this.watch_again(document);
    for (const { message } of this.waiting_.values()) this.ports_.send(message);
  }

  private notify(): void {
    for (const listener of this.listeners_) listener();
  }
}

// The client of this page, with its worker and the channel of the account.
export function start_client(account: Account, token: string): ReplicaClient {
  const key = account_key(account);
  const channel = new BroadcastChannel(key);
  const worker = new Worker(new URL('./replica_worker.ts', import.meta.url), { type: 'module', name: 'replica' });
  const client = new ReplicaClient(
    {
      send: (message) => channel.postMessage({ to: 'replica', message } satisfies ChannelMessage),
      is_online: () => navigator.onLine,
    },
    token,
  );
  channel.addEventListener('message', (event: MessageEvent<ChannelMessage>) => {
    if (event.data.to === 'pages') client.receive(event.data.message);
  });
  worker.addEventListener('message', (event: MessageEvent<{ kind: 'failed'; message: string }>) =>
    client.worker_failed(event.data.message),
  );
  worker.addEventListener('error', (event) => client.worker_failed(event.message || 'The worker could not start.'));
  addEventListener('online', () => client.network_changed());
  addEventListener('offline', () => client.network_changed());
  worker.postMessage({ kind: 'start', account, server: new URL('./', location.href).href });
  client.start();
  return client;
}
