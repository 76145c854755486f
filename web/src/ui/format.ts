// SPDX-License-Identifier: Apache-2.0
// Values of core as words for people, in the browser's language.
import type { FieldValue, When } from '@kalends/core';

type Day = Exclude<When, null> & { date: string };

export function is_all_day(when: Exclude<When, null>): when is Day {
  return 'date' in when;
}

// "Tue, 24 Nov" or "Tue, 24 Nov, 10:00"; the zone only when it is not `usual_zone`.
export function format_when(when: When, usual_zone: string): string {
  if (when === null) return 'none';
  if (is_all_day(when)) return format_wall(`${when.date}T00:00:00`, false);
  const zone = when.zone === usual_zone || when.zone === '' ? '' : ` (${when.zone.replaceAll('_', ' ')})`;
  return format_wall(when.at, true) + zone;
}

// One text for both ends of a card's time.
export function format_span(start: When, due: When, usual_zone: string): string {
  if (start === null) return format_when(due, usual_zone);
  if (due === null) return `from ${format_when(start, usual_zone)}`;
  const from = format_when(start, usual_zone);
  const to = format_when(due, usual_zone);
  if (from === to) return from;
  if (!is_all_day(start) && !is_all_day(due) && start.at.slice(0, 10) === due.at.slice(0, 10)) {
    return `${from}–${format_time(due.at)}`;
  }
  return `${from} – ${to}`;
}

// Whether the end has passed, by the wall clock of the time's own zone. An all-day due date includes its day.
export function is_past(when: When, usual_zone: string, now: Date): boolean {
  if (when === null) return false;
  if (is_all_day(when)) return when.date < wall_clock(now, usual_zone).slice(0, 10);
  return when.at < wall_clock(now, when.zone === '' ? usual_zone : when.zone);
}

// "2026-11-24T10:00:00" in the zone; in the browser's own when the zone is unknown here.
export function wall_clock(instant: Date, zone: string): string {
  const options: Intl.DateTimeFormatOptions = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  };
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = formatter('en', { ...options, ...(zone !== '' && { timeZone: zone }) }).formatToParts(instant);
  } catch {
    parts = formatter('en', options).formatToParts(instant);
  }
  const get = (type: string): string => parts.find((part) => part.type === type)?.value ?? '00';
  return `${get('year')}-${get('month')}-${get('day')}T${get('hour')}:${get('minute')}:${get('second')}`;
}

export function format_instant(at_ms: number): string {
  return formatter(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(at_ms);
}

// A field's value in a list of conflicts or in the tray. `name_of` knows the names of ids, or gives null.
export function format_value(value: FieldValue, usual_zone: string, name_of: (id: string) => string | null): string {
  if (value === null) return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value === '' ? 'nothing' : (name_of(value) ?? value);
  if (Array.isArray(value)) {
    const items = value as readonly FieldValue[];
    return items.length === 0 ? 'nothing' : items.map((item) => format_value(item, usual_zone, name_of)).join(', ');
  }
  const map = value as Record<string, FieldValue>;
  if (typeof map['date'] === 'string' || typeof map['at'] === 'string') return format_when(map as When, usual_zone);
  if (typeof map['list'] === 'string') return name_of(map['list']) ?? 'another list';
  return Object.entries(map)
    .map(([key, inner]) => `${key}: ${format_value(inner, usual_zone, name_of)}`)
    .join(', ');
}

export function format_minutes(minutes: number): string {
  if (minutes === 0) return 'at the start';
  if (minutes % 10080 === 0) return count(minutes / 10080, 'week');
  if (minutes % 1440 === 0) return count(minutes / 1440, 'day');
  if (minutes % 60 === 0) return count(minutes / 60, 'hour');
  return count(minutes, 'minute');
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const kFieldNames: Record<string, string> = {
  title: 'Title',
  description: 'Description',
  start: 'Start',
  due: 'Due',
  done: 'Done',
  location: 'Place',
  colour: 'Colour',
  reminders: 'Reminders',
  estimate: 'Estimate',
  archived: 'Archived',
  position: 'Place on the board',
  rank: 'Place on the board',
  list: 'List',
  custom: 'Custom field',
  name: 'Name',
  text: 'Text',
  url: 'Address',
  deleted: 'Deletion',
  time_zone: 'Time zone',
};

export function field_name(field: string): string {
  return kFieldNames[field] ?? field.replaceAll('_', ' ');
}

// Wall times are shown as they are: read and written as UTC, so that the browser's own zone plays no part.
function format_wall(at: string, has_time: boolean): string {
  const instant = new Date(`${at}Z`);
  if (Number.isNaN(instant.getTime())) return at;
  const is_this_year = at.slice(0, 4) === String(new Date().getFullYear());
  return formatter(undefined, {
    timeZone: 'UTC',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(!is_this_year && { year: 'numeric' }),
    ...(has_time && { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  }).format(instant);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

// Making one costs about as much as drawing a card, and a board needs the same few for all of them.
function formatter(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale ?? ''} ${JSON.stringify(options)}`;
  let known = formatters.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(locale, options);
    formatters.set(key, known);
  }
  return known;
}

function format_time(at: string): string {
  return at.slice(11, 16);
}
