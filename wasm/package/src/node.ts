// SPDX-License-Identifier: Apache-2.0
// The entry for Node: the same, except that core.wasm is read from the disk.
import { readFile } from 'node:fs/promises';
import { load_module, type KalendsModule } from './engine.js';
import { load as load_elsewhere, type LoadSource } from './load.js';

export * from './index.js';

export async function load(source?: LoadSource): Promise<KalendsModule> {
  if (source === undefined) source = new URL('./core.wasm', import.meta.url);
  if (source instanceof URL && source.protocol === 'file:') return load_module(await readFile(source));
  return load_elsewhere(source);
}
