// SPDX-License-Identifier: Apache-2.0
// A card on the board: its title and, as chips, what else there is to know at a glance.
import type { Card, Id, Label, Member } from '@kalends/core';
import { memo, useRef } from 'react';
import { colour_class } from '../colours';
import { format_span, is_past } from '../format';
import { route_address } from '../route';
import { initials } from '../top_bar';
import { use_card_drag } from './drag';

interface Props {
  board: Id;
  card: Card;
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
  time_zone: string;
}

export const CardTile = memo(function CardTile({ board, card, labels, members, time_zone }: Props) {
  const element = useRef<HTMLLIElement>(null);
  const { is_dragged, edge } = use_card_drag(element, card.id, card.list);
  return (
    <li
      ref={element}
      className={`card-place${is_dragged ? ' dragged' : ''}${edge === null ? '' : ` edge-${edge}`}`}
      data-testid={`card-${card.id}`}
    >
      <a
        className={`card ${colour_class(card.colour)}${card.done ? ' done' : ''}`}
        href={route_address({ at: 'board', board, card: card.id })}
        draggable={false}
      >
        <span className="card-title">{card.title || 'Without a title'}</span>
        <Chips card={card} labels={labels} members={members} time_zone={time_zone} />
      </a>
    </li>
  );
});

function Chips({ card, labels, members, time_zone }: Omit<Props, 'board'>) {
  const items = card.checklists.flatMap((checklist) => checklist.items);
  const has_date = card.start !== null || card.due !== null;
  const is_late = !card.done && is_past(card.due, time_zone, new Date());
  const shown_labels = card.labels.flatMap((id) => labels.get(id) ?? []);
  const shown_members = card.assignees.flatMap((id) => members.get(id) ?? []);
  const has_any =
    has_date ||
    card.done ||
    shown_labels.length + shown_members.length + items.length + card.comments.length > 0 ||
    card.attachments.length > 0 ||
    card.description !== '' ||
    card.location !== '' ||
    card.conflicts.length > 0;
  if (!has_any) return null;
  return (
    <span className="chips">
      {shown_labels.map((label) => (
        <span key={label.id} className={`chip label ${colour_class(label.colour)}`} data-testid="chip-label">
          {label.name || label.colour || 'label'}
        </span>
      ))}
      {card.done && (
        <span className="chip good" data-testid="chip-done">
          ✓ done
        </span>
      )}
      {has_date && (
        <span className={`chip${is_late ? ' late' : ''}`} data-testid="chip-date">
          {format_span(card.start, card.due, time_zone)}
          {is_late && <span className="visually-hidden"> (past)</span>}
        </span>
      )}
      {card.conflicts.length > 0 && (
        <span className="chip warn" data-testid="chip-conflict" title="Edits by two people met here">
          ⚠ {card.conflicts.length}
          <span className="visually-hidden"> open conflicts</span>
        </span>
      )}
      {items.length > 0 && (
        <span className="chip" title="Checklist">
          ☑ {items.filter((item) => item.done).length}/{items.length}
        </span>
      )}
      {card.description !== '' && (
        <span className="chip" title="Has a description" aria-label="has a description">
          ≡
        </span>
      )}
      {card.comments.length > 0 && (
        <span className="chip" title="Comments">
          💬 {card.comments.length}
        </span>
      )}
      {card.attachments.length > 0 && (
        <span className="chip" title="Attachments">
          📎 {card.attachments.length}
        </span>
      )}
      {card.location !== '' && (
        <span className="chip" title="Place">
          ⌂ {card.location}
        </span>
      )}
      {shown_members.map((member) => (
        <span key={member.id} className="avatar small" title={member.name}>
          {initials(member.name)}
        </span>
      ))}
    </span>
  );
}
