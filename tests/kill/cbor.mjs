// SPDX-License-Identifier: Apache-2.0
// As much of CBOR (RFC 8949) as docs/protocol.md uses: whole numbers, bytes, texts, arrays, maps, true, false, null.

function head(major, value) {
  const top = major << 5;
  if (value < 24) return [top | value];
  const width = value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x1_0000_0000 ? 4 : 8;
  const bytes = Buffer.alloc(1 + width);
  bytes[0] = top | (24 + Math.log2(width));
  for (let i = width, rest = BigInt(value); i > 0; i -= 1, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

function parts(value, out) {
  const add = (major, bytes) => out.push(Buffer.from(head(major, bytes.length)), bytes);
  if (value === null || value === undefined) out.push(Buffer.from([0xf6]));
  else if (value === false || value === true) out.push(Buffer.from([value ? 0xf5 : 0xf4]));
  else if (typeof value === 'number') out.push(Buffer.from(value >= 0 ? head(0, value) : head(1, -1 - value)));
  else if (typeof value === 'string') add(3, Buffer.from(value, 'utf8'));
  else if (value instanceof Uint8Array) add(2, Buffer.from(value));
  else if (Array.isArray(value)) {
    out.push(Buffer.from(head(4, value.length)));
    for (const item of value) parts(item, out);
  } else {
    // Keys in the order of their encoded bytes: shorter ones first.
    const keys = Object.keys(value).filter((key) => value[key] !== undefined).map((key) => Buffer.from(key, 'utf8'));
    keys.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
    out.push(Buffer.from(head(5, keys.length)));
    for (const key of keys) {
      add(3, key);
      parts(value[key.toString('utf8')], out);
    }
  }
}

export function encode(value) {
  const out = [];
  parts(value, out);
  return Buffer.concat(out);
}

export function decode(bytes) {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = (small) => {
    if (small < 24) return small;
    const width = 2 ** (small - 24);
    at += width;
    return width === 8 ? Number(data.readBigUInt64BE(at - 8)) : data.readUIntBE(at - width, width);
  };
  const bytes_of = (length) => data.subarray(at, (at += length));
  const read = () => {
    const first = data[at];
    at += 1;
    const [major, small] = [first >> 5, first & 31];
    if (major === 7) return small === 21 ? true : small === 20 ? false : null;
    const value = number(small);
    if (major === 0) return value;
    if (major === 1) return -1 - value;
    if (major === 2) return Uint8Array.from(bytes_of(value));
    if (major === 3) return bytes_of(value).toString('utf8');
    if (major === 4) return Array.from({ length: value }, read);
    const map = {};
    for (let i = 0; i < value; i += 1) map[read()] = read();
    return map;
  };
  return read();
}
