// SPDX-License-Identifier: Apache-2.0
/**
 * Kanban boards as replicas that merge: edit offline, merge with any copy, keep every losing value until a person
 * decides. The public API is in camelCase, as is the custom of the ecosystem; the files inside follow the project's
 * snake_case, and so do the low-level exports (`Core`, `CoreDocument`, `load_core`, CBOR).
 *
 * @packageDocumentation
 */
export { load, type LoadSource } from './load.js';
export { KalendsError, type KalendsErrorCode } from './errors.js';
export { KalendsModule } from './engine.js';
export { Workspace, type Unsubscribe } from './workspace.js';
export { Board } from './board.js';
export { Card } from './card.js';
export { Conflict } from './conflict.js';
export type * from './api_types.js';

// The low level, by its values; its types are in `@kalends/core/low-level`.
export { CborError, Core, CoreDocument, CoreError, CoreTrap, decode_cbor, encode_cbor, load_core } from './low_level.js';
