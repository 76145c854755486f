// SPDX-License-Identifier: Apache-2.0
// A server for tests of the page: the hub's side of the session protocol in memory, on top of the same core.
import { CoreDocument, decode_cbor, encode_cbor, type CborMap, type Core, type DocumentKind, type Id } from '@kalends/core';

export interface HubAccount {
  member: Id;
  workspace: Id;
  workspace_document: Id;
}
export interface HubLine {
  receive(frame: Uint8Array): void;
  close(): void;
}

interface HubDocument {
  core: CoreDocument;
  chunks: Uint8Array[];
  watchers: Map<Line, { seq: number; replica: Id }>;
}

interface Line {
  account: HubAccount | null;
  send(frame: Uint8Array): void;
}

const kHubReplica = 'f'.repeat(32);

export class Hub {
  epoch = 1;
  // Operations that the hub refuses: by the document, with the reason.
  refuse: ((document: Id, ops: Uint8Array) => { code: string; message: string } | null) | null = null;
  // Documents that are not there, whatever is asked.
  readonly missing = new Set<Id>();
  private readonly documents_ = new Map<Id, HubDocument>();

  constructor(
    private readonly core_: Core,
    private readonly accounts_: ReadonlyMap<string, HubAccount>,
    private readonly now_ms_: () => number,
  ) {}

  connect(send: (frame: Uint8Array) => void): HubLine {
    const line: Line = { account: null, send };
    return {
      receive: (frame) => this.receive(line, decode_cbor(frame) as CborMap),
      close: () => this.documents_.forEach((document) => document.watchers.delete(line)),
    };
  }

  watchers(document: Id): number {
    return this.documents_.get(document)?.watchers.size ?? 0;
  }

  hash(document: Id): string {
    return this.documents_.get(document)!.core.hash();
  }

  // Operations that did not come over a line, for example of the calendar.
  append(document: Id, kind: DocumentKind, ops: Uint8Array): void {
    this.take(this.document(document, kind), ops);
  }

  document(id: Id, kind: DocumentKind): HubDocument {
    const known = this.documents_.get(id);
    if (known !== undefined) return known;
    const core = this.open(id, kind);
    const document = { core, chunks: [], watchers: new Map() };
    this.documents_.set(id, document);
    return document;
  }

  private open(document: Id, kind: DocumentKind, snapshot?: Uint8Array): CoreDocument {
    const own = { document, kind, replica: kHubReplica, author: kHubReplica };
    return CoreDocument.open(this.core_, snapshot === undefined ? own : { ...own, snapshot });
  }

  private receive(line: Line, frame: CborMap): void {
    if (frame['t'] === 'auth') {
      line.account = this.accounts_.get(String(frame['token'])) ?? null;
      if (line.account === null) {
        line.send(encode_cbor({ t: 'error', code: 'unauthenticated', message: 'This token is not known.' }));
      } else {
        line.send(encode_cbor({ t: 'hello', ...line.account, epoch: this.epoch }));
      }
      return;
    }
    if (line.account === null) return;
    const id = String(frame['d']);
    if (this.missing.has(id)) {
      return line.send(encode_cbor({ t: 'error', code: 'not_found', message: 'There is no such board.', retry_after_ms: 0, d: id }));
    }
    const kind = id === line.account.workspace_document ? 'workspace' : 'board';
    this.session_message(line, id, this.document(id, kind), decode_cbor(frame['m'] as Uint8Array) as CborMap);
  }

  private session_message(line: Line, id: Id, document: HubDocument, message: CborMap): void {
    const say = (to: Line, answer: CborMap): void => to.send(encode_cbor({ d: id, m: encode_cbor(answer) }));
    if (message['t'] === 'hello') {
      const seq = message['epoch'] === this.epoch ? Number(message['seq']) : 0;
      const have = versions(document.core.version()).get(String(message['replica'])) ?? 0;
      document.watchers.set(line, { seq, replica: String(message['replica']) });
      // What the client lacks comes before the welcome, so that it pushes on top of it.
      this.tell(id, document);
      say(line, { t: 'welcome', epoch: this.epoch, head: document.chunks.length, have });
    } else if (message['t'] === 'bye') {
      document.watchers.delete(line);
    } else if (message['t'] === 'push') {
      const ops = message['ops'] as Uint8Array;
      const refusal = this.refuse?.(id, ops) ?? null;
      const replica = document.watchers.get(line)!.replica;
      const last = this.last_of(document, replica, ops);
      if (refusal !== null) return say(line, { t: 'refused', op: `${replica}:${last}`, ...refusal });
      this.take(document, ops);
      say(line, { t: 'ack', counter: last });
      this.tell(id, document);
    }
  }

  // The counter of the last operation of a push, which holds those of one replica without gaps: what a copy counts that
  // took it.
  private last_of(document: HubDocument, replica: Id, ops: Uint8Array): number {
    const copy = this.open(document.core.id, document.core.kind, document.core.snapshot());
    copy.merge(this.now_ms_(), ops);
    const last = versions(copy.version()).get(replica)!;
    copy.close();
    return last;
  }

  private take(document: HubDocument, ops: Uint8Array): void {
    if (document.core.merge(this.now_ms_(), ops).news) document.chunks.push(ops);
    for (const [id, known] of this.documents_) if (known === document) this.tell(id, document);
  }

  private tell(id: Id, document: HubDocument): void {
    for (const [line, watcher] of document.watchers) {
      for (; watcher.seq < document.chunks.length; ++watcher.seq) {
        const ops = document.chunks[watcher.seq]!;
        line.send(encode_cbor({ d: id, m: encode_cbor({ t: 'ops', seq: watcher.seq + 1, ops }) }));
      }
    }
  }
}

export function versions(bytes: Uint8Array): Map<Id, number> {
  const entries = new Map<Id, number>();
  let { value: count, next } = varint(bytes, 1);
  for (; count > 0; --count) {
    const replica = hex(bytes.subarray(next, next + 16));
    const counter = varint(bytes, next + 16);
    entries.set(replica, counter.value);
    next = counter.next;
  }
  return entries;
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next: at };
  }
}

function hex(bytes: Uint8Array): Id {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
