// SPDX-License-Identifier: Apache-2.0
// The check's edits notice when they have not arrived: an oracle that always says yes would find nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from './compare.mjs';
import { board_edits, calendar_edits, is_open_on, random_of } from './edits.mjs';

const all_day_card = { title: 'A', done: false, description: '', location: '', colour: '', start: null, due: { date: '2026-12-01' }, conflicts: [] };
const timed_card = { ...all_day_card, due: { at: '2026-12-01T10:00:00', zone: 'Europe/Berlin', fold: 0 } };
const all_day_event = { summary: 'A', description: '', location: '', start: { date: '2026-12-01' }, end: { date: '2026-12-02' } };
const timed_event = {
  ...all_day_event,
  start: { dateTime: '2026-12-01T09:00:00+01:00', timeZone: 'Europe/Berlin' }, end: { dateTime: '2026-12-01T10:00:00+01:00', timeZone: 'Europe/Berlin' },
};

// As the calendar shows what was written: a time with its offset.
const written = (time) => (time?.dateTime == null ? time : { ...time, dateTime: new Date(instant(time.dateTime, time.timeZone)).toISOString() });
const patched = (event, { start, end, ...rest }) => ({ ...event, ...rest, start: written(start) ?? event.start, end: written(end) ?? event.end });

for (const [kind, edit_of] of Object.entries(board_edits))
  for (const [card, event] of [[all_day_card, all_day_event], [timed_card, timed_event]])
    test(`${kind} on the board of a card ${card.due.date ? 'with a day' : 'with an hour'} is neither seen nor kept before it is made`, () => {
      const edit = edit_of(random_of(3), 7, card);
      assert.equal(edit.seen(event), false);
      assert.equal(edit.seen(null), false);
      assert.equal(edit.kept(card), false);
      assert.equal(edit.kept(null), false);
      assert.equal(edit.kept({ ...card, ...edit.patch }), true);
    });

for (const [kind, edit_of] of Object.entries(calendar_edits))
  for (const [card, event] of [[all_day_card, all_day_event], [timed_card, timed_event]])
    test(`${kind} in the calendar of an event ${event.start.date ? 'of a day' : 'with hours'} is neither seen nor kept before it is made`, () => {
      const edit = edit_of(random_of(3), 7, event);
      assert.equal(edit.seen(card), false);
      assert.equal(edit.seen(null), false);
      assert.equal(edit.kept(event), false);
      assert.equal(edit.kept(null), false);
      assert.equal(edit.kept(patched(event, edit.patch)), true);
    });

test('a value is open on a card only where it has lost', () => {
  const edit = board_edits.retitle(random_of(1), 1, all_day_card);
  const with_values = (...values) => ({ ...all_day_card, conflicts: [{ kind: 'value', field: 'title', values }] });
  assert.equal(is_open_on(null, edit), false);
  assert.equal(is_open_on(all_day_card, edit), false);
  assert.equal(is_open_on(with_values({ value: edit.value, winner: true }, { value: 'other', winner: false }), edit), false);
  assert.equal(is_open_on(with_values({ value: 'other', winner: true }, { value: edit.value, winner: false }), edit), true);
});

test('one seed makes the same edits, another makes others', () => {
  const edits = (seed) => {
    const random = random_of(seed);
    return JSON.stringify(Array.from({ length: 20 }, (_, n) => random.pick(Object.values(calendar_edits))(random, n, all_day_event).patch));
  };
  assert.equal(edits(5), edits(5));
  assert.notEqual(edits(5), edits(6));
});
