// SPDX-License-Identifier: Apache-2.0
// The comparer: a board as its API shows it against a calendar as it is. Written from docs/calendar-mapping.md; it
// shares no code with the engine or the stand-in.

const kColours = ['lavender', 'sage', 'grape', 'flamingo', 'banana', 'tangerine', 'peacock', 'graphite', 'blueberry', 'basil', 'tomato'];

const next_day = (date) => new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

// Milliseconds since 1970 of a wall time in a zone; of a time that comes twice, the first or the second.
export function instant(at, zone, fold = 0) {
  const wall = Date.parse(`${at}Z`);
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  });
  const offset = (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`) - ms;
  };
  const candidates = [...new Set([offset(wall - 86_400_000), offset(wall + 86_400_000)])].map((one) => wall - one);
  const fitting = candidates.filter((ms) => offset(ms) === wall - ms).sort((a, b) => a - b);
  if (fitting.length === 0) return Math.max(...candidates); // clocks skip it
  return fitting[Math.min(fold, fitting.length - 1)];
}

// The start and end that a card's event must have, comparable as text.
function expected_times(card, { zone, duration_minutes }) {
  const { start, due } = card;
  const day = (when) => when.date ?? when.at.slice(0, 10);
  if (start?.date !== undefined || due?.date !== undefined) return `${day(start ?? due)} ${next_day(day(due ?? start))}`;
  const at = (when) => instant(when.at, when.zone || zone, when.fold ?? 0);
  const length = duration_minutes * 60_000;
  if (!start) return `${at(due) - length} ${at(due)}`;
  if (!due) return `${at(start)} ${at(start) + length}`;
  return `${at(start)} ${at(due)}`;
}

const event_times = (event) =>
  event.start.date !== undefined ? `${event.start.date} ${event.end.date}` : `${Date.parse(event.start.dateTime)} ${Date.parse(event.end.dateTime)}`;

const marker_of = (event) => event.extendedProperties?.private?.kalends?.slice(0, 32);

export const wants_event = (card) => !card.archived && (card.start !== null || card.due !== null);

// `adopted`: event id -> card id, for events that people made (they carry no marker of ours).
// Each mismatch is a text; `duplicates` counts events beyond the first of a card.
export function compare(cards, events, { zone = 'UTC', duration_minutes = 60, adopted = new Map() } = {}) {
  const mismatches = [];
  let duplicates = 0;
  const live = events.filter((event) => event.status !== 'cancelled');
  const by_card = new Map();
  for (const event of live) {
    const card = adopted.get(event.id) ?? marker_of(event);
    if (card === undefined) {
      mismatches.push(`event "${event.summary}" belongs to no card`);
      continue;
    }
    by_card.set(card, [...(by_card.get(card) ?? []), event]);
  }
  for (const card of cards) {
    const its = by_card.get(card.id) ?? [];
    by_card.delete(card.id);
    if (!wants_event(card)) {
      if (its.length > 0) mismatches.push(`card "${card.title}" is archived or undated and has an event`);
      continue;
    }
    if (its.length === 0) {
      mismatches.push(`card "${card.title}" has no event`);
      continue;
    }
    if (its.length > 1) {
      duplicates += its.length - 1;
      mismatches.push(`card "${card.title}" has ${its.length} events`);
    }
    const [event] = its;
    const differ = (what, on_card, in_calendar) => {
      if (on_card !== in_calendar) mismatches.push(`card "${card.title}": ${what} is ${JSON.stringify(on_card)} on the card, ${JSON.stringify(in_calendar)} in the calendar`);
    };
    differ('title', (card.done ? '✓ ' : '') + card.title, event.summary ?? '');
    differ('time', expected_times(card, { zone, duration_minutes }), event_times(event));
    differ('description', card.description, event.description ?? '');
    differ('location', card.location, event.location ?? '');
    differ('colour', card.colour, event.colorId === undefined ? '' : kColours[Number(event.colorId) - 1]);
  }
  for (const its of by_card.values())
    for (const event of its) mismatches.push(`event "${event.summary}" is of a card that is not there`);
  // The same thing twice under two cards' names.
  const seen = new Map();
  for (const event of live) {
    const key = `${event.summary} | ${event_times(event)}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const card_keys = new Map();
  for (const card of cards.filter(wants_event)) {
    const key = `${(card.done ? '✓ ' : '') + card.title} | ${expected_times(card, { zone, duration_minutes })}`;
    card_keys.set(key, (card_keys.get(key) ?? 0) + 1);
  }
  for (const [key, count] of seen) {
    const wanted = card_keys.get(key) ?? 0;
    if (wanted > 0 && count > wanted) {
      duplicates += count - wanted;
      mismatches.push(`${count} events look alike (${key}), ${wanted} cards do`);
    }
  }
  return { mismatches, duplicates, events: live.length };
}

const kDone = { insert_event: 'insert', patch_event: 'update', delete_event: 'delete' };

// The ledger's entries of all runs beside what Google did at our asking (its list of changes of this calendar): each
// change has exactly one done entry, and no entry waits. `card_of` knows whose an event is. With `has_kills` an update
// may be one too many where a person made one as well: when both made the same edit and a kill took the answer to ours,
// nobody can tell whose it was.
export function compare_ledger(entries, changes, card_of, { has_kills = false } = {}) {
  const mismatches = [];
  const by_people = new Set(changes.filter((one) => one.by === 'person' && one.kind === 'update').map((one) => `update of card ${card_of(one.event_id)}`));
  const counts = new Map();
  const count = (card, kind, number) => counts.set(`${kind} of card ${card}`, (counts.get(`${kind} of card ${card}`) ?? 0) + number);
  for (const entry of entries) {
    if (entry.outcome === 'unknown') mismatches.push(`entry ${entry.id} waits for an answer`);
    if (entry.outcome === 'done' && kDone[entry.kind] !== undefined) count(entry.card, kDone[entry.kind], 1);
  }
  for (const change of changes) if (change.by === 'api') count(card_of(change.event_id), change.kind, -1);
  for (const [what, number] of counts) {
    const is_anyones = has_kills && number === 1 && by_people.has(what);
    if (number > 0 && !is_anyones) mismatches.push(`${number} entries too many: ${what}`);
    if (number < 0) mismatches.push(`${-number} entries too few: ${what}`);
  }
  return mismatches;
}
