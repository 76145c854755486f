// SPDX-License-Identifier: Apache-2.0
// From what core shows to stable snapshots: frozen, in camelCase, and whatever did not change is the same object.

import type { CborMap, CborValue } from './cbor.js';

type Plain = Readonly<Record<string, unknown>>;

// Ensures: equal to `after`; `before` itself when that is equal, and equal parts of it where they are.
export function share(before: unknown, after: CborValue | undefined): unknown {
  if (after === null || typeof after !== 'object' || after instanceof Uint8Array) return after;
  if (Array.isArray(after)) return share_array(Array.isArray(before) ? before : [], after);
  const old = (before ?? {}) as Plain;
  const map = after as CborMap;
  const made: Record<string, unknown> = {};
  let is_same = before !== undefined && before !== null;
  let count = 0;
  for (const name in map) {
    const key = camel(name);
    const part = (made[key] = share(old[key], map[name]));
    if (is_same && part !== old[key]) is_same = false;
    ++count;
  }
  if (is_same) for (const _ in old) --count;
  return is_same && count === 0 ? old : Object.freeze(made);
}

function share_array(old: readonly unknown[], after: readonly CborValue[]): readonly unknown[] {
  let is_same = old.length === after.length;
  if (typeof after[0] === 'string') {
    for (let i = 0; is_same && i < after.length; ++i) is_same = old[i] === after[i];
    return is_same ? old : Object.freeze(after);
  }
  let by_id: Map<unknown, unknown> | undefined;
  const made: unknown[] = [];
  for (let i = 0; i < after.length; ++i) {
    const row = after[i] as CborMap;
    let candidate = old[i] as Plain | undefined;
    const id = row?.['id'];
    if (id !== undefined && candidate?.['id'] !== id) {
      by_id ??= new Map((old as Plain[]).map((one) => [one['id'], one]));
      candidate = by_id.get(id) as Plain | undefined;
    }
    made[i] = share(candidate, row);
    if (made[i] !== old[i]) is_same = false;
  }
  return is_same ? old : Object.freeze(made);
}

const kCamel = new Map<string, string>();

// Ids are hexadecimal: they hold no "_" and stay as they are.
export function camel(name: string): string {
  let known = kCamel.get(name);
  if (known === undefined) {
    known = name.includes('_') ? name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) : name;
    if (name.length < 32) kCamel.set(name, known);
  }
  return known;
}

const kCamelLists = new WeakMap<readonly string[], readonly string[]>();

// The same list for the same list.
export function camel_all(names: readonly string[]): readonly string[] {
  let known = kCamelLists.get(names);
  if (known === undefined) kCamelLists.set(names, (known = names.some((name) => name.includes('_')) ? names.map(camel) : names));
  return known;
}

export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
}

// The other way: with core's names, and without what is not there; `leaf` gives a value core's form.
export function plain(map: object, leaf = (_name: string, value: CborValue): CborValue => value): CborMap {
  const made: Record<string, CborValue> = {};
  for (const name in map) {
    const value = (map as Record<string, CborValue | undefined>)[name];
    if (value === undefined) continue;
    const is_map = value !== null && typeof value === 'object' && !Array.isArray(value);
    made[snake(name)] = is_map ? plain(value, leaf) : leaf(name, value);
  }
  return made;
}
