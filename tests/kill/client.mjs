// SPDX-License-Identifier: Apache-2.0
// A person's copy of a board: core.wasm, and the live socket as docs/protocol.md describes it. It remembers what the hub
// has acknowledged, and says so when a later hub knows less.
//
// Needs a WebSocket in Node: `node --experimental-websocket` before Node 22.
import { readFileSync } from 'node:fs';
import { Core as CoreModule } from '../differential/replay.mjs';
import { decode, encode } from './cbor.mjs';

const module_of = (() => {
  let compiled;
  return () => (compiled ??= new WebAssembly.Module(readFileSync(process.env.KALENDS_CORE_WASM ?? 'build/wasm/core.wasm')));
})();

// core.wasm with values for bytes; a refusal is thrown.
export class Core {
  module = new CoreModule(module_of());
  call(call, request) {
    const answer = decode(this.module.call(encode({ call, ...request })));
    if (answer.error) throw Object.assign(new Error(`${call}: ${answer.error.message}`), { code: answer.error.code });
    return answer.ok;
  }
}

const kReconnectMs = 8;

export class Client {
  acknowledged = 0; // own operations
  is_synced = false;
  is_open = false;
  cursor = { epoch: 0, seq: 0 };
  violations = [];
  tray = [];

  constructor({ url, token, board, member, replica }) {
    Object.assign(this, { url, token, board, replica });
    this.core = new Core();
    ({ handle: this.handle } = this.core.call('open', { document: board, kind: 'board', replica, author: member }));
    this.connect();
  }
  call(call, request = {}) {
    return this.core.call(call, { handle: this.handle, ...request });
  }
  connect() {
    if (this.is_over) return;
    const socket = new WebSocket(`${this.url.replace(/^http/, 'ws')}/v1/live`);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    let is_ended = false;
    const end = () => {
      if (is_ended) return;
      is_ended = true;
      this.is_open = this.is_synced = false;
      this.timer = setTimeout(() => this.connect(), kReconnectMs);
    };
    socket.onopen = () => socket.send(encode({ t: 'auth', token: this.token }));
    socket.onclose = end;
    socket.onerror = end;
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket || this.is_over) return;
      this.receive(decode(new Uint8Array(data)));
    };
  }
  send(messages) {
    for (const m of messages) this.socket.send(encode({ d: this.board, m }));
  }
  receive(frame) {
    if (frame.t === 'hello') return this.send(this.call('session_start', this.cursor).send);
    if (frame.t === 'error') return this.socket.close(); // the hub lost its copy, or is busy: connect again
    const message = decode(frame.m);
    if (message.t === 'welcome') {
      this.is_open = true;
      if (message.have < this.acknowledged && !this.allows_loss) this.violations.push(`copy ${this.replica}: ${this.acknowledged} operations were acknowledged, after a restart the hub has ${message.have}`);
    }
    if (message.t === 'refused') this.violations.push(`copy ${this.replica}: ${message.op} was refused (${message.message})`);
    const received = this.call('session_receive', { now_ms: Date.now(), message: frame.m });
    this.cursor = received.cursor;
    this.acknowledged = Math.max(this.acknowledged, received.acked);
    this.is_synced = received.synced && this.is_open;
    this.send(received.send);
  }
  // Own edit, shown at once and pushed when the hub is there.
  edit(commands) {
    this.call('edit', { now_ms: Date.now(), commands });
    this.is_synced = false;
    if (this.is_open && this.socket.readyState === WebSocket.OPEN) this.send(this.call('session_edited').send);
  }
  card(entity) {
    try {
      return this.call('card', { entity });
    } catch (error) {
      if (error.code === 'not_found') return null;
      throw error;
    }
  }
  hash() {
    return this.call('hash');
  }
  // No network for a while.
  pause() {
    this.is_over = true;
    clearTimeout(this.timer);
    this.socket.close();
    this.is_synced = this.is_open = false;
  }
  resume() {
    this.is_over = false;
    this.connect();
  }
  end() {
    this.is_over = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
