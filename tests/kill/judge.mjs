// SPDX-License-Identifier: Apache-2.0
// The oracle of the kill campaign: what was acknowledged, against what is there. Shares no code with the engine.
//
// An edit is {actor, side: board or calendar, card, field: title, location, due, comment, life, end; value}. Values are
// unique, so a value tells whose edit it is. `copies` are histories: card id -> rows {field, kind, value, cause}.
import { compare } from '../check/compare.mjs';

const date_of = (when) => (when == null ? null : (when.date ?? when.at ?? null));
const value_of = (card, field) => (field === 'due' ? date_of(card.due) : card[field]);
const open_values = (card, field) =>
  card.conflicts.filter((one) => one.field === field || (field === 'due' && one.field === 'start')).flatMap((one) => one.values.map(({ value }) => (field === 'due' ? date_of(value) : value)));

// Every text and date that the history of a card holds, by field, and null where a field was emptied.
function values_in(rows) {
  const values = new Map();
  const add = (field, value) => values.set(field, (values.get(field) ?? new Set()).add(value));
  const walk = (field, value) => {
    if (value === null || typeof value !== 'object') return add(field, value ?? null);
    if (field === 'due' || field === 'start') return add(field, date_of(value));
    for (const [name, one] of Object.entries(value)) walk(Number.isNaN(Number(name)) ? name : field, one);
  };
  for (const { field, value } of rows) walk(field ?? '', value);
  return values;
}

const has = (values, field, value) => [field, '', 'fields'].some((name) => values.get(name)?.has(value)) || (field === 'comment' && [...values.values()].some((set) => set.has(value)));

// `lost_with_it`: edits that a restore has taken away; what they said may be shown, and need not. An edit that `is_given`
// stands for all that was there before.
export function judge({ edits, lost_with_it = [], cards, events, histories, adopted = new Map(), made = [], violations = [], hashes = [] }) {
  const lost = [];
  const by_id = new Map(cards.map((card) => [card.id, card]));
  const of_pair = new Map();
  for (const edit of edits) {
    const key = `${edit.card} ${edit.field}`;
    of_pair.set(key, [...(of_pair.get(key) ?? []), edit]);
  }
  const last_end_of_event = new Map(edits.map((edit, order) => [edit, order]).filter(([edit]) => edit.side === 'calendar' && edit.value === null).map(([edit, order]) => [edit.card, order]));
  for (const [key, its] of of_pair) {
    const [id, field] = key.split(' ');
    const card = by_id.get(id) ?? null;
    const values = values_in(histories.get(id) ?? []);
    if (field === 'life') {
      if (!histories.has(id)) lost.push(`the card ${id} "${its[0].value}" is nowhere`);
      continue;
    }
    if (field === 'end') {
      if (card !== null && !card.conflicts.some(({ kind }) => kind === 'deletion') && !(histories.get(id) ?? []).some(({ kind }) => kind === 'delete')) lost.push(`the end of card ${id} left no trace`);
      continue;
    }
    const last = new Map(its.map((edit) => [edit.actor, edit]));
    const is_ended_after = (edit) => edits.indexOf(edit) < (last_end_of_event.get(id) ?? -1);
    for (const edit of its) {
      // A person may change an event again before anybody has looked at it: what counts there is the last change.
      if (edit.side === 'calendar' && last.get(edit.actor) !== edit) continue;
      if (edit.side === 'calendar' && (card === null || is_ended_after(edit))) continue; // its card or its event was ended meanwhile
      const is_shown = card !== null && (field === 'comment' ? card.comments.some(({ text }) => text === edit.value) : value_of(card, field) === edit.value);
      const is_kept = is_shown || edit.is_given || (card !== null && field !== 'comment' && open_values(card, field).includes(edit.value)) || has(values, field, edit.value) || (field === 'due' && has(values, 'start', edit.value));
      if (!is_kept) lost.push(`${edit.side} edit by ${edit.actor} of ${field} on card ${id}: ${JSON.stringify(edit.value)} is neither shown nor open nor in the history`);
      if (field === 'comment' && card !== null && !is_shown) lost.push(`the comment ${JSON.stringify(edit.value)} is not shown`);
    }
    // What is shown is somebody's last word. An older one has come back from the dead.
    // (A card's end that is lost has taken its event away all the same: the card is there again without its date.)
    const words = [...last.values(), ...lost_with_it.filter((edit) => edit.card === id && (edit.field === field || (edit.field === 'end' && field === 'due')))];
    // Of an event that a person edited and then ended, what was seen last is as good as what was said last; its date only
    // where the card was edited meanwhile: that stays, and "no date" is open.
    if (field !== 'due' || open_values(card ?? { conflicts: [] }, field).includes(null)) words.push(...its.filter((edit) => edit.side === 'calendar' && is_ended_after(edit)));
    if (card !== null && field !== 'comment' && !words.some((edit) => edit.value === value_of(card, field)))
      lost.push(`card ${id} shows ${field} ${JSON.stringify(value_of(card, field))}, which is nobody's last word (${[...last.values()].map((edit) => `${edit.actor}: ${JSON.stringify(edit.value)}`).join(', ')})`);
  }
  // Each event that a person made is one card's.
  let doubled = 0;
  for (const { title } of made) {
    const its = [...histories].filter(([, rows]) => values_in(rows).get('title')?.has(title) || has(values_in(rows), 'title', title)).length;
    if (its === 0) lost.push(`the event "${title}", made by a person, is on no card`);
    if (its > 1) {
      doubled += its - 1;
      violations = [...violations, `the event "${title}" is on ${its} cards`];
    }
  }
  const found = compare(cards, events, { adopted });
  if (new Set(hashes).size > 1) violations = [...violations, `the copies differ: ${[...new Set(hashes)].join(', ')}`];
  return { lost, duplicates: found.duplicates + doubled, mismatches: [...found.mismatches, ...violations], events: found.events };
}
