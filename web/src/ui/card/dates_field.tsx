// SPDX-License-Identifier: Apache-2.0
// Start and due: a day, or a wall time in a zone. What is typed becomes an edit when the field is left, so that a
// half-typed year never reaches the calendar.
import type { When } from '@kalends/core';
import { useEffect, useRef, useState } from 'react';
import { is_all_day } from '../format';
import { deep_equal } from '../../replica/view_change';
import type { CardPartProps } from './card_editor';

export function DatesField({ board, card, edit }: CardPartProps) {
  // A start that is moved past the due date takes it along, and the other way round.
  const set = (start: When, due: When, is_start: boolean): void => {
    const crossed = start !== null && due !== null && wall_text(start, 'first') > wall_text(due, 'last');
    const start_after = crossed && !is_start ? due : start;
    const due_after = crossed && is_start ? start : due;
    void edit(
      { do: 'set', entity: card.id, field: 'start', value: start_after },
      { do: 'set', entity: card.id, field: 'due', value: due_after },
    );
  };
  return (
    <>
      <WhenField
        name="Start"
        value={card.start}
        zone={board.time_zone}
        test_id="start"
        on_commit={(value) => set(value, card.due, true)}
      />
      <WhenField
        name="Due"
        value={card.due}
        zone={board.time_zone}
        test_id="due"
        on_commit={(value) => set(card.start, value, false)}
      />
    </>
  );
}

function wall_text(when: Exclude<When, null>, end: 'first' | 'last'): string {
  if (!is_all_day(when)) return when.at;
  return `${when.date}T${end === 'first' ? '00:00:00' : '23:59:59'}`;
}

export interface WhenDraft {
  date: string;
  // "" = all day.
  time: string;
  zone: string;
  fold: number;
}

export function draft_of(when: When, usual_zone: string): WhenDraft {
  if (when === null) return { date: '', time: '', zone: usual_zone, fold: 0 };
  if (is_all_day(when)) return { date: when.date, time: '', zone: usual_zone, fold: 0 };
  return { date: when.at.slice(0, 10), time: when.at.slice(11, 16), zone: when.zone, fold: when.fold };
}

// Undefined: what was typed is no date yet.
export function when_of(draft: WhenDraft): When | undefined {
  if (draft.date === '') return draft.time === '' ? null : undefined;
  if (!/^(19|2\d)\d\d-\d\d-\d\d$/.test(draft.date)) return undefined;
  if (draft.time === '') return { date: draft.date };
  return { at: `${draft.date}T${draft.time}:00`, zone: draft.zone, fold: draft.fold };
}

interface WhenFieldProps {
  name: string;
  value: When;
  // The zone that a new time is in.
  zone: string;
  test_id: string;
  on_commit(value: When): void;
}

function WhenField({ name, value, zone, test_id, on_commit }: WhenFieldProps) {
  const [draft, set_draft] = useState(() => draft_of(value, zone));
  const box = useRef<HTMLFieldSetElement>(null);
  const is_touched = useRef(false);
  useEffect(() => {
    if (!is_touched.current) set_draft(draft_of(value, zone));
  }, [value, zone]);

  const change = (part: Partial<WhenDraft>): void => {
    is_touched.current = true;
    // A new wall time is the first of two equal ones, until somebody says otherwise.
    set_draft((before) => ({ ...before, fold: 0, ...part }));
  };
  const commit = (given: WhenDraft): void => {
    is_touched.current = false;
    const when = when_of(given);
    const is_same = when === undefined || deep_equal(draft_of(when, zone), draft_of(value, zone));
    if (is_same) set_draft(draft_of(value, zone));
    else on_commit(when);
  };
  const commit_now = (part: Partial<WhenDraft>): void => {
    const next = { ...draft, fold: 0, ...part };
    set_draft(next);
    commit(next);
  };
  return (
    <fieldset
      className="when"
      ref={box}
      onBlur={(event) => {
        if (!box.current!.contains(event.relatedTarget)) commit(draft);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit(draft);
      }}
    >
      <legend>{name}</legend>
      <div className="row wrap">
        <input
          type="date"
          aria-label={`${name}: day`}
          data-testid={`${test_id}-date`}
          value={draft.date}
          onChange={(event) => change({ date: event.target.value })}
        />
        <input
          type="time"
          aria-label={`${name}: time; empty for the whole day`}
          title="Leave empty for the whole day"
          data-testid={`${test_id}-time`}
          value={draft.time}
          disabled={draft.date === ''}
          onChange={(event) => change({ time: event.target.value })}
        />
        {draft.date !== '' && (
          <button
            className="quiet icon"
            aria-label={`${name}: clear`}
            data-testid={`${test_id}-clear`}
            onClick={() => commit_now({ date: '', time: '' })}
          >
            ✕
          </button>
        )}
      </div>
      {draft.time !== '' && (
        <div className="row wrap">
          <ZoneInput label={`${name}: time zone`} value={draft.zone} on_change={(given) => commit_now({ zone: given })} />
          <button className="quiet" data-testid={`${test_id}-all-day`} onClick={() => commit_now({ time: '' })}>
            Whole day
          </button>
        </div>
      )}
      {draft.date !== '' && draft.time === '' && <span className="hint">Whole day</span>}
    </fieldset>
  );
}

let zones: readonly string[] | null = null;

function known_zones(): readonly string[] {
  zones ??= ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
  return zones;
}

interface ZoneInputProps {
  label: string;
  value: string;
  on_change(zone: string): void;
  // Whether "no zone" (the same wall time everywhere) can be chosen.
  has_floating?: boolean;
}

export function ZoneInput({ label, value, on_change, has_floating = true }: ZoneInputProps) {
  const list = known_zones();
  return (
    <select className="zone" aria-label={label} value={value} onChange={(event) => on_change(event.target.value)}>
      {has_floating && <option value="">Local time everywhere</option>}
      {value !== '' && !list.includes(value) && <option value={value}>{value}</option>}
      {list.map((zone) => (
        <option key={zone} value={zone}>
          {zone.replaceAll('_', ' ')}
        </option>
      ))}
    </select>
  );
}
