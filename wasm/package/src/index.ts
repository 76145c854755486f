// SPDX-License-Identifier: Apache-2.0
// The Kalends core for TypeScript: load core.wasm, open documents, edit, merge and synchronise them.
export { CborError, decode_cbor, encode_cbor, type CborMap, type CborValue } from './cbor.js';
export { Core, CoreError, CoreTrap, load_core, type CoreSource, type ErrorCode } from './core.js';
export { CoreDocument, type Caller, type OpenOptions } from './document.js';
export type * from './types.js';
