// SPDX-License-Identifier: Apache-2.0
// Seeded edits: what a person does on the board or in the calendar, and how one sees on the other side that it arrived.

import { instant } from './compare.mjs';

// Mulberry32: the same edits for the same seed.
export function random_of(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (bound) => Math.floor(next() * bound),
    pick: (list) => list[Math.floor(next() * list.length)],
    id: () => Array.from({ length: 32 }, () => Math.floor(next() * 16).toString(16)).join(''),
  };
}

const kColourIds = { sage: '2', grape: '3', banana: '5', basil: '10', tomato: '11' };
// Far apart, with half and quarter hours, with and without summer time.
const kZones = ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'];

// Over both changes of the clocks in 2027.
export const day_of = (random) => new Date(Date.UTC(2026, 11, 1 + random.below(350))).toISOString().slice(0, 10);
export const day_after = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
const hour_of = (random) => `${String(6 + random.below(14)).padStart(2, '0')}:${random.pick(['00', '15', '30'])}:00`;
const is_all_day_event = (event) => event.start.date !== undefined;
const is_all_day_card = (card) => (card.due ?? card.start).date !== undefined;
const is_marked = (event) => event.summary?.startsWith('✓ ') ?? false;
const bare_title = (event) => (event.summary ?? '').replace(/^✓ /, '');
const clear = { dateTime: null, timeZone: null };
const without_time = (day) => ({ date: day, ...clear });

// An edit of the board: `field` of `patch` is meant; `seen`: the event shows it; `kept`: the card does; `value`: what
// an open conflict would hold.
function board_field(field, value, seen) {
  return { field, value, patch: { [field]: value }, seen: (event) => event !== null && seen(event), kept: (card) => card !== null && card[field] === value };
}

function board_dates(due) {
  const seen = due.date !== undefined ? (event) => event.end.date === day_after(due.date) : (event) => Date.parse(event.end.dateTime) === instant(due.at, due.zone);
  const is_same = (one) => one?.date === due.date && one?.at === due.at && one?.zone === due.zone;
  return { field: 'dates', value: due, is_same, patch: { start: null, due }, seen: (event) => event !== null && seen(event), kept: (card) => card !== null && is_same(card.due) };
}

const some_day = (random) => ({ date: day_of(random) });
const some_hour = (random) => ({ at: `${day_of(random)}T${hour_of(random)}`, zone: random.pick(kZones) });

export const board_edits = {
  retitle: (random, n) => {
    const title = `Retitled on the board ${n}`;
    return board_field('title', title, (event) => bare_title(event) === title);
  },
  move: (random, n, card) => {
    // Never to where it stands: nothing would be written then.
    for (;;) {
      const edit = board_dates(is_all_day_card(card) ? some_day(random) : some_hour(random));
      const { due } = edit.patch;
      const stays = due?.date !== undefined ? [card.due?.date, card.start?.date].includes(due.date) : due?.at === card.due?.at;
      if (!stays) return edit;
    }
  },
  all_day_or_timed: (random, n, card) => board_dates(is_all_day_card(card) ? some_hour(random) : some_day(random)),
  done: (random, n, card) => board_field('done', !card.done, (event) => is_marked(event) === !card.done),
  recolour: (random, n, card) => {
    const colour = random.pick(Object.keys(kColourIds).filter((one) => one !== card.colour));
    return board_field('colour', colour, (event) => event.colorId === kColourIds[colour]);
  },
  place: (random, n) => board_field('location', `Room ${n} of the board`, (event) => event.location === `Room ${n} of the board`),
  describe: (random, n, card) => {
    const text = `Line ${n} of the board\n${card.description}`;
    return board_field('description', text, (event) => event.description === text);
  },
};

// An edit of the calendar: `seen`: the card shows it; `kept`: the event does.
function calendar_field(field, value, patch, kept) {
  return { field, value, patch, seen: (card) => card !== null && card[field] === value, kept: (event) => event !== null && kept(event) };
}

function calendar_dates(start, end) {
  const is_all_day = start.date !== null;
  const last_day = is_all_day ? new Date(Date.parse(end.date) - 86_400_000).toISOString().slice(0, 10) : '';
  // A card with one date only may keep having only that one, when it gives the same event.
  const is_same = (when) => when != null && (is_all_day ? when.date === start.date || when.date === last_day
    : when.at !== undefined && [start, end].some((one) => instant(when.at, when.zone || one.timeZone, when.fold ?? 0) === instant(one.dateTime, one.timeZone)));
  const kept = (event) => (is_all_day ? event.start.date === start.date && event.end.date === end.date
    : Date.parse(event.start.dateTime) === instant(start.dateTime, start.timeZone) && Date.parse(event.end.dateTime) === instant(end.dateTime, end.timeZone));
  const seen = (card) => card !== null && (is_same(card.due) || (card.due === null && is_same(card.start)));
  return { field: 'dates', is_same, patch: { start, end }, seen, kept: (event) => event !== null && kept(event) };
}

function timed_dates(random) {
  const timeZone = random.pick(kZones);
  const day = day_of(random);
  const hour = 6 + random.below(12);
  const at = (h) => ({ dateTime: `${day}T${String(h).padStart(2, '0')}:00:00`, timeZone, date: null });
  return calendar_dates(at(hour), at(hour + 1 + random.below(3)));
}

function all_day_dates(random) {
  const day = day_of(random);
  const last = random.below(3) === 0 ? day_after(day) : day;
  return calendar_dates(without_time(day), without_time(day_after(last)));
}

export const calendar_edits = {
  retitle: (random, n, event) => {
    const title = `Retitled in the calendar ${n}`;
    return calendar_field('title', title, { summary: (is_marked(event) ? '✓ ' : '') + title }, (now) => bare_title(now) === title);
  },
  move: (random, n, event) => (is_all_day_event(event) ? all_day_dates(random) : timed_dates(random)),
  all_day_or_timed: (random, n, event) => (is_all_day_event(event) ? timed_dates(random) : all_day_dates(random)),
  done: (random, n, event) => {
    const is_done = is_marked(event);
    return calendar_field('done', !is_done, { summary: (is_done ? '' : '✓ ') + bare_title(event) }, (now) => is_marked(now) === !is_done);
  },
  recolour: (random, n, event) => {
    const [colour, colorId] = random.pick(Object.entries(kColourIds).filter(([, one]) => one !== event.colorId));
    return calendar_field('colour', colour, { colorId }, (now) => now.colorId === colorId);
  },
  place: (random, n) => calendar_field('location', `Room ${n} of the calendar`, { location: `Room ${n} of the calendar` }, (now) => now.location === `Room ${n} of the calendar`),
  describe: (random, n, event) => {
    const text = `${event.description ?? ''}\nLine ${n} of the calendar`;
    return calendar_field('description', text, { description: text }, (now) => now.description === text);
  },
};

// Whether the loser of a double edit is kept open on the card.
export function is_open_on(card, edit) {
  const is_it = edit.is_same ?? ((value) => value === edit.value);
  return card !== null && card.conflicts.some((conflict) => conflict.values.some((one) => !one.winner && one.value !== null && is_it(one.value)));
}
