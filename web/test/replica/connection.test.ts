// SPDX-License-Identifier: Apache-2.0
import { decode_cbor, encode_cbor, type CborMap } from '@kalends/core';
import { beforeEach, expect, test } from 'vitest';
import { Connection, type SocketEvents } from '../../src/replica/connection';
import { kAnna, kBen } from '../support/browser';

interface FakeSocket {
  events: SocketEvents;
  sent: CborMap[];
  is_closed: boolean;
}

let sockets: FakeSocket[];
let timers: { delay_ms: number; then: () => void }[];
let heard: string[];
let connection: Connection;

beforeEach(() => {
  sockets = [];
  timers = [];
  heard = [];
  connection = new Connection(
    {
      connect: (events) => {
        const socket: FakeSocket = { events, sent: [], is_closed: false };
        sockets.push(socket);
        return {
          send: (frame) => socket.sent.push(decode_cbor(frame) as CborMap),
          close: () => {
            socket.is_closed = true;
          },
        };
      },
      schedule: (delay_ms, then) => {
        const timer = { delay_ms, then };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      now_ms: () => 1000,
      random: () => 1,
    },
    kAnna,
    {
      online: () => heard.push('online'),
      received: (document) => heard.push(`received ${document}`),
      document_refused: (document, code) => heard.push(`refused ${document} ${code}`),
      state_changed: () => undefined,
    },
  );
});

const hello = (member = kAnna.member): Uint8Array =>
  encode_cbor({ t: 'hello', member, workspace: kAnna.workspace, workspace_document: kAnna.workspace_document, epoch: 1 });
const say = (frame: Uint8Array): void => sockets.at(-1)!.events.received(frame);

function go_online(): void {
  connection.sign_in('secret');
  sockets.at(-1)!.events.opened();
  say(hello());
}

test('signs in before anything else and carries messages afterwards', () => {
  go_online();
  connection.send('d1', [new Uint8Array([1])]);
  expect(sockets[0]!.sent).toEqual([
    { t: 'auth', token: 'secret' },
    { d: 'd1', m: new Uint8Array([1]) },
  ]);
  say(encode_cbor({ d: 'd2', m: new Uint8Array([2]) }));
  expect(heard).toEqual(['online', 'received d2']);
  expect(connection.state).toEqual({ is: 'online' });
});
test('waits longer after each failure, up to half a minute', () => {
  connection.sign_in('secret');
  const delays: number[] = [];
  for (let round = 0; round < 9; ++round) {
    sockets.at(-1)!.events.closed();
    const timer = timers.pop()!;
    delays.push(timer.delay_ms);
    timer.then();
  }
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});
test('starts the waits anew after a success', () => {
  connection.sign_in('secret');
  sockets.at(-1)!.events.closed();
  timers.pop()!.then();
  sockets.at(-1)!.events.opened();
  say(hello());
  sockets.at(-1)!.events.closed();
  expect(timers.map((timer) => timer.delay_ms)).toEqual([500]);
});
test('gives up on a server that does not say hello', () => {
  connection.sign_in('secret');
  sockets[0]!.events.opened();
  timers.pop()!.then();
  expect(connection.state).toEqual({ is: 'offline', retry_at_ms: 1500 });
  expect(sockets[0]!.is_closed).toBe(true);
});
test('does not try while there is no network, and at once when there is', () => {
  go_online();
  connection.set_network(false);
  expect(connection.state).toEqual({ is: 'offline', retry_at_ms: null });
  expect(timers).toEqual([]);
  connection.connect_now();
  expect(sockets).toHaveLength(1);
  connection.set_network(true);
  expect(sockets).toHaveLength(2);
});
test('passes over what a dropped socket still says', () => {
  go_online();
  const old = sockets[0]!;
  connection.set_network(false);
  connection.set_network(true);
  old.events.received(encode_cbor({ d: 'd1', m: new Uint8Array([1]) }));
  old.events.closed();
  expect(heard).toEqual(['online']);
  expect(connection.state).toEqual({ is: 'connecting' });
});
test('stops when the token is refused, until a person asks again', () => {
  connection.sign_in('secret');
  say(encode_cbor({ t: 'error', code: 'unauthenticated', message: 'This token was revoked.' }));
  expect(connection.state).toEqual({ is: 'refused', message: 'This token was revoked.' });
  expect(timers).toEqual([]);
  connection.connect_now();
  expect(connection.state).toEqual({ is: 'connecting' });
});
test('never mixes two members', () => {
  connection.sign_in('secret');
  say(hello(kBen.member));
  expect(connection.state.is).toBe('refused');
  expect(heard).toEqual([]);
});
test('a server that needs newer software stops it for good', () => {
  connection.sign_in('secret');
  say(encode_cbor({ t: 'error', code: 'unsupported_version', message: 'Reload.' }));
  expect(connection.state).toEqual({ is: 'outdated', message: 'Reload.' });
  connection.connect_now();
  expect(sockets).toHaveLength(1);
});
test('goes on when the server refuses one document', () => {
  go_online();
  say(encode_cbor({ t: 'error', code: 'not_found', message: 'No such board.', retry_after_ms: 0, d: 'd1' }));
  expect(heard).toEqual(['online', 'refused d1 not_found']);
  expect(connection.state).toEqual({ is: 'online' });
});
test('starts over when the server could not store something', () => {
  go_online();
  say(encode_cbor({ t: 'error', code: 'unavailable', message: 'Not now.', retry_after_ms: 1000, d: 'd1' }));
  expect(connection.state.is).toBe('offline');
});
test('starts over after bytes that make no sense', () => {
  go_online();
  say(new Uint8Array([0xff]));
  expect(connection.state.is).toBe('offline');
  expect(sockets[0]!.is_closed).toBe(true);
});
