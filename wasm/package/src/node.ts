// SPDX-License-Identifier: Apache-2.0
// The entry for Node: the same, except that core.wasm is read from the disk, and that Node 18 has no global crypto.
import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { load_module, random_of, type KalendsModule } from './engine.js';
import { load as load_elsewhere, type LoadSource } from './load.js';

export * from './index.js';

const kRandom = random_of(webcrypto);

export async function load(source?: LoadSource): Promise<KalendsModule> {
  if (source === undefined) source = new URL('./core.wasm', import.meta.url);
  if (source instanceof URL && source.protocol === 'file:') return load_module(readFile(source), kRandom);
  return load_elsewhere(source, kRandom);
}
