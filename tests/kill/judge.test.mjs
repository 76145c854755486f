// SPDX-License-Identifier: Apache-2.0
// The kill campaign's oracle finds every kind of loss and doubling that is planted, and none where there is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from './cbor.mjs';
import { judge } from './judge.mjs';

const id = 'a'.repeat(32);
// A board with one card in step with its event, and what led there.
function world() {
  return {
    edits: [
      { actor: 'api', side: 'board', card: id, field: 'life', value: 'title 1' },
      { actor: 'api', side: 'board', card: id, field: 'title', value: 'title 1' },
      { actor: 'api', side: 'board', card: id, field: 'due', value: '2027-01-01' },
      { actor: 'copy', side: 'board', card: id, field: 'title', value: 'title 2' },
      { actor: 'person', side: 'calendar', card: id, field: 'title', value: 'title 3' },
      { actor: 'person', side: 'calendar', card: id, field: 'due', value: '2027-02-02' },
      { actor: 'comment 4', side: 'board', card: id, field: 'comment', value: 'comment 4' },
    ],
    cards: [{ id, title: 'title 3', done: false, archived: false, description: '', location: '', colour: '', start: null, due: { date: '2027-02-02' }, conflicts: [], comments: [{ text: 'comment 4' }] }],
    events: [
      { id: 'e1', status: 'confirmed', summary: 'title 3', start: { date: '2027-02-02' }, end: { date: '2027-02-03' }, extendedProperties: { private: { kalends: `${id}.0.mac` } } },
      { id: 'e0', status: 'cancelled' },
    ],
    histories: new Map([[id, [
      { kind: 'create', field: null, value: { title: 'title 1', due: { date: '2027-01-01' } } },
      { kind: 'set', field: 'title', value: 'title 2' },
      { kind: 'set', field: 'title', value: 'title 3' },
      { kind: 'set', field: 'due', value: { date: '2027-02-02' } },
      { kind: 'add_child', field: null, value: { text: 'comment 4' } },
    ]]]),
    made: [{ title: 'title 3' }],
    hashes: ['h', 'h', 'h'],
  };
}
const verdict = (change = () => {}) => {
  const planted = world();
  change(planted);
  return judge(planted);
};

test('finds nothing where every edit is there', () => {
  const { lost, duplicates, mismatches } = verdict();
  assert.deepEqual({ lost, duplicates, mismatches }, { lost: [], duplicates: 0, mismatches: [] });
});

test('takes an open loser for kept', () => {
  const { lost } = verdict(({ histories, cards }) => {
    histories.get(id).splice(1, 1);
    cards[0].conflicts = [{ kind: 'value', field: 'title', values: [{ winner: true, value: 'title 3' }, { winner: false, value: 'title 2' }] }];
  });
  assert.deepEqual(lost, []);
});

test('lets a person end an event that they edited before, and a card keep its date where that stays open', () => {
  const end = { actor: 'person', side: 'calendar', card: id, field: 'due', value: null };
  const unseen = { actor: 'person', side: 'calendar', card: id, field: 'title', value: 'title 8' };
  const { lost } = verdict(({ edits, cards }) => {
    edits.push(unseen, end);
    cards[0].conflicts = [{ kind: 'value', field: 'due', values: [{ winner: true, value: { date: '2027-02-02' } }, { winner: false, value: null }] }];
  });
  assert.deepEqual(lost, []);
});

const losses = {
  "a person's end of an event that left no trace": ({ edits }) => edits.push({ actor: 'person', side: 'calendar', card: id, field: 'due', value: null }),

  'an acknowledged edit of a copy that is nowhere': ({ histories }) => histories.get(id).splice(1, 1),
  'an acknowledged edit of the API that is nowhere': ({ histories }) => { histories.get(id)[0].value = { title: 'title 1' }; },
  'a card that is nowhere': ({ histories, cards, events }) => { histories.clear(); cards.pop(); events.shift(); },
  'a comment that is nowhere': ({ histories, cards }) => { histories.get(id).pop(); cards[0].comments = []; },
  'a comment that is not shown': ({ cards }) => { cards[0].comments = []; },
  'an older value that came back, on both sides': ({ edits, histories, cards, events }) => {
    edits.unshift({ actor: 'api', side: 'board', card: id, field: 'title', value: 'title 0' });
    histories.get(id).unshift({ kind: 'set', field: 'title', value: 'title 0' });
    cards[0].title = events[0].summary = 'title 0';
  },
  "a person's date that is nowhere": ({ cards, events, histories }) => {
    cards[0].due = { date: '2027-01-01' };
    Object.assign(events[0], { start: { date: '2027-01-01' }, end: { date: '2027-01-02' } });
    histories.get(id).splice(3, 1);
  },
  "a person's event that is on no card": ({ made }) => made.push({ title: 'title 9' }),
  'an end without a trace': ({ edits }) => edits.push({ actor: 'api', side: 'board', card: id, field: 'end', value: null }),
};
for (const [name, plant] of Object.entries(losses)) test(`finds ${name}`, () => assert.notEqual(verdict(plant).lost.length, 0));

const doublings = {
  'a card with two events': ({ events }) => events.push({ ...events[0], id: 'e2' }),
  "a person's event on two cards": ({ histories }) => histories.set('b'.repeat(32), histories.get(id)),
};
for (const [name, plant] of Object.entries(doublings)) test(`finds ${name}`, () => assert.notEqual(verdict(plant).duplicates, 0));

const mismatches = {
  'sides that differ': ({ events }) => { events[0].summary = 'title 2'; },
  'an event that was never made': ({ events }) => events.shift(),
  'a hub that knows less than it has acknowledged': (planted) => { planted.violations = ['copy c: 3 operations were acknowledged, the hub has 2']; },
  'copies that differ': ({ hashes }) => { hashes[1] = 'g'; },
};
for (const [name, plant] of Object.entries(mismatches)) test(`finds ${name}`, () => assert.notEqual(verdict(plant).mismatches.length, 0));

test('CBOR comes back as it was', () => {
  const value = { a: [0, 23, 24, 255, 256, 65_536, 2 ** 40, -1, -500], bytes: Uint8Array.of(1, 2), deep: { text: 'ä', yes: true, no: false, nothing: null } };
  assert.deepEqual(decode(encode(value)), value);
});
