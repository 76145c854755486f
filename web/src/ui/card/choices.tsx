// SPDX-License-Identifier: Apache-2.0
// Labels, people and the colour of a card. Labels are shared by all boards, so a new one is made in the workspace.
import type { Colour, Id, Label, Member } from '@kalends/core';
import { useState } from 'react';
import { make_id } from '../../core/make_id';
import { colour_class, kColours } from '../colours';
import { use_workspace_edit } from '../context';
import { DraftInput } from '../parts/draft_input';
import { Check, use_pending } from '../parts/pending';
import type { CardPartProps } from './card_editor';

export function LabelsField({ card, edit, labels }: CardPartProps & { labels: ReadonlyMap<Id, Label> }) {
  const edit_workspace = use_workspace_edit();
  const [is_open, set_is_open] = useState(false);
  const toggle = (label: Id, is_on: boolean): Promise<unknown> =>
    edit({ do: is_on ? 'add' : 'remove', entity: card.id, field: 'labels', value: label });
  const make = async (name: string, colour: Colour): Promise<void> => {
    const id = make_id();
    const made = await edit_workspace({ do: 'create', type: 'label', id, fields: { name, colour } });
    if (made !== null) await toggle(id, true);
  };
  return (
    <>
      <ul className="plain choices">
        {[...labels.values()].map((label) => (
          <li key={label.id} className="row">
            <label className="row check grow">
              <Check
                is_on={card.labels.includes(label.id)}
                label={`Label ${label.name || label.colour}`}
                test_id={`label-${label.id}`}
                on_change={(is_on) => toggle(label.id, is_on)}
              />
              {is_open ? null : (
                <span className={`chip label ${colour_class(label.colour)}`}>{label.name || label.colour}</span>
              )}
            </label>
            {is_open && (
              <>
                <DraftInput
                  label={`Name of the label ${label.name}`}
                  value={label.name}
                  on_commit={(value) =>
                    void edit_workspace({ do: 'set', entity: label.id, field: 'name', value })
                  }
                />
                <ColourSelect
                  label={`Colour of the label ${label.name}`}
                  value={label.colour}
                  on_change={(value) =>
                    void edit_workspace({ do: 'set', entity: label.id, field: 'colour', value })
                  }
                />
              </>
            )}
          </li>
        ))}
      </ul>
      <NewLabel on_make={(name, colour) => void make(name, colour)} />
      {labels.size > 0 && (
        <button className="quiet" aria-pressed={is_open} onClick={() => set_is_open(!is_open)}>
          {is_open ? 'Ready' : 'Change the labels of all boards'}
        </button>
      )}
    </>
  );
}

function NewLabel({ on_make }: { on_make(name: string, colour: Colour): void }) {
  const [name, set_name] = useState('');
  const [colour, set_colour] = useState<Colour>('peacock');
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() === '') return;
        on_make(name.trim(), colour);
        set_name('');
      }}
    >
      <input
        aria-label="Name of a new label"
        placeholder="New label…"
        value={name}
        data-testid="new-label"
        onChange={(event) => set_name(event.target.value)}
      />
      <ColourSelect label="Colour of the new label" value={colour} on_change={set_colour} />
      <button disabled={name.trim() === ''}>Add</button>
    </form>
  );
}

interface ColourSelectProps {
  label: string;
  value: Colour;
  on_change(colour: Colour): void;
}

function ColourSelect({ label, value, on_change }: ColourSelectProps) {
  return (
    <select
      className={`colour-select ${colour_class(value)}`}
      aria-label={label}
      value={value}
      onChange={(event) => on_change(event.target.value as Colour)}
    >
      <option value="">none</option>
      {kColours.map((colour) => (
        <option key={colour} value={colour}>
          {colour}
        </option>
      ))}
    </select>
  );
}

export function PeopleField({ card, edit, members }: CardPartProps & { members: ReadonlyMap<Id, Member> }) {
  if (members.size === 0) return <p className="hint">Nobody else is here yet.</p>;
  return (
    <ul className="plain choices">
      {[...members.values()].map((member) => (
        <li key={member.id}>
          <label className="row check">
            <Check
              is_on={card.assignees.includes(member.id)}
              test_id={`member-${member.id}`}
              on_change={(is_on) =>
                edit({ do: is_on ? 'add' : 'remove', entity: card.id, field: 'assignees', value: member.id })
              }
            />
            {member.name || 'Without a name'}
          </label>
        </li>
      ))}
    </ul>
  );
}

interface ColourFieldProps {
  label: string;
  value: Colour;
  on_change(colour: Colour): Promise<unknown>;
}

export function ColourField({ label, value, on_change }: ColourFieldProps) {
  const [shown, choose] = use_pending(value);
  return (
    <div className="swatches" role="radiogroup" aria-label={label}>
      {(['', ...kColours] as Colour[]).map((colour) => (
        <label key={colour} className={`swatch ${colour_class(colour)}`} title={colour || 'no colour'}>
          <input
            type="radio"
            name={label}
            aria-label={colour || 'no colour'}
            checked={shown === colour}
            data-testid={`colour-${colour || 'none'}`}
            onChange={() => choose(colour, on_change(colour))}
          />
        </label>
      ))}
    </div>
  );
}
