// SPDX-License-Identifier: Apache-2.0
// The part of CBOR (RFC 8949) that core speaks: definite lengths, text keys, whole numbers of at most 53 bits,
// byte strings, arrays, maps, true, false and null. No floats, no tags. Encoding is deterministic (section 4.2:
// shortest heads, keys in bytewise order), so that equal values are equal bytes. Decoding refuses everything else,
// because what it reads may come from a network.

export type CborValue = null | boolean | number | string | Uint8Array | readonly CborValue[] | CborMap;
/** A key whose value is undefined is left out, which lets callers write optional fields plainly. */
export interface CborMap {
  readonly [key: string]: CborValue | undefined;
}

/** A value that cannot be written, or bytes that cannot be read. */
export class CborError extends Error {
  override name = 'CborError';
}

// Deeper nesting than any message of ours; keeps a hostile message from exhausting the stack.
const kDepthMax = 64;

const enum Major {
  kUnsigned = 0,
  kNegative = 1,
  kBytes = 2,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kTag = 6,
  kSimple = 7,
}

/** Deterministic: equal values are equal bytes. */
export function encode_cbor(value: CborValue): Uint8Array {
  const writer = new Writer();
  write_value(writer, value, 0);
  return writer.finish();
}

/** Requires: `bytes` holds exactly one value. Throws CborError otherwise. Byte strings are copies. */
export function decode_cbor(bytes: Uint8Array): CborValue {
  const reader = new Reader(bytes);
  const value = read_value(reader, 0);
  if (!reader.at_end()) throw new CborError('bytes are left over after the value');
  return value;
}

// Texts below this many bytes are read and written by hand.
const kShort = 64;
const kTextEncoder = new TextEncoder();
const kTextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Writer {
  private bytes_ = new Uint8Array(256);
  private view_ = new DataView(this.bytes_.buffer);
  private size_ = 0;

  head(major: Major, argument: number): void {
    this.reserve(9);
    const top = major << 5;
    if (argument < 24) {
      this.view_.setUint8(this.size_, top | argument);
      this.size_ += 1;
    } else if (argument < 0x100) {
      this.view_.setUint8(this.size_, top | 24);
      this.view_.setUint8(this.size_ + 1, argument);
      this.size_ += 2;
    } else if (argument < 0x10000) {
      this.view_.setUint8(this.size_, top | 25);
      this.view_.setUint16(this.size_ + 1, argument);
      this.size_ += 3;
    } else if (argument < 0x100000000) {
      this.view_.setUint8(this.size_, top | 26);
      this.view_.setUint32(this.size_ + 1, argument);
      this.size_ += 5;
    } else {
      this.view_.setUint8(this.size_, top | 27);
      this.view_.setUint32(this.size_ + 1, Math.floor(argument / 0x100000000));
      this.view_.setUint32(this.size_ + 5, argument % 0x100000000);
      this.size_ += 9;
    }
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes_.set(bytes, this.size_);
    this.size_ += bytes.length;
  }

  text(value: string): void {
    const { length } = value;
    // Short and ASCII, as nearly all are: faster by hand than through an encoder.
    if (length < kShort) {
      this.reserve(9 + length);
      const bytes = this.bytes_;
      let at = this.size_ + (length < 24 ? 1 : 2);
      let index = 0;
      for (; index < length; ++index) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      if (index === length) {
        this.head(Major.kText, length);
        this.size_ = at;
        return;
      }
    }
    const encoded = kTextEncoder.encode(value);
    this.head(Major.kText, encoded.length);
    this.raw(encoded);
  }

  finish(): Uint8Array {
    return this.bytes_.slice(0, this.size_);
  }

  private reserve(more: number): void {
    if (this.size_ + more <= this.bytes_.length) return;
    const larger = new Uint8Array(Math.max(this.bytes_.length * 2, this.size_ + more));
    larger.set(this.bytes_.subarray(0, this.size_));
    this.bytes_ = larger;
    this.view_ = new DataView(larger.buffer);
  }
}

function write_value(writer: Writer, value: CborValue, depth: number): void {
  if (depth > kDepthMax) throw new CborError('the value is nested too deeply');
  if (value === null) return writer.head(Major.kSimple, 22);
  if (typeof value === 'boolean') return writer.head(Major.kSimple, value ? 21 : 20);
  if (typeof value === 'number') return write_number(writer, value);
  if (typeof value === 'string') return writer.text(value);
  if (value instanceof Uint8Array) {
    writer.head(Major.kBytes, value.length);
    return writer.raw(value);
  }
  if (Array.isArray(value)) {
    writer.head(Major.kArray, value.length);
    for (const element of value as readonly CborValue[]) write_value(writer, element, depth + 1);
    return;
  }
  if (typeof value === 'object') return write_map(writer, value as CborMap, depth);
  throw new CborError(`a ${typeof value} cannot be encoded`);
}

function write_number(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) throw new CborError('only whole numbers of at most 53 bits can be encoded');
  if (value >= 0) writer.head(Major.kUnsigned, value);
  else writer.head(Major.kNegative, -1 - value);
}

function write_map(writer: Writer, map: CborMap, depth: number): void {
  const keys: string[] = [];
  for (const key of Object.keys(map)) if (map[key] !== undefined) keys.push(key);
  keys.sort(compare_keys);
  writer.head(Major.kMap, keys.length);
  for (const key of keys) {
    writer.text(key);
    write_value(writer, map[key]!, depth + 1);
  }
}

// The order of the encoded keys: their heads make shorter keys come first.
function compare_keys(left: string, right: string): number {
  if (is_ascii(left) && is_ascii(right)) return left.length - right.length || (left < right ? -1 : 1);
  const [a, b] = [kTextEncoder.encode(left), kTextEncoder.encode(right)];
  if (a.length !== b.length) return a.length - b.length;
  for (let index = 0; index < a.length; ++index) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function is_ascii(text: string): boolean {
  for (let index = 0; index < text.length; ++index) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

class Reader {
  private readonly view_: DataView;
  private position_ = 0;

  constructor(private readonly bytes_: Uint8Array) {
    this.view_ = new DataView(bytes_.buffer, bytes_.byteOffset, bytes_.byteLength);
  }

  at_end(): boolean {
    return this.position_ === this.bytes_.length;
  }

  remaining(): number {
    return this.bytes_.length - this.position_;
  }

  head(): { major: Major; argument: number } {
    const first = this.uint(1);
    const major: Major = first >> 5;
    const info = first & 31;
    if (major === Major.kSimple) {
      if (info < 20 || info > 22) throw new CborError('only true, false and null are read of the simple values');
      return { major, argument: info };
    }
    if (info < 24) return { major, argument: info };
    if (info > 27) throw new CborError('indefinite lengths are not read');
    const width = 1 << (info - 24);
    const argument = this.uint(width);
    const smallest = width === 1 ? 24 : width === 2 ? 0x100 : width === 4 ? 0x10000 : 0x100000000;
    if (argument < smallest) throw new CborError('a number is not in its shortest form');
    return { major, argument };
  }

  take(size: number): Uint8Array {
    if (size > this.remaining()) throw new CborError('the bytes end inside a value');
    const start = this.position_;
    this.position_ += size;
    return this.bytes_.subarray(start, this.position_);
  }

  private uint(width: number): number {
    if (width > this.remaining()) throw new CborError('the bytes end inside a value');
    const at = this.position_;
    this.position_ += width;
    if (width === 1) return this.view_.getUint8(at);
    if (width === 2) return this.view_.getUint16(at);
    if (width === 4) return this.view_.getUint32(at);
    const value = this.view_.getUint32(at) * 0x100000000 + this.view_.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new CborError('a number has more than 53 bits');
    return value;
  }
}

function read_value(reader: Reader, depth: number): CborValue {
  if (depth > kDepthMax) throw new CborError('the value is nested too deeply');
  const { major, argument } = reader.head();
  switch (major) {
    case Major.kUnsigned:
      return argument;
    case Major.kNegative:
      if (argument === Number.MAX_SAFE_INTEGER) throw new CborError('a number has more than 53 bits');
      return -1 - argument;
    case Major.kBytes:
      return reader.take(argument).slice();
    case Major.kText:
      return read_text(reader, argument);
    case Major.kArray:
      return read_array(reader, argument, depth);
    case Major.kMap:
      return read_map(reader, argument, depth);
    case Major.kTag:
      throw new CborError('tags are not read');
    case Major.kSimple:
      return argument === 22 ? null : argument === 21;
  }
}

function read_text(reader: Reader, size: number): string {
  const bytes = reader.take(size);
  if (size < kShort) {
    let text = '';
    let index = 0;
    for (; index < size; ++index) {
      const code = bytes[index]!;
      if (code > 0x7f) break;
      text += kCharacters[code];
    }
    if (index === size) return text;
  }
  try {
    return kTextDecoder.decode(bytes);
  } catch {
    throw new CborError('a text is not UTF-8');
  }
}
const kCharacters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

function read_array(reader: Reader, count: number, depth: number): CborValue[] {
  // Every element takes a byte at least: a count beyond that is a lie, refused before memory is set aside for it.
  if (count > reader.remaining()) throw new CborError('the bytes end inside a value');
  const array: CborValue[] = [];
  for (let index = 0; index < count; ++index) array.push(read_value(reader, depth + 1));
  return array;
}

function read_map(reader: Reader, count: number, depth: number): CborMap {
  if (count * 2 > reader.remaining()) throw new CborError('the bytes end inside a value');
  const map: Record<string, CborValue> = {};
  for (let index = 0; index < count; ++index) {
    const { major, argument } = reader.head();
    if (major !== Major.kText) throw new CborError('a key is not a text');
    const key = read_text(reader, argument);
    if (Object.hasOwn(map, key)) throw new CborError('a key stands twice in a map');
    const value = read_value(reader, depth + 1);
    // Defined, not assigned: a key named __proto__ must stay a key.
    if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    else map[key] = value;
  }
  return map;
}
