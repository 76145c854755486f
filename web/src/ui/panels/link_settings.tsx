// SPDX-License-Identifier: Apache-2.0
// The settings of a link, changed together and saved on a word.
import type { BoardView, Id, Label, Member } from '@kalends/core';
import { useState, type ReactNode } from 'react';
import { ZoneInput } from '../card/dates_field';
import type { LinkSettings } from '../rest';

interface Props {
  board: BoardView;
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
  settings: LinkSettings;
  on_save(settings: LinkSettings): Promise<void>;
}

export function LinkSettingsForm({ board, labels, members, settings, on_save }: Props) {
  const [draft, set_draft] = useState<LinkSettings | null>(null);
  const now = draft ?? settings;
  const change = (part: Partial<LinkSettings>): void => set_draft({ ...now, ...part });
  const lists = board.lists.filter((list) => !list.archived && !list.deleted);
  const list_names = lists.map((list) => [list.id, list.title] as const);
  const which_names =
    now.which === 'label'
      ? [...labels.values()].map((label) => [label.id, label.name || label.colour] as const)
      : [...members.values()].map((member) => [member.id, member.name] as const);
  return (
    <form
      className="settings"
      onSubmit={(event) => {
        event.preventDefault();
        void on_save(now).then(() => set_draft(null));
      }}
    >
      <Row title="Cards in the calendar">
        <Choice
          label="Cards in the calendar"
          value={now.which}
          options={[
            ['all', 'all that have a date'],
            ['label', 'dated, with a label'],
            ['assignee', 'dated, of a person'],
          ]}
          on_change={(which) => change({ which: which as LinkSettings['which'], which_id: null })}
        />
        {now.which !== 'all' && (
          <Choice
            label="Which one"
            value={now.which_id ?? ''}
            options={[['', 'choose…'], ...which_names]}
            on_change={(which_id) => change({ which_id })}
          />
        )}
      </Row>
      <Row title="Done means">
        <Choice
          label="Done means"
          value={now.done}
          options={[
            ['flag', 'the card is marked done'],
            ['list', 'the card is in a list'],
          ]}
          on_change={(done) => change({ done: done as LinkSettings['done'] })}
        />
        {now.done === 'list' && (
          <Choice
            label="The list that means done"
            value={now.done_list ?? ''}
            options={[['', 'choose…'], ...list_names]}
            on_change={(done_list) => change({ done_list })}
          />
        )}
      </Row>
      <Row title="Done shows in the event">
        <Choice
          label="Done shows in the event"
          value={now.done_mark}
          options={[
            ['title', 'as a mark in the title'],
            ['colour', 'by its colour'],
            ['both', 'by both'],
            ['none', 'not at all'],
          ]}
          on_change={(done_mark) => change({ done_mark: done_mark as LinkSettings['done_mark'] })}
        />
      </Row>
      <Row title="The event shows">
        <Choice
          label="The event shows"
          value={now.details}
          options={[
            ['full', 'everything'],
            ['title', 'the title only'],
            ['busy', 'busy only'],
          ]}
          on_change={(details) => change({ details: details as LinkSettings['details'] })}
        />
      </Row>
      <Row title="Length when there is only one time">
        <input
          type="number"
          aria-label="Length in minutes"
          min="5"
          max="1440"
          step="5"
          value={now.duration_minutes}
          onChange={(event) => change({ duration_minutes: event.target.valueAsNumber })}
        />
        minutes
      </Row>
      <Row title="Time zone">
        <ZoneInput
          label="Time zone of the link"
          value={now.time_zone}
          has_floating={false}
          on_change={(time_zone) => change({ time_zone })}
        />
      </Row>
      <Row title="Events made in the calendar">
        <Choice
          label="Events made in the calendar"
          value={now.inbox_list ?? ''}
          options={[['', 'stay there'], ...list_names.map(([id, title]) => [id, `become cards in ${title}`] as const)]}
          on_change={(inbox_list) => change({ inbox_list: inbox_list === '' ? null : inbox_list })}
        />
      </Row>
      <Row title="An event deleted in the calendar">
        <Choice
          label="An event deleted in the calendar"
          value={now.on_event_deleted}
          options={[
            ['unschedule', 'takes the date off the card'],
            ['archive', 'archives the card'],
            ['put_back', 'is put back'],
          ]}
          on_change={(choice) => change({ on_event_deleted: choice as LinkSettings['on_event_deleted'] })}
        />
      </Row>
      <div className="row">
        <button className="primary" disabled={draft === null || !is_complete(now)} data-testid="save-settings">
          Save
        </button>
        {draft !== null && (
          <button type="button" onClick={() => set_draft(null)}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

function is_complete(settings: LinkSettings): boolean {
  return (
    (settings.which === 'all' || !!settings.which_id) &&
    (settings.done === 'flag' || !!settings.done_list) &&
    Number.isInteger(settings.duration_minutes)
  );
}

function Row({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="setting">
      <span className="hint">{title}</span>
      <div className="row wrap">{children}</div>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  on_change(value: string): void;
}

function Choice({ label, value, options, on_change }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => on_change(event.target.value)}>
      {options.map(([key, text]) => (
        <option key={key} value={key} disabled={key === '' && text === 'choose…'}>
          {text}
        </option>
      ))}
    </select>
  );
}
