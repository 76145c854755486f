// SPDX-License-Identifier: Apache-2.0
// The worker that every page starts. One of them at a time holds the account's lock and runs the replica for all
// pages; the others wait for the lock, so that another takes over when the first page is closed.
import { load_page_core } from '../core/load';
import { make_id } from '../core/make_id';
import { account_key, type Account, type ChannelMessage, type ReplicaMessage } from './messages';
import { Replica } from './replica';
import { open_socket } from './socket';
import { Storage } from './storage';

// What the page says to its own worker, and is told by it. Everything else goes over the broadcast channel.
export type WorkerOrder = { kind: 'start'; account: Account; server: string };
export type WorkerReport = { kind: 'failed'; message: string };

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.addEventListener('message', (event: MessageEvent<WorkerOrder>) => {
  const { account, server } = event.data;
  hold_and_run(account_key(account), account, server).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ kind: 'failed', message } satisfies WorkerReport);
    // Not a moment longer than it is of use: the lock is free for another page's worker.
    scope.close();
  });
});

async function hold_and_run(key: string, account: Account, server: string): Promise<void> {
  if (navigator.locks === undefined) {
    throw new Error('This browser gives a page its storage only over https, or from this machine itself.');
  }
  await navigator.locks.request(key, () => run(key, account, server));
}

// Rejects when the replica cannot run any longer; until then the lock is held.
async function run(key: string, account: Account, server: string): Promise<never> {
  const [core, storage] = await Promise.all([load_page_core(), Storage.open(key)]);
  const channel = new BroadcastChannel(key);
  const post = (message: ReplicaMessage): void =>
    channel.postMessage({ to: 'pages', message } satisfies ChannelMessage);
  let broke: (message: string) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    broke = (message) => reject(new Error(message));
  });
  const replica = await Replica.start(
    {
      core,
      storage,
      post,
      make_id,
      broke,
      connect: (events) => open_socket(server, events),
      schedule: (delay_ms, then) => {
        const timer = setTimeout(then, delay_ms);
        return () => clearTimeout(timer);
      },
      now_ms: () => Date.now(),
      random: () => Math.random(),
    },
    account,
  );
  channel.addEventListener('message', (event: MessageEvent<ChannelMessage>) => {
    if (event.data.to === 'replica') replica.receive_from_page(event.data.message);
  });
  return broken;
}
