// SPDX-License-Identifier: Apache-2.0
// What a replica needs of a browser, in memory: a database, timers that a test fires, and a line to the test hub.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import type { Core, Id } from '@kalends/core';
import type { Account, ReplicaMessage } from '../../src/replica/messages';
import { Replica } from '../../src/replica/replica';
import { ReplicaClient } from '../../src/replica/replica_client';
import { Storage } from '../../src/replica/storage';
import { real_core } from './core';
import { Hub, type HubLine } from './hub';

export const kWorkspaceDocument = '000000000000000000000000000000aa';
export const kBoard = '000000000000000000000000000000b0';

let id_count = 0;
export const make_id = (): Id => (++id_count).toString(16).padStart(32, '0');

export function account(digit: string, name: string): Account {
  return {
    member: digit.repeat(32),
    name,
    workspace: 'e'.repeat(32),
    workspace_document: kWorkspaceDocument,
    role: 'member',
  };
}
export const kAnna = account('a', 'Anna');
export const kBen = account('b', 'Ben');

export const clock = { now_ms: Date.UTC(2026, 10, 24, 9) };

export async function start_hub(): Promise<Hub> {
  const accounts = new Map([
    ['anna-token', kAnna],
    ['ben-token', kBen],
  ]);
  return new Hub(await real_core(), accounts, () => clock.now_ms);
}

// One browser profile: its database stays when its replica is started anew.
export class Browser {
  readonly database = new IDBFactory();
  has_network = true;
  is_full = false;
  readonly broken: string[] = [];
  replica!: Replica;
  storage!: Storage;
  // What the replica told pages.
  told: ReplicaMessage[] = [];
  readonly clients: ReplicaClient[] = [];
  readonly timers: { delay_ms: number; then: () => void }[] = [];
  private hears_pages_ = false;

  constructor(
    readonly hub: Hub,
    readonly account: Account,
    readonly token: string,
  ) {}

  async start(): Promise<void> {
    globalThis.indexedDB = this.database;
    const storage = await Storage.open('test');
    this.storage = storage;
    const core = await real_core();
    const apply = storage.apply.bind(storage);
    storage.apply = (change) => (this.is_full ? Promise.reject(new Error('the disk is full')) : apply(change));
    this.replica = await Replica.start(this.ports(core, storage), this.account);
    this.hears_pages_ = true;
  }

  // The tab with the replica is closed: what pages say now is heard by nobody.
  stop(): void {
    this.hears_pages_ = false;
    this.line_?.close();
  }

  page(): ReplicaClient {
    const client = new ReplicaClient(
      {
        send: (message) => {
          if (this.hears_pages_) this.replica.receive_from_page(structuredClone(message));
        },
        is_online: () => this.has_network,
      },
      this.token,
    );
    this.clients.push(client);
    client.start();
    return client;
  }

  set_network(online: boolean): void {
    this.has_network = online;
    for (const client of this.clients) client.network_changed();
  }

  // Until nothing is under way any more.
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const told = this.told.length;
      await this.replica.settled();
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.told.length === told ? quiet + 1 : 0;
    }
  }

  private line_: HubLine | null = null;

  private ports(core: Core, storage: Storage): Parameters<typeof Replica.start>[0] {
    return {
      core,
      storage,
      make_id,
      broke: (message) => this.broken.push(message),
      random: () => 0.5,
      now_ms: () => clock.now_ms++,
      post: (message) => {
        this.told.push(message);
        // As the broadcast channel does: copied, and after what is running.
        if (message.kind === 'ready') {
          setImmediate(() => this.clients.forEach((client) => client.receive(message)));
        } else {
          this.clients.forEach((client) => client.receive(structuredClone(message)));
        }
      },
      schedule: (delay_ms, then) => {
        const timer = { delay_ms, then };
        this.timers.push(timer);
        return () => {
          const at = this.timers.indexOf(timer);
          if (at >= 0) this.timers.splice(at, 1);
        };
      },
      connect: (events) => {
        const line = this.hub.connect((frame) => queueMicrotask(() => events.received(frame)));
        this.line_ = line;
        queueMicrotask(() => (this.has_network ? events.opened() : events.closed()));
        return { send: (frame) => line.receive(frame), close: () => line.close() };
      },
    };
  }
}

export async function settle(...browsers: Browser[]): Promise<void> {
  for (let round = 0; round < 3; ++round) for (const browser of browsers) await browser.settle();
}
