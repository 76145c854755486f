// SPDX-License-Identifier: Apache-2.0
// A card on the board: its title and, as chips, what else there is to know at a glance.
import type { Card, Id, Label, Member } from '@kalends/core';
import { memo, useRef, type ComponentProps, type ReactNode } from 'react';
import { colour_class } from '../colours';
import { format_span, is_past } from '../format';
import { Icon } from '../parts/icon';
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
        <Chip icon="done" className="good" test_id="chip-done">
          done
        </Chip>
      )}
      {has_date && (
        <Chip icon="clock" className={is_late ? 'late' : ''} test_id="chip-date">
          {format_span(card.start, card.due, time_zone)}
          {is_late && <span className="visually-hidden"> (past)</span>}
        </Chip>
      )}
      {card.conflicts.length > 0 && (
        <Chip icon="warning" className="warn" title="Open conflicts" test_id="chip-conflict">
          {card.conflicts.length}
        </Chip>
      )}
      {items.length > 0 && (
        <Chip icon="checklist" title="Checklist">
          {items.filter((item) => item.done).length}/{items.length}
        </Chip>
      )}
      {card.description !== '' && <Chip icon="text" title="Has a description" />}
      {card.comments.length > 0 && (
        <Chip icon="comment" title="Comments">
          {card.comments.length}
        </Chip>
      )}
      {card.attachments.length > 0 && (
        <Chip icon="clip" title="Attachments">
          {card.attachments.length}
        </Chip>
      )}
      {card.location !== '' && (
        <Chip icon="place" title="Location">
          {card.location}
        </Chip>
      )}
      {shown_members.map((member) => (
        <span key={member.id} className="avatar small" title={member.name}>
          {initials(member.name)}
        </span>
      ))}
    </span>
  );
}

interface ChipProps {
  icon: ComponentProps<typeof Icon>['name'];
  title?: string;
  className?: string;
  test_id?: string;
  children?: ReactNode;
}

function Chip({ icon, title, className = '', test_id, children }: ChipProps) {
  return (
    <span className={`chip ${className}`} title={title} data-testid={test_id}>
      <Icon name={icon} />
      {title !== undefined && <span className="visually-hidden">{title} </span>}
      {children !== undefined && <span className="chip-text">{children}</span>}
    </span>
  );
}
