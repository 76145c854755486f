// SPDX-License-Identifier: Apache-2.0
// The place in core's memory where messages of fast calls are written (core/api/fast.h), and views of that memory. One
// for each core: its documents share it.

import type { CoreExports } from './core.js';

// A message that does not fit: the facade says what is wrong with it.
export const kUnfit = Symbol('unfit');

const kNumbers = 2048;
const kTextBytes = 1 << 16;
// Shorter texts are written character by character, as long as they are ASCII.
const kShort = 160;
const encoder = new TextEncoder();

export class Room {
  /** Core's memory. Good until the next call into core. */
  words = new Uint32Array(0);
  bytes = new Uint8Array(0);
  private start_ = 0; // in words
  private text_start_ = 0; // in bytes
  private text_end_ = 0;
  private end_ = 0;
  private at_ = 0;
  private text_at_ = 0;

  constructor(private readonly exports_: CoreExports) {}

  /** When memory grows, the host takes its old buffer away. */
  refresh(): void {
    if (this.words.length > 0) return;
    const { buffer } = this.exports_.memory;
    this.words = new Uint32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** Begins a message with room for this many bytes of text. */
  begin(text_bytes = kTextBytes): void {
    if (this.text_end_ - this.text_start_ < text_bytes) {
      const room = this.exports_.kalends_room!(kNumbers, text_bytes);
      this.start_ = room >>> 2;
      this.end_ = this.start_ + kNumbers - 8;
      this.text_start_ = room + kNumbers * 4;
      this.text_end_ = this.text_start_ + text_bytes;
    }
    this.refresh();
    this.at_ = this.start_;
    this.text_at_ = this.text_start_;
  }

  /** Numbers and bytes of text that were written. */
  get numbers(): number {
    return this.at_ - this.start_;
  }
  get text_bytes(): number {
    return this.text_at_ - this.text_start_;
  }

  put(value: number): void {
    if (this.at_ >= this.end_) throw kUnfit;
    this.words[this.at_++] = value;
  }

  /** Where the next number stands, to be written later. */
  get place(): number {
    return this.at_;
  }

  put_text(text: string): void {
    const { length } = text;
    if (this.text_at_ + length * 3 > this.text_end_) throw kUnfit;
    if (length < kShort) {
      const { bytes } = this;
      let at = this.text_at_;
      let i = 0;
      for (; i < length; ++i) {
        const code = text.charCodeAt(i);
        if (code > 127 || code === 0) break;
        bytes[at++] = code;
      }
      if (i === length) {
        this.put(length);
        this.text_at_ = at;
        return;
      }
    }
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.text_at_));
    this.put(written);
    this.text_at_ += written;
  }

  put_bytes(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.text_at_);
    this.text_at_ += bytes.length;
  }

  /** Writes an id over the beginning of the message, asks for its number, and puts the message back. */
  ref(id: string, handle: number): number {
    if (this.text_end_ === 0) this.begin();
    this.refresh();
    const { words, bytes, start_ } = this;
    const a = words[start_]!;
    const b = words[start_ + 1]!;
    const c = words[start_ + 2]!;
    const d = words[start_ + 3]!;
    for (let i = 0, at = start_ * 4; i < 32; i += 2) bytes[at++] = (digit(id, i) << 4) | digit(id, i + 1);
    const ref = this.exports_.kalends_ref!(handle);
    this.refresh();
    this.words[start_] = a;
    this.words[start_ + 1] = b;
    this.words[start_ + 2] = c;
    this.words[start_ + 3] = d;
    return ref;
  }
}

function digit(id: string, at: number): number {
  const code = id.charCodeAt(at);
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  throw kUnfit;
}
