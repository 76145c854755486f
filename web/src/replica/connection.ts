// SPDX-License-Identifier: Apache-2.0
// The line to the server: one WebSocket that comes back by itself. It signs in, carries the session messages of all
// documents, and says in which state it is. It knows nothing of what the messages mean.
import { decode_cbor, encode_cbor, type CborMap, type Id } from '@kalends/core';
import type { Account, ConnectionState } from './messages';

export interface Socket {
  send(bytes: Uint8Array): void;
  close(): void;
}
export interface SocketEvents {
  opened(): void;
  received(bytes: Uint8Array): void;
  closed(): void;
}
export interface ConnectionPorts {
  connect(events: SocketEvents): Socket;
  // Calls `then` after `delay_ms`; the answer cancels it.
  schedule(delay_ms: number, then: () => void): () => void;
  now_ms(): number;
  // Between 0 and 1.
  random(): number;
}
export interface ConnectionEvents {
  // Signed in: sessions can start.
  online(): void;
  received(document: Id, message: Uint8Array): void;
  // The server will not speak about this document; the others go on.
  document_refused(document: Id, code: string, message: string): void;
  state_changed(): void;
}

// The first retry comes at once enough not to be noticed, the last often enough to be there when a server is back.
const kBackoffFirstMs = 500;
const kBackoffMaxMs = 30_000;
// A server that has not said hello by then is not there.
const kHelloTimeoutMs = 15_000;

export class Connection {
  private state_: ConnectionState = { is: 'offline', retry_at_ms: null };
  private socket_: Socket | null = null;
  private token_: string | null = null;
  private has_network_ = true;
  private failures_ = 0;
  private cancel_timer_: () => void = () => undefined;

  constructor(
    private readonly ports_: ConnectionPorts,
    private readonly account_: Account,
    private readonly events_: ConnectionEvents,
  ) {}

  get state(): ConnectionState {
    return this.state_;
  }

  sign_in(token: string): void {
    if (token === this.token_) return;
    this.token_ = token;
    this.failures_ = 0;
    this.reconnect();
  }

  set_network(online: boolean): void {
    if (online === this.has_network_) return;
    this.has_network_ = online;
    if (online) {
      this.failures_ = 0;
      this.reconnect();
    } else {
      this.drop();
      this.enter({ is: 'offline', retry_at_ms: null });
    }
  }

  connect_now(): void {
    if (this.state_.is !== 'offline' && this.state_.is !== 'refused') return;
    this.reconnect();
  }

  // Messages while not online are left out: a session starts anew on every connection and finds what is missing.
  send(document: Id, messages: readonly Uint8Array[]): void {
    if (this.state_.is !== 'online' || this.socket_ === null) return;
    for (const message of messages) this.socket_.send(encode_cbor({ d: document, m: message }));
  }

  // Something was wrong with what the other side said: start over, later.
  fail(): void {
    if (this.socket_ === null) return;
    this.drop();
    this.retry_later();
  }

  stop(state: Extract<ConnectionState, { is: 'outdated' | 'broken' | 'refused' }>): void {
    this.drop();
    this.enter(state);
  }

  private reconnect(): void {
    if (this.token_ === null || !this.has_network_) return;
    if (this.state_.is === 'outdated' || this.state_.is === 'broken') return;
    this.drop();
    this.enter({ is: 'connecting' });
    const token = this.token_;
    // Events of a socket that was dropped meanwhile are not ours any more.
    const is_current = (): boolean => this.socket_ === socket;
    const socket: Socket = this.ports_.connect({
      opened: () => {
        if (is_current()) socket.send(encode_cbor({ t: 'auth', token }));
      },
      received: (bytes) => {
        if (is_current()) this.received(bytes);
      },
      closed: () => {
        if (is_current()) this.fail();
      },
    });
    this.socket_ = socket;
    this.cancel_timer_ = this.ports_.schedule(kHelloTimeoutMs, () => this.fail());
  }

  private received(bytes: Uint8Array): void {
    let frame: CborMap;
    try {
      frame = decode_cbor(bytes) as CborMap;
    } catch {
      return this.fail();
    }
    if (frame['t'] === 'hello') return this.said_hello(frame);
    if (frame['t'] === 'error') return this.said_error(frame);
    if (typeof frame['d'] === 'string' && frame['m'] instanceof Uint8Array && this.state_.is === 'online') {
      this.events_.received(frame['d'], frame['m']);
    }
  }

  private said_hello(hello: CborMap): void {
    const { member, workspace } = this.account_;
    if (hello['member'] !== member || hello['workspace'] !== workspace) {
      return this.stop({ is: 'refused', message: 'This token belongs to another member. Sign in again.' });
    }
    this.cancel_timer_();
    this.failures_ = 0;
    this.enter({ is: 'online' });
    this.events_.online();
  }

  private said_error(error: CborMap): void {
    const [code, message] = [String(error['code']), String(error['message'])];
    // These pass: what failed now may work on the next connection.
    if (['unavailable', 'rate_limited', 'conflict', 'cancelled'].includes(code)) return this.fail();
    if (typeof error['d'] === 'string') return this.events_.document_refused(error['d'], code, message);
    if (code === 'unauthenticated' || code === 'forbidden') this.stop({ is: 'refused', message });
    else if (code === 'unsupported_version') this.stop({ is: 'outdated', message });
    else this.fail();
  }

  private retry_later(): void {
    const bound = Math.min(kBackoffMaxMs, kBackoffFirstMs * 2 ** this.failures_);
    this.failures_ += 1;
    // Half fixed, half by chance: pages that lost one server do not come back in step.
    const delay_ms = Math.round(bound / 2 + (bound / 2) * this.ports_.random());
    if (!this.has_network_) return this.enter({ is: 'offline', retry_at_ms: null });
    this.cancel_timer_ = this.ports_.schedule(delay_ms, () => this.reconnect());
    this.enter({ is: 'offline', retry_at_ms: this.ports_.now_ms() + delay_ms });
  }

  private drop(): void {
    this.cancel_timer_();
    const socket = this.socket_;
    this.socket_ = null;
    socket?.close();
  }

  private enter(state: ConnectionState): void {
    this.state_ = state;
    this.events_.state_changed();
  }
}
