// SPDX-License-Identifier: Apache-2.0
import type { BoardSnapshot, CardSnapshot, ListSnapshot, NewCard, Placement } from './api_types.js';
import { Card, card_fields } from './card.js';
import { KalendsError } from './errors.js';
import { plain } from './share.js';
import type { DocumentState } from './state.js';
import type { Colour, Command, Id } from './types.js';
import type { Unsubscribe, Workspace } from './workspace.js';

/** A board of a {@link Workspace}. */
export class Board {
  private readonly cards_ = new Map<Id, Card>();

  private constructor(
    /** The workspace that it belongs to. */
    readonly workspace: Workspace,
    private readonly state_: DocumentState,
  ) {}

  /** @internal */
  static of_(workspace: Workspace, state: DocumentState): Board {
    return new Board(workspace, state);
  }

  /** The board's id: 32 hexadecimal digits. */
  get id(): Id {
    return this.state_.engine.id;
  }

  /** The board without what is on its cards. */
  get snapshot(): BoardSnapshot {
    this.workspace.check_();
    return this.state_.view() as BoardSnapshot;
  }

  /** The lists in order, each with the ids of its cards. */
  lists(): readonly ListSnapshot[] {
    return this.snapshot.lists;
  }

  /** All live cards, list by list. */
  cards(): readonly CardSnapshot[] {
    this.workspace.check_();
    return this.state_.cards();
  }

  /** A card as it is shown; undefined when there is none or it was deleted. */
  find(id: Id): CardSnapshot | undefined {
    this.workspace.check_();
    return this.state_.card(id);
  }

  /** The card with this id, to read and to change; the same object each time. Whether it exists is found out then. */
  card(id: Id): Card {
    let card = this.cards_.get(id);
    if (card === undefined) this.cards_.set(id, (card = Card.of_(this, this.state_, id)));
    return card;
  }

  /**
   * Makes a card.
   *
   * @throws KalendsError `not_found` when there is no such list; `invalid` when a field does not fit.
   */
  createCard(card: NewCard): Card {
    const id = card.id ?? this.workspace.make_id_();
    const fields = card_fields(card);
    const { after } = card;
    this.do(
      after === undefined
        ? { do: 'create', type: 'card', id, fields }
        : { do: 'create', type: 'card', id, fields, after },
    );
    return this.card(id);
  }

  /** Makes a list. */
  createList(list: Placement & { readonly title: string; readonly colour?: Colour; readonly id?: Id }): Id {
    return this.create('list', list);
  }

  /** Changes the fields that are named. */
  editList(id: Id, fields: { readonly title?: string; readonly colour?: Colour; readonly archived?: boolean }): void {
    this.workspace.set_(this.state_, id, undefined, fields);
  }

  /** Puts a list somewhere else among the lists. */
  moveList(id: Id, to: Placement): void {
    this.do({ do: 'move', entity: id, ...to });
  }

  /** Deletes a list and the cards that stand in it now. */
  deleteList(id: Id): void {
    this.do({ do: 'delete', entity: id });
  }

  /** Brings a deleted list back; its cards are restored one by one. */
  restoreList(id: Id): void {
    this.do({ do: 'restore', entity: id });
  }

  /** Makes a field of the board's own; cards hold its values in `custom`. */
  createCustomField(field: Placement & { readonly title: string; readonly id?: Id }): Id {
    return this.create('custom_field', field);
  }

  /** Renames a custom field. */
  editCustomField(id: Id, fields: { readonly title: string }): void {
    this.workspace.set_(this.state_, id, undefined, fields);
  }

  /** Deletes a custom field; its values are not shown any more. */
  deleteCustomField(id: Id): void {
    this.do({ do: 'delete', entity: id });
  }

  /** Changes the board's title (here and in the workspace's list), its time zone (an IANA name), whether it is archived. */
  edit(fields: { readonly title?: string; readonly timeZone?: string; readonly archived?: boolean }): void {
    const { workspace, state_, id } = this;
    const { timeZone, archived, title } = fields;
    workspace.transact(() => {
      workspace.set_(state_, id, undefined, { title, time_zone: timeZone });
      if (workspace.boards().some((entry) => entry.id === id))
        workspace.set_(workspace.state_(null), id, undefined, { title, archived });
    });
  }

  /** Takes the board out of the workspace's list; its cards stay until it is restored. */
  delete(): void {
    this.workspace.edit_(this.workspace.state_(null), { do: 'delete', entity: this.id });
  }

  /** Brings it back into the workspace's list. */
  restore(): void {
    this.workspace.edit_(this.workspace.state_(null), { do: 'restore', entity: this.id });
  }

  /** Calls `listener` after every change on this board. */
  subscribe(listener: () => void): Unsubscribe {
    return this.state_.listen(this.id, listener);
  }

  private do(command: Command): void {
    this.workspace.edit_(this.state_, command);
  }

  private create(type: 'list' | 'custom_field', made: Placement & { readonly id?: Id }): Id {
    const { id = this.workspace.make_id_(), after, ...fields } = made;
    const command: Command = { do: 'create', type, id, fields: plain(fields) as Record<string, never> };
    this.do(after === undefined ? command : { ...command, after });
    return id;
  }
}

/** @internal */
export function not_here(): KalendsError {
  return new KalendsError('not_found', 'This board has no such card, or it was deleted.');
}
