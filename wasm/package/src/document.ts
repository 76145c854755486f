// SPDX-License-Identifier: Apache-2.0
// One open document of core, with types. Every call may throw CoreError or CoreTrap (see core.ts).

import type { CborMap, CborValue } from './cbor.js';
import type {
  BoardView,
  Card,
  Command,
  Cursor,
  DocumentKind,
  EditAnswer,
  Id,
  MergeAnswer,
  OpId,
  ReceiveAnswer,
  RetractAnswer,
  WorkspaceView,
} from './types.js';

/** The part of Core that a document needs, so that a test can stand in for it. */
export interface Caller {
  call(request: CborMap): CborValue;
}

export interface OpenOptions {
  document: Id;
  kind: DocumentKind;
  replica: Id;
  author: Id;
  snapshot?: Uint8Array;
  // Chunks of operations, in the order in which they were stored.
  ops?: readonly Uint8Array[];
}

/** One open document of core. Every call may throw CoreError or CoreTrap. */
export class CoreDocument {
  private constructor(
    private readonly core_: Caller,
    private readonly handle_: number,
    readonly id: Id,
    readonly kind: DocumentKind,
  ) {}

  static open(core: Caller, options: OpenOptions): CoreDocument {
    const answer = core.call({ call: 'open', ...options }) as unknown as { handle: number };
    return new CoreDocument(core, answer.handle, options.document, options.kind);
  }

  close(): void {
    this.call('close');
  }

  /** All commands or none. Ensures: `ops` is what must be stored before anybody is shown the change. */
  edit(now_ms: number, commands: readonly Command[]): EditAnswer {
    return this.call<EditAnswer>('edit', { now_ms, cause: 'person', commands: commands as unknown as CborValue });
  }

  merge(now_ms: number, ops: Uint8Array): MergeAnswer {
    return this.call<MergeAnswer>('merge', { now_ms, ops });
  }

  retract(ops: readonly OpId[]): RetractAnswer {
    return this.call<RetractAnswer>('retract', { ops });
  }

  /**
   * Every operation that `version` does not cover; all there are when it is empty. Errors: `conflict` when history
   * that far back is gone.
   */
  since(version: Uint8Array): Uint8Array {
    return this.call<{ ops: Uint8Array }>('since', { version }).ops;
  }

  version(): Uint8Array {
    return this.call<Uint8Array>('version');
  }

  snapshot(): Uint8Array {
    return this.call<Uint8Array>('snapshot');
  }

  hash(): string {
    return this.call<string>('hash');
  }

  view(): BoardView | WorkspaceView {
    return this.call<BoardView | WorkspaceView>('view');
  }

  card(entity: Id): Card {
    return this.call<Card>('card', { entity });
  }

  session_start(cursor: Cursor): Uint8Array[] {
    return this.call<{ send: Uint8Array[] }>('session_start', { epoch: cursor.epoch, seq: cursor.seq }).send;
  }

  session_receive(message: Uint8Array, now_ms: number): ReceiveAnswer {
    return this.call<ReceiveAnswer>('session_receive', { message, now_ms });
  }

  session_edited(): Uint8Array[] {
    return this.call<{ send: Uint8Array[] }>('session_edited').send;
  }

  private call<Answer = CborValue>(call: string, rest: CborMap = {}): Answer {
    return this.core_.call({ call, handle: this.handle_, ...rest }) as unknown as Answer;
  }
}
