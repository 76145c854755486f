// SPDX-License-Identifier: Apache-2.0

/**
 * Why a call failed, named by what to do next.
 *
 * - `invalid`: the call itself is wrong; the message says what it takes.
 * - `not_found`: there is nothing with this id, or it was deleted.
 * - `conflict`: the thing changed meanwhile (deleted, moved, resolved): look again.
 * - `corrupt`: the bytes are not what this package writes: fetch them again.
 * - `unsupported_version`: the bytes come from a newer version: update the package.
 * - `clock_skew`: an operation comes from too far in the future: check the clocks.
 * - `history_gone`: the other side needs history that was not kept: send `save()` instead.
 * - `wrong_workspace`: the bytes belong to another workspace.
 * - `read_only`: this is a view of the past.
 * - `disposed`: `dispose()` was called before.
 * - `unsupported`: this core.wasm lacks the call: take the one of this package.
 * - `unavailable`: core.wasm could not be loaded.
 * - `trap`: core.wasm stopped by a bug of its own. Nothing was changed, and the workspace goes on working.
 */
export type KalendsErrorCode =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'corrupt'
  | 'unsupported_version'
  | 'clock_skew'
  | 'unavailable'
  | 'history_gone'
  | 'wrong_workspace'
  | 'read_only'
  | 'disposed'
  | 'unsupported'
  | 'trap';

/** What every call of this package throws when it cannot be done. Nothing was changed by the call. */
export class KalendsError extends Error {
  override name = 'KalendsError';
  constructor(
    /** What to do next; see {@link KalendsErrorCode}. */
    readonly code: KalendsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
