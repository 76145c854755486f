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
    const { length } = bytes;
    out[at] = what;
    out[at + 1] = kind === 'board' ? 1 : 0;
    out.set(bytes_of(id), at + 2);
    out[at + 18] = length;
    out[at + 19] = length >>> 8;
    out[at + 20] = length >>> 16;
    out[at + 21] = length >>> 24;
    out.set(bytes, at + kHeadBytes);
    at += kHeadBytes + length;
  }
  return out;
}

// The last documents' ids: most bundles are of one board.
const kBytes = new Map<Id, Uint8Array>();

function bytes_of(id: Id): Uint8Array {
  let bytes = kBytes.get(id);
  if (bytes !== undefined) return bytes;
  bytes = Uint8Array.from({ length: 16 }, (_, i) => parseInt(id.slice(2 * i, 2 * i + 2), 16));
  if (kBytes.size > 100) kBytes.clear();
  kBytes.set(id, bytes);
  return bytes;
}

export function decode_bundle(bytes: Uint8Array): BundleRecord[] {
  if (kMagic.some((byte, index) => bytes[index] !== byte)) throw corrupt('These are not bytes of a Kalends workspace.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: BundleRecord[] = [];
  for (let at = kMagic.length; at < bytes.length; ) {
    const end = at + kHeadBytes;
    const length = end <= bytes.length ? view.getUint32(at + 18, true) : Infinity;
    if (end + length > bytes.length) throw corrupt('The bytes end inside a record.');
    const what = bytes[at]!;
    const kind = bytes[at + 1]!;
    if (what < What.kOps || what > What.kVersion || kind > 1)
      throw new KalendsError('unsupported_version', 'The bytes hold records of a newer version: update the package.');
    const id = hex(bytes.subarray(at + 2, at + 18));
    records.push({ what, kind: kind === 1 ? 'board' : 'workspace', id, bytes: bytes.slice(end, end + length) });
    at = end + length;
  }
  return records;
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

function corrupt(message: string): KalendsError {
  return new KalendsError('corrupt', message);
}
