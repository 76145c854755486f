// SPDX-License-Identifier: Apache-2.0
/**
 * One document of core.wasm at a time, by its own names: what the public API is made of. Store what `edit` gives before
 * you show it; ids are yours to make; after a `CoreTrap` load core anew.
 *
 * @packageDocumentation
 */
export { CborError, decode_cbor, encode_cbor, type CborMap, type CborValue } from './cbor.js';
export { Core, CoreError, CoreTrap, load_core, type CoreSource, type ErrorCode } from './core.js';
export { CoreDocument, type Caller, type OpenOptions } from './document.js';
export type * from './types.js';
