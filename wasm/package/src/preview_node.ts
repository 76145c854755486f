// SPDX-License-Identifier: Apache-2.0
// The entry of previews for Node: the same, except that reconcile.wasm is read from the disk.
import { readFile } from 'node:fs/promises';
import type { LoadSource } from './load.js';
import { loadPlanner as load_elsewhere, start_planner, type Planner } from './preview.js';

export * from './preview.js';

export async function loadPlanner(source?: LoadSource): Promise<Planner> {
  if (source === undefined) source = new URL('./reconcile.wasm', import.meta.url);
  if (source instanceof URL && source.protocol === 'file:') return start_planner(readFile(source));
  return load_elsewhere(source);
}
