// SPDX-License-Identifier: Apache-2.0
// The comparer finds every kind of mismatch that is planted, and none where there is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, compare_ledger, instant } from './compare.mjs';

const id = (n) => n.toString(16).padStart(32, '0');
const card = (n, more = {}) => ({
  id: id(n), title: `Card ${n}`, done: false, archived: false, description: '', location: '', colour: '',
  start: null, due: { date: '2026-12-01' }, ...more,
});
const event = (n, more = {}) => ({
  id: `event${n}`, status: 'confirmed', summary: `Card ${n}`, start: { date: '2026-12-01' }, end: { date: '2026-12-02' },
  extendedProperties: { private: { kalends: `${id(n)}.0.mac` } }, ...more,
});
const timed = { at: '2026-12-01T17:00:00', zone: 'Europe/Berlin', fold: 0 };

test('a board and its calendar in step have no mismatch', () => {
  const cards = [
    card(1),
    card(2, { done: true, colour: 'sage', location: 'Here', description: 'Text' }),
    card(3, { due: timed }),
    card(4, { archived: true }),
    card(5, { due: null }),
    card(6, { start: { date: '2026-12-01' }, due: { date: '2026-12-03' } }),
  ];
  const events = [
    event(1),
    event(2, { summary: '✓ Card 2', colorId: '2', location: 'Here', description: 'Text' }),
    event(3, { start: { dateTime: '2026-12-01T10:00:00-05:00' }, end: { dateTime: '2026-12-01T16:00:00Z' } }),
    event(4, { status: 'cancelled' }),
    event(6, { end: { date: '2026-12-04' } }),
    event(7, { summary: 'By hand', extendedProperties: undefined }),
  ];
  const by_hand = card(7, { title: 'By hand' });
  assert.deepEqual(compare([...cards, by_hand], events, { adopted: new Map([['event7', id(7)]]) }), { mismatches: [], duplicates: 0, events: 5 });
});

const plants = {
  'a missing event': [[card(1)], []],
  'a doubled event': [[card(1)], [event(1), event(1, { id: 'again' })]],
  'a copy without our marker': [[card(1)], [event(1), event(1, { id: 'copy', extendedProperties: undefined })]],
  'a wrong title': [[card(1)], [event(1, { summary: 'Other' })]],
  'a missing done mark': [[card(1, { done: true })], [event(1)]],
  'a date that is off by one': [[card(1)], [event(1, { start: { date: '2026-12-02' }, end: { date: '2026-12-03' } })]],
  'an end that is off by one': [[card(1)], [event(1, { end: { date: '2026-12-03' } })]],
  'a shifted time': [[card(1, { due: timed })], [event(1, { start: { dateTime: '2026-12-01T15:00:00Z' }, end: { dateTime: '2026-12-01T17:00:00Z' } })]],
  'a wrong colour': [[card(1, { colour: 'sage' })], [event(1, { colorId: '3' })]],
  'a wrong place': [[card(1, { location: 'Here' })], [event(1)]],
  'a wrong description': [[card(1, { description: 'a' })], [event(1, { description: 'b' })]],
  'an event of an archived card': [[card(1, { archived: true })], [event(1)]],
  'an event of an undated card': [[card(1, { due: null })], [event(1)]],
  'an event of a deleted card': [[], [event(1)]],
  'an event of nobody': [[], [event(1, { extendedProperties: undefined })]],
};
for (const [name, [cards, events]] of Object.entries(plants))
  test(`finds ${name}`, () => assert.notEqual(compare(cards, events).mismatches.length, 0));

test('knows wall times that come twice, and that are skipped', () => {
  assert.equal(instant('2026-10-25T02:30:00', 'Europe/Berlin', 0), Date.parse('2026-10-25T00:30:00Z'));
  assert.equal(instant('2026-10-25T02:30:00', 'Europe/Berlin', 1), Date.parse('2026-10-25T01:30:00Z'));
  assert.equal(instant('2026-03-29T02:30:00', 'Europe/Berlin'), Date.parse('2026-03-29T01:30:00Z'));
});

const entry = (n, kind, more = {}) => ({ id: `1.${n}`, card: id(n), kind, outcome: 'done', ...more });
const change = (n, kind, by = 'api') => ({ event_id: `event${n}`, kind, by });
const card_of = (event_id) => id(Number(event_id.slice(5)));

test('a ledger with one done entry for each change has no mismatch', () => {
  const entries = [
    entry(1, 'insert_event'), entry(1, 'patch_event'), entry(2, 'delete_event'),
    entry(2, 'edit_card'), entry(3, 'patch_event', { outcome: 'refused' }),
  ];
  const changes = [change(1, 'insert'), change(1, 'update'), change(2, 'delete'), change(2, 'update', 'person')];
  assert.deepEqual(compare_ledger(entries, changes, card_of), []);
});

const ledger_plants = {
  'a lost entry': [[], [change(1, 'insert')]],
  'a doubled entry': [[entry(1, 'insert_event'), entry(1, 'insert_event')], [change(1, 'insert')]],
  'an entry of another card': [[entry(2, 'insert_event')], [change(1, 'insert')]],
  'an entry of another kind': [[entry(1, 'patch_event')], [change(1, 'insert')]],
  'an entry that waits': [[entry(1, 'insert_event', { outcome: 'unknown' })], []],
  'a refusal of what was done': [[entry(1, 'insert_event', { outcome: 'refused' })], [change(1, 'insert')]],
};
for (const [name, [entries, changes]] of Object.entries(ledger_plants))
  test(`finds ${name}`, () => assert.notEqual(compare_ledger(entries, changes, card_of).length, 0));

test('an edit of both sides whose answer a kill took may be anyone\'s, and only that', () => {
  const twice = [entry(1, 'patch_event'), entry(1, 'patch_event')];
  const by_both = [change(1, 'update'), change(1, 'update', 'person')];
  assert.deepEqual(compare_ledger(twice, by_both, card_of, { has_kills: true }), []);
  assert.equal(compare_ledger(twice, by_both, card_of).length, 1);
  assert.equal(compare_ledger(twice, [change(1, 'update'), change(2, 'update', 'person')], card_of, { has_kills: true }).length, 1);
  assert.equal(compare_ledger([...twice, entry(1, 'patch_event')], by_both, card_of, { has_kills: true }).length, 1);
});
