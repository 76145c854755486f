// SPDX-License-Identifier: Apache-2.0
// The small pure parts of the page: places, dates and words.
import type { BoardView } from '@kalends/core';
import { describe, expect, test } from 'vitest';
import { is_openable } from '../../src/ui/card/attachments';
import { draft_of, when_of } from '../../src/ui/card/dates_field';
import { minutes_of } from '../../src/ui/card/estimate_field';
import { drop_command } from '../../src/ui/board/drop_command';
import { format_minutes, format_value, is_past, wall_clock } from '../../src/ui/format';
import { parse_route, route_address } from '../../src/ui/route';
import { initials } from '../../src/ui/top_bar';

const kBoard = {
  lists: [
    { id: 'A', cards: ['1', '2', '3'] },
    { id: 'B', cards: [] },
    { id: 'C', cards: ['4'] },
  ],
} as unknown as BoardView;

describe('dropping', () => {
  const card = (id: string, list: string) => ({ kind: 'card' as const, card: id, list });
  const list = (id: string) => ({ kind: 'list' as const, list: id });
  test('a card lands after the one whose lower half it was dropped on', () => {
    expect(drop_command(kBoard, card('1', 'A'), card('2', 'A'), 'bottom')).toEqual({ do: 'move', entity: '1', list: 'A', after: '2' });
  });
  test('a card lands before the first one on its upper half', () => {
    expect(drop_command(kBoard, card('4', 'C'), card('1', 'A'), 'top')).toEqual({ do: 'move', entity: '4', list: 'A', after: null });
  });
  test('a card dropped on a list goes to its end', () => {
    expect(drop_command(kBoard, card('4', 'C'), list('A'), null)).toEqual({ do: 'move', entity: '4', list: 'A', after: '3' });
    expect(drop_command(kBoard, card('1', 'A'), list('B'), null)).toEqual({ do: 'move', entity: '1', list: 'B', after: null });
  });
  test('a card dropped where it already is does not move', () => {
    expect(drop_command(kBoard, card('2', 'A'), card('1', 'A'), 'bottom')).toBeNull();
    expect(drop_command(kBoard, card('3', 'A'), list('A'), null)).toBeNull();
  });
  test('a list lands on the side of the list it was dropped at', () => {
    expect(drop_command(kBoard, list('C'), list('A'), 'right')).toEqual({ do: 'move', entity: 'C', after: 'A' });
    expect(drop_command(kBoard, list('C'), list('A'), 'left')).toEqual({ do: 'move', entity: 'C', after: null });
    expect(drop_command(kBoard, list('A'), list('B'), 'left')).toBeNull();
  });
});

describe('dates being typed', () => {
  test.each([
    [null],
    [{ date: '2026-11-24' }],
    [{ at: '2026-11-24T10:30:00', zone: 'Europe/Berlin', fold: 1 }],
    [{ at: '2026-11-24T10:30:00', zone: '', fold: 0 }],
  ])('%j survives being shown and read back', (when) => {
    expect(when_of(draft_of(when, 'UTC'))).toEqual(when);
  });
  test('a half-typed year is no date yet', () => {
    expect(when_of({ date: '0202-11-24', time: '', zone: '', fold: 0 })).toBeUndefined();
  });
  test('a time without a day is no date yet', () => {
    expect(when_of({ date: '', time: '10:00', zone: '', fold: 0 })).toBeUndefined();
  });
});

describe('what has passed', () => {
  const now = new Date('2026-11-24T23:30:00Z');
  test('is told by the clock of the zone', () => {
    expect(wall_clock(now, 'Europe/Berlin')).toBe('2026-11-25T00:30:00');
    expect(is_past({ at: '2026-11-25T00:00:00', zone: 'Europe/Berlin', fold: 0 }, 'UTC', now)).toBe(true);
    expect(is_past({ at: '2026-11-25T00:00:00', zone: 'UTC', fold: 0 }, 'Europe/Berlin', now)).toBe(false);
  });
  test('does not hold the due day itself', () => {
    expect(is_past({ date: '2026-11-24' }, 'UTC', now)).toBe(false);
    expect(is_past({ date: '2026-11-24' }, 'Europe/Berlin', now)).toBe(true);
  });
  test('an unknown zone falls back to the browser', () => {
    expect(wall_clock(now, 'Nowhere/Else')).toMatch(/^2026-11-2\dT/);
  });
});

test('addresses of scripts are not opened', () => {
  expect(is_openable('https://example.org/x')).toBe(true);
  expect(is_openable('javascript:alert(1)')).toBe(false);
  expect(is_openable('data:text/html,x')).toBe(false);
  expect(is_openable('not an address')).toBe(false);
});
test('an estimate is a whole number, or nothing', () => {
  expect(['', ' ', '0', '90', ' 5 ', '1e3', '-5'].map(minutes_of)).toEqual([null, null, 0, 90, 5, 1000, -5]);
  expect(['1.5', 'two', '1e40', '∞'].map(minutes_of)).toEqual([undefined, undefined, undefined, undefined]);
});
test('routes survive being written and read', () => {
  const id = '0123456789abcdef0123456789abcdef';
  for (const route of [{ at: 'boards' }, { at: 'board', board: id, card: null }, { at: 'board', board: id, card: id }] as const) {
    expect(parse_route(route_address(route))).toEqual(route);
  }
  expect(parse_route('#/board/../x')).toEqual({ at: 'boards' });
});
test('values of all kinds have words', () => {
  const name_of = (id: string): string | null => (id === 'l1' ? 'Next' : null);
  expect(format_value(null, '', name_of)).toBe('nothing');
  expect(format_value(true, '', name_of)).toBe('yes');
  expect(format_value({ list: 'l1' }, '', name_of)).toBe('Next');
  expect(format_value([10, 20], '', name_of)).toBe('10, 20');
  expect(format_minutes(90)).toBe('90 minutes');
  expect(format_minutes(2880)).toBe('2 days');
  expect(initials('Åsa Öberg')).toBe('ÅÖ');
  expect(initials('')).toBe('?');
});
