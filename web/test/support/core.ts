// SPDX-License-Identifier: Apache-2.0
// The real core.wasm; script/build-wasm makes it.
import { readFile } from 'node:fs/promises';
import { load_core, type Core } from '@kalends/core';

let bytes: Promise<Uint8Array<ArrayBuffer>> | null = null;

export async function real_core(): Promise<Core> {
  const address = new URL('../../../build/wasm/core.wasm', import.meta.url);
  bytes ??= readFile(address).then((buffer) => new Uint8Array(buffer));
  return load_core(await bytes);
}
