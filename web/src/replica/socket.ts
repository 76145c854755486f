// SPDX-License-Identifier: Apache-2.0
// The browser's WebSocket as the connection's Socket: binary frames, one "closed" however it ended.
import type { Socket, SocketEvents } from './connection';

// `server`: the address of the page's server, e.g. "https://example.org/".
export function open_socket(server: string, events: SocketEvents): Socket {
  const address = new URL('v1/live', server);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', () => events.opened());
  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    // Text frames are not part of the protocol; an empty message makes the connection start over.
    const { data } = event;
    events.received(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array());
  });
  socket.addEventListener('close', () => events.closed());
  return {
    send: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
    close: () => socket.close(),
  };
}
