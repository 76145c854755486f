// SPDX-License-Identifier: Apache-2.0
import { format_minutes } from '../format';
import type { CardPartProps } from './card_editor';

const kOffered = [0, 5, 10, 15, 30, 60, 120, 1440, 2880, 10080];

// How long before the time of the card its calendar speaks up.
export function RemindersField({ card, edit }: CardPartProps) {
  const set = (reminders: number[]): void =>
    void edit({ do: 'set', entity: card.id, field: 'reminders', value: reminders.sort((left, right) => left - right) });
  return (
    <div className="row wrap">
      {card.reminders.map((minutes) => (
        <span key={minutes} className="chip">
          {format_minutes(minutes)}
          <button
            className="quiet icon tiny"
            aria-label={`Remove the reminder ${format_minutes(minutes)}`}
            onClick={() => set(card.reminders.filter((other) => other !== minutes))}
          >
            ✕
          </button>
        </span>
      ))}
      <select
        aria-label="Add a reminder"
        data-testid="add-reminder"
        value=""
        onChange={(event) => set([...card.reminders, Number(event.target.value)])}
      >
        <option value="" disabled>
          Add…
        </option>
        {kOffered
          .filter((minutes) => !card.reminders.includes(minutes))
          .map((minutes) => (
            <option key={minutes} value={minutes}>
              {minutes === 0 ? 'at the start' : `${format_minutes(minutes)} before`}
            </option>
          ))}
      </select>
    </div>
  );
}
