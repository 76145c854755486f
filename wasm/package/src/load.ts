// SPDX-License-Identifier: Apache-2.0
import type { CoreSource } from './core.js';
import { load_module, type KalendsModule } from './engine.js';

/** Where core.wasm comes from: an address, a response, its bytes, or a module that was compiled before. */
export type LoadSource = CoreSource | URL | string;

/**
 * Loads core.wasm; once for each thread is enough.
 *
 * Without an argument it is the file of this package: bundlers find it by its address and copy it. It is compiled
 * while it arrives when the server says `application/wasm`. A content security policy needs `'wasm-unsafe-eval'` in
 * `script-src` and nothing else.
 *
 * @throws KalendsError `unavailable` when it cannot be fetched or is not core.wasm; its `cause` says why.
 */
export async function load(source?: LoadSource): Promise<KalendsModule>;
/** @internal */
export async function load(source?: LoadSource, random?: KalendsModule['random_']): Promise<KalendsModule>;
export async function load(
  source: LoadSource = new URL('./core.wasm', import.meta.url),
  random?: KalendsModule['random_'],
): Promise<KalendsModule> {
  return load_module(typeof source === 'string' || source instanceof URL ? fetch(source) : source, random);
}
