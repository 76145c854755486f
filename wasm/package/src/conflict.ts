// SPDX-License-Identifier: Apache-2.0
import type { ConflictSnapshot } from './api_types.js';
import { KalendsError } from './errors.js';
import { snake } from './share.js';
import type { ConflictRow } from './state.js';
import type { Command, Id, OpId } from './types.js';
import type { Workspace } from './workspace.js';

/** Something that two sides changed without knowing of each other. One value is shown, the others stay open. */
export class Conflict {
  private constructor(
    private readonly workspace_: Workspace,
    /** The values, and where they are. */
    readonly snapshot: ConflictSnapshot & { readonly board: Id | null; readonly entity: Id },
  ) {}

  /** @internal */
  static of_(workspace: Workspace, row: ConflictRow): Conflict {
    return new Conflict(workspace, row as unknown as Conflict['snapshot']);
  }

  /** The board, or `null` for something of the workspace itself. */
  get board(): Id | null {
    return this.snapshot.board;
  }

  /** The card, list, label … that it is about. */
  get entity(): Id {
    return this.snapshot.entity;
  }

  /**
   * Keeps what is shown: the other values are given up, the deletion is dismissed.
   *
   * @throws KalendsError `conflict` when somebody resolved it meanwhile; `invalid` for `dates`: edit the dates.
   */
  keep(): void {
    this.resolve(true);
  }

  /**
   * Takes another value instead of what is shown: the one that `op` set, else the first that lost; or confirms the
   * deletion.
   *
   * @throws KalendsError as {@link keep}; `not_found` when `op` is none of the values.
   */
  flip(op?: OpId): void {
    this.resolve(false, op);
  }

  private resolve(is_kept: boolean, op?: OpId): void {
    const { board, entity, child, field, key, kind, values } = this.snapshot;
    if (kind === 'dates')
      throw new KalendsError('invalid', 'The start is after the due date: edit one of them.');
    const at = child === undefined ? { entity } : { entity, child };
    let command: Command;
    if (kind === 'deletion') {
      command = { do: is_kept ? 'restore' : 'delete', ...at };
    } else {
      const value = values.find((one) => (op === undefined ? one.winner === is_kept : one.op === op));
      if (value === undefined) throw new KalendsError('not_found', 'This conflict has no such value.');
      command = { do: 'resolve', ...at, field: snake(field), ...(key && { key }), op: value.op };
    }
    this.workspace_.edit_(this.workspace_.state_(board), command);
  }
}
