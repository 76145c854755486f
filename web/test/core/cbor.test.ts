// SPDX-License-Identifier: Apache-2.0
import { CborError, decode_cbor, encode_cbor, type CborValue } from '@kalends/core';
import { describe, expect, test } from 'vitest';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// RFC 8949, appendix A: those that we use.
const kVectors: [string, CborValue][] = [
  ['00', 0],
  ['01', 1],
  ['0a', 10],
  ['17', 23],
  ['1818', 24],
  ['1819', 25],
  ['1864', 100],
  ['1903e8', 1000],
  ['1a000f4240', 1000000],
  ['1b000000e8d4a51000', 1000000000000],
  ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ['20', -1],
  ['29', -10],
  ['3863', -100],
  ['3903e7', -1000],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['40', new Uint8Array()],
  ['4401020304', bytes('01020304')],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '\ud800\udd51'],
  ['80', []],
  ['83010203', [1, 2, 3]],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, index) => index + 1)],
  ['a0', {}],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['826161a161626163', ['a', { b: 'c' }]],
  ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }],
];

describe('encoding', () => {
  test.each(kVectors)('gives the bytes of the RFC: %s', (expected, value) => {
    expect(hex(encode_cbor(value))).toBe(expected);
  });
  test('sorts keys by their encoded bytes, so that equal maps are equal bytes', () => {
    expect(encode_cbor({ bb: 1, a: 2, c: 3 })).toEqual(encode_cbor({ c: 3, a: 2, bb: 1 }));
    expect(hex(encode_cbor({ bb: 1, a: 2 }))).toBe('a261610262626201');
  });
  test('leaves out what is undefined', () => {
    expect(hex(encode_cbor({ a: undefined, b: 1 }))).toBe('a1616201');
  });
  test('grows beyond its first buffer', () => {
    const large = new Uint8Array(100_000).fill(7);
    expect(decode_cbor(encode_cbor([large, 'x'.repeat(70_000)]))).toEqual([large, 'x'.repeat(70_000)]);
  });
  test.each([[0.5], [Number.NaN], [2 ** 53], [Number.POSITIVE_INFINITY]])('refuses %s', (value) => {
    expect(() => encode_cbor(value)).toThrow(CborError);
  });
  test('refuses a value nested without end', () => {
    const loop: CborValue[] = [];
    loop.push(loop);
    expect(() => encode_cbor(loop)).toThrow(CborError);
  });
});

describe('decoding', () => {
  test.each(kVectors)('reads the bytes of the RFC: %s', (given, value) => {
    expect(decode_cbor(bytes(given))).toEqual(value);
  });
  test('gives byte strings of their own', () => {
    const source = bytes('4401020304');
    const copy = decode_cbor(source) as Uint8Array;
    source.fill(0);
    expect(copy).toEqual(bytes('01020304'));
  });
  test('keeps a key named __proto__ a key', () => {
    const map = decode_cbor(encode_cbor(JSON.parse('{"__proto__":1}') as CborValue));
    expect(Object.keys(map as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
  });
  test.each([
    ['nothing', ''],
    ['a number that ends early', '19 03'],
    ['a text that ends early', '63 61 62'],
    ['an array that ends early', '82 01'],
    ['an array that claims more than there are bytes', '9a ffffffff 01'],
    ['a map that ends early', 'a1 61 61'],
    ['bytes after the value', '00 00'],
    ['an indefinite text', '7f 61 61 ff'],
    ['an indefinite array', '9f 01 ff'],
    ['an indefinite map', 'bf ff'],
    ['a number not in its shortest form', '18 17'],
    ['a long number not in its shortest form', '1b 00000000 ffffffff'],
    ['a number of more than 53 bits', '1b 0020000000000000'],
    ['a negative number of more than 53 bits', '3b 001fffffffffffff'],
    ['a half float', 'f9 3c00'],
    ['a double', 'fb 3ff199999999999a'],
    ['undefined', 'f7'],
    ['a tag', 'c1 1a 514b67b0'],
    ['a key that is a number', 'a1 01 02'],
    ['a key that stands twice', 'a2 61 61 01 61 61 02'],
    ['a text that is not UTF-8', '62 c328'],
    ['a surrogate in UTF-8', '63 eda080'],
    ['reserved lengths', '1c'],
  ])('refuses %s', (_, given) => {
    expect(() => decode_cbor(bytes(given.replaceAll(' ', '')))).toThrow(CborError);
  });
  test('refuses nesting that would exhaust the stack', () => {
    expect(() => decode_cbor(new Uint8Array(100_000).fill(0x81))).toThrow(CborError);
  });
});
