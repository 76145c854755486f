// SPDX-License-Identifier: Apache-2.0
import type { BoardView, Card } from '@kalends/core';
import { expect, test } from 'vitest';
import { apply_view_change, deep_equal, view_change } from '../../src/replica/view_change';

const card = (id: string, title: string): Card => ({ id, title, labels: [] }) as unknown as Card;
const board = (title: string, ...cards: Card[]): BoardView =>
  ({
    id: 'b',
    title,
    lists: [{ id: 'l', cards: cards.map((one) => one.id) }],
    cards: Object.fromEntries(cards.map((one) => [one.id, one])),
  }) as unknown as BoardView;

test('a change holds only the cards that differ, and those that went', () => {
  const change = view_change('board', board('B', card('1', 'a'), card('2', 'b')), board('B', card('1', 'A'), card('3', 'c')));
  expect(change).toMatchObject({ cards: { 1: { title: 'A' }, 3: { title: 'c' } }, removed: ['2'] });
});
test('applying a change gives the new view and leaves unchanged cards the same objects', () => {
  const before = board('B', card('1', 'a'), card('2', 'b'));
  const after = board('C', card('1', 'a'), card('2', 'B'));
  const applied = apply_view_change(before, view_change('board', before, after)!) as BoardView;
  expect(applied).toEqual(after);
  expect(applied.cards['1']).toBe(before.cards['1']);
});
test('equal views give no change', () => {
  expect(view_change('board', board('B', card('1', 'a')), board('B', card('1', 'a')))).toBeNull();
});
test('a missing field is not an undefined one of another name', () => {
  expect(deep_equal({ a: undefined }, { b: undefined })).toBe(false);
  expect(deep_equal([1], { 0: 1 })).toBe(false);
  expect(deep_equal({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
});
