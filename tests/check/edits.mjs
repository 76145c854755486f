// SPDX-License-Identifier: Apache-2.0
// Seeded edits: what a person does on the board or in the calendar, and how one sees on the other side that it arrived.

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
const kZone = 'Europe/Berlin';

export const day_of = (random) => new Date(Date.UTC(2026, 11, 1 + random.below(60))).toISOString().slice(0, 10);
const day_after = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
const is_all_day_event = (event) => event.start.date !== undefined;
const clear = { dateTime: null, timeZone: null };

// What can be done on the board to a card that has an event. `seen`: the event shows it; `kept`: the card does.
export const board_edits = {
  retitle: (random, n) => {
    const title = `Retitled on the board ${n}`;
    return { field: 'title', patch: { title }, seen: (event) => event?.summary?.endsWith(title), kept: (card) => card?.title === title };
  },
  move: (random) => {
    const due = { date: day_of(random) };
    return { field: 'dates', patch: { start: null, due }, seen: (event) => event?.end.date === day_after(due.date), kept: (card) => card?.due?.date === due.date };
  },
  all_day_or_timed: (random, n, card) => {
    const day = day_of(random);
    const is_timed = (card.due ?? card.start).date === undefined;
    const due = is_timed ? { date: day } : { at: `${day}T15:30:00`, zone: kZone };
    return {
      field: 'dates', patch: { start: null, due },
      seen: (event) => (is_timed ? event?.start.date === day : Date.parse(event?.end.dateTime) === Date.parse(`${day}T14:30:00Z`)),
      kept: (now) => (is_timed ? now?.due?.date === day : now?.due?.at === due.at),
    };
  },
  done: (random, n, card) => {
    const done = !card.done;
    return { field: 'done', patch: { done }, seen: (event) => event?.summary?.startsWith('✓ ') === done, kept: (now) => now?.done === done };
  },
  recolour: (random, n, card) => {
    const colour = random.pick(Object.keys(kColourIds).filter((one) => one !== card.colour));
    return { field: 'colour', patch: { colour }, seen: (event) => event?.colorId === kColourIds[colour], kept: (now) => now?.colour === colour };
  },
};

// What can be done in the calendar to the event of a card. `seen`: the card shows it; `kept`: the event does.
export const calendar_edits = {
  retitle: (random, n, event) => {
    const title = `Retitled in the calendar ${n}`;
    const mark = event.summary.startsWith('✓ ') ? '✓ ' : '';
    return { field: 'title', patch: { summary: mark + title }, seen: (card) => card?.title === title, kept: (now) => now?.summary?.endsWith(title) };
  },
  move: (random) => {
    const day = day_of(random);
    return {
      field: 'dates', patch: { start: { date: day, ...clear }, end: { date: day_after(day), ...clear } },
      seen: (card) => (card?.due?.date ?? card?.start?.date) === day, kept: (now) => now?.start.date === day,
    };
  },
  all_day_or_timed: (random, n, event) => {
    const day = day_of(random);
    if (!is_all_day_event(event)) return calendar_edits.move(random, n, event);
    return {
      field: 'dates',
      patch: { start: { dateTime: `${day}T09:00:00`, timeZone: kZone, date: null }, end: { dateTime: `${day}T10:00:00`, timeZone: kZone, date: null } },
      seen: (card) => (card?.due?.at ?? card?.start?.at ?? '').startsWith(day), kept: (now) => now?.start.dateTime?.startsWith(day),
    };
  },
  done: (random, n, event) => {
    const is_done = event.summary.startsWith('✓ ');
    const summary = is_done ? event.summary.slice(2) : `✓ ${event.summary}`;
    return { field: 'done', patch: { summary }, seen: (card) => card?.done === !is_done, kept: (now) => now?.summary?.startsWith('✓ ') === !is_done };
  },
  recolour: (random, n, event) => {
    const [colour, colorId] = random.pick(Object.entries(kColourIds).filter(([, one]) => one !== event.colorId));
    return { field: 'colour', patch: { colorId }, seen: (card) => card?.colour === colour, kept: (now) => now?.colorId === colorId };
  },
};
