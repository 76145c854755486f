// SPDX-License-Identifier: Apache-2.0
// A bundle: what a workspace gives out and takes in, bytes of several documents in one piece.
//
//   "KLB" 0x01, then records until the end. A record:
//     u8       what: 1 = operations, 2 = snapshot without history, 3 = bytes of core's `save`, 4 = version
//     u8       kind: 0 = workspace, 1 = board
//     u8 × 16  the document's id
//     u32      length, little-endian, and that many bytes
//
// Records that stand later are newer; the numbers stay what they are. The bytes inside are core's own.

import { KalendsError } from './errors.js';
import type { DocumentKind, Id } from './types.js';

export const enum What {
  kOps = 1,
  kSnapshot = 2,
  kSaved = 3,
  kVersion = 4,
}

export interface BundleRecord {
  what: What;
  kind: DocumentKind;
  id: Id;
  bytes: Uint8Array;
}

const kMagic = [0x4b, 0x4c, 0x42, 1];
const kHeadBytes = 22;

export function encode_bundle(records: readonly BundleRecord[]): Uint8Array {
  let size = kMagic.length;
  for (const record of records) size += kHeadBytes + record.bytes.length;
  const out = new Uint8Array(size);
  out.set(kMagic);
  let at = kMagic.length;
  for (const { what, kind, id, bytes } of records) {
    write_head(out, at, what, kind, id, bytes.length);
    out.set(bytes, at + kHeadBytes);
    at += kHeadBytes + bytes.length;
  }
  return out;
}

/** What stands before the bytes in a bundle of one record; `set_length` completes it. */
export function head_of(what: What, kind: DocumentKind, id: Id): Uint8Array {
  const head = new Uint8Array(kMagic.length + kHeadBytes);
  head.set(kMagic);
  write_head(head, kMagic.length, what, kind, id, 0);
  return head;
}

export function set_length(bundle: Uint8Array, length: number): void {
  write_length(bundle, kMagic.length, length);
}

function write_head(out: Uint8Array, at: number, what: What, kind: DocumentKind, id: Id, length: number): void {
  out[at] = what;
  out[at + 1] = kind === 'board' ? 1 : 0;
  for (let i = 0; i < 16; ++i) out[at + 2 + i] = parseInt(id.slice(2 * i, 2 * i + 2), 16);
  write_length(out, at, length);
}

function write_length(out: Uint8Array, at: number, length: number): void {
  out[at + 18] = length;
  out[at + 19] = length >>> 8;
  out[at + 20] = length >>> 16;
  out[at + 21] = length >>> 24;
}

/** The records' bytes are views of `bytes`. */
export function decode_bundle(bytes: Uint8Array): BundleRecord[] {
  for (let i = 0; i < kMagic.length; ++i)
    if (bytes[i] !== kMagic[i]) throw corrupt('These are not bytes of a Kalends workspace.');
  const records: BundleRecord[] = [];
  for (let at = kMagic.length; at < bytes.length; ) {
    const end = at + kHeadBytes;
    const length =
      end <= bytes.length
        ? (bytes[at + 18]! | (bytes[at + 19]! << 8) | (bytes[at + 20]! << 16) | (bytes[at + 21]! << 24)) >>> 0
        : Infinity;
    if (end + length > bytes.length) throw corrupt('The bytes end inside a record.');
    const what = bytes[at]!;
    const kind = bytes[at + 1]!;
    if (what < What.kOps || what > What.kVersion || kind > 1)
      throw new KalendsError('unsupported_version', 'The bytes hold records of a newer version: update the package.');
    const id = id_at(bytes, at + 2);
    records.push({ what, kind: kind === 1 ? 'board' : 'workspace', id, bytes: bytes.subarray(end, end + length) });
    at = end + length;
  }
  return records;
}

// Most bundles are of the board of the one before.
let last_bytes = new Uint8Array(16);
let last_id: Id = hex(last_bytes);

function id_at(bytes: Uint8Array, at: number): Id {
  let i = 0;
  while (i < 16 && bytes[at + i] === last_bytes[i]) ++i;
  if (i === 16) return last_id;
  last_bytes = bytes.slice(at, at + 16);
  return (last_id = hex(last_bytes));
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

function corrupt(message: string): KalendsError {
  return new KalendsError('corrupt', message);
}
