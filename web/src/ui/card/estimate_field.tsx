// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { draft_keys } from '../parts/draft_input';
import type { CardPartProps } from './card_editor';

// Minutes of work. An empty input takes the estimate away; what is no whole number is put back, the rest is core's to judge.
export function EstimateField({ card, edit }: CardPartProps) {
  const [draft, set_draft] = useState<string | null>(null);
  const shown = card.estimate === null ? '' : String(card.estimate);
  const commit = (input: HTMLInputElement): void => {
    set_draft(null);
    // A number that is half typed reads as an empty text.
    const minutes = input.validity.badInput ? undefined : minutes_of(input.value);
    if (minutes === undefined || minutes === card.estimate) return;
    void edit({ do: 'set', entity: card.id, field: 'estimate', value: minutes });
  };
  return (
    <label>
      Minutes of work
      <input
        type="number"
        inputMode="numeric"
        min={0}
        step={1}
        placeholder="None"
        data-testid="card-estimate"
        value={draft ?? shown}
        onChange={(event) => set_draft(event.target.value)}
        onBlur={(event) => commit(event.currentTarget)}
        onKeyDown={draft_keys(draft, () => set_draft(null))}
      />
    </label>
  );
}

// Null for none, undefined for what is no whole number.
export function minutes_of(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const minutes = Number(text);
  return Number.isSafeInteger(minutes) ? minutes : undefined;
}
