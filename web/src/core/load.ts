// SPDX-License-Identifier: Apache-2.0
// Where the page's core.wasm is, and loading it.
import core_address from '@core.wasm?url';
import { load_core, type Core } from '@kalends/core';

export function load_page_core(): Promise<Core> {
  return load_core(fetch(core_address));
}
