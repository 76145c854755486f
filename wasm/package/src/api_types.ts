// SPDX-License-Identifier: Apache-2.0
// What the public API shows and takes. Snapshots are frozen plain objects; an equal part is the same object as before.

import type { ChildType, Colour, DocumentKind, EntityType, FieldValue, Id, OpId, When } from './types.js';

/**
 * A date: `null` for none; a day (`{ date: '2026-11-24' }`); or a wall time in an IANA zone
 * (`{ at: '2026-11-24T10:00:00', zone: 'Europe/Berlin' }`, zone `''` = floating, `fold` 1 = the second of two equal
 * wall times). Short: `'2026-11-24'`, `'2026-11-24T10:00'`, `'2026-11-24T10:00[Europe/Berlin]'`.
 */
export type DateInput =
  | string
  | null
  | { readonly date: string }
  | { readonly at: string; readonly zone: string; readonly fold?: number };

/** A replacement in a text. Positions and lengths count as JavaScript's strings do (UTF-16 code units). */
export interface Splice {
  /** Where, in the text as the splices before have left it. */
  readonly at: number;
  /** How much is taken out there. Default 0. */
  readonly remove?: number;
  /** What is put in there. Default nothing. */
  readonly insert?: string;
}

/** Changes to a set of ids: concurrent additions all stay. */
export interface SetEdit {
  /** Ids that are to be in. */
  readonly add?: readonly Id[];
  /** Ids that are to be out. */
  readonly remove?: readonly Id[];
}

/** The fields of a card that are to change; what is left out stays. */
export interface CardEdit {
  /** At most 4,096 bytes of UTF-8, as all titles and names. */
  readonly title?: string;
  /** The whole text (the difference is merged), or replacements in it. */
  readonly description?: string | readonly Splice[];
  /** A start after the due date is refused: change both in one edit. */
  readonly start?: DateInput;
  /** A day is due at its end. */
  readonly due?: DateInput;
  readonly done?: boolean;
  /** Ids of the workspace's labels. */
  readonly labels?: SetEdit;
  /** Ids of members. */
  readonly assignees?: SetEdit;
  /** A place, as one writes it into a calendar. */
  readonly location?: string;
  /** The card's own, also its event's; `''` for none. */
  readonly colour?: Colour;
  /** Minutes before the due date. */
  readonly reminders?: readonly number[];
  /** Minutes of work: a whole number, 0 to 525,600 (365 days); `null` for none. */
  readonly estimate?: number | null;
  /** Out of sight, without an event, and not deleted. */
  readonly archived?: boolean;
  /** By custom field; `null` takes the value away. */
  readonly custom?: Readonly<Record<Id, string | null>>;
}

/** `after`: an id = directly after it, `null` = first, left out = last. */
export interface Placement<Of = Id> {
  readonly after?: Of | null;
}

/** A card to be made; fields as in {@link CardEdit}, `after` among the cards of the list. */
export interface NewCard extends Placement {
  /** The list that it stands in. */
  readonly list: Id;
  readonly title: string;
  readonly description?: string;
  readonly start?: DateInput;
  readonly due?: DateInput;
  readonly done?: boolean;
  readonly labels?: readonly Id[];
  readonly assignees?: readonly Id[];
  readonly location?: string;
  readonly colour?: Colour;
  readonly reminders?: readonly number[];
  readonly estimate?: number | null;
  readonly custom?: Readonly<Record<Id, string>>;
  /** Default: a new random one. */
  readonly id?: Id;
}

/** A comment on a card. */
export interface CommentSnapshot {
  readonly id: OpId;
  readonly author: Id;
  /** When it was written: milliseconds since 1970, by the author's clock. */
  readonly atMs: number;
  readonly text: string;
}
/** A line of a checklist. */
export interface ItemSnapshot {
  readonly id: OpId;
  readonly text: string;
  readonly done: boolean;
}
/** A checklist of a card, its items in order. */
export interface ChecklistSnapshot {
  readonly id: OpId;
  readonly title: string;
  readonly items: readonly ItemSnapshot[];
}
/** A link on a card. */
export interface AttachmentSnapshot {
  readonly id: OpId;
  readonly title: string;
  readonly url: string;
}
/** One of the values of a conflict. */
export interface ConflictValueSnapshot {
  /** The operation that set it; `''` for the shown text. */
  readonly op: OpId;
  /** `null` for none. */
  readonly value: FieldValue;
  /** Who set it. */
  readonly author: Id;
  /** Milliseconds since 1970, by the author's clock. */
  readonly atMs: number;
  /** True for what is shown. */
  readonly winner: boolean;
}
/** What is open on a card, list, label …, as it is shown; {@link Conflict} decides it. */
export interface ConflictSnapshot {
  /** As in the snapshots; `position` when the lists differ. */
  readonly field: string;
  /** The custom field, where the field is `custom`. */
  readonly key?: Id;
  /** The comment, checklist, item or attachment, where it is not the entity itself. */
  readonly child?: OpId;
  /**
   * `value`: several values; `text`: a whole text beside the shown one; `deletion`: deleted by somebody while it was
   * edited; `dates`: two people's start and due crossed.
   */
  readonly kind: 'value' | 'deletion' | 'dates' | 'text';
  /** Winner first. Of `dates`: the start, then the due date. */
  readonly values: readonly ConflictValueSnapshot[];
}

/** A card as it is shown. */
export interface CardSnapshot {
  readonly id: Id;
  /** The list that it stands in. */
  readonly list: Id;
  readonly title: string;
  readonly description: string;
  /** Those of deleted labels stay in, should the label be restored. */
  readonly labels: readonly Id[];
  readonly assignees: readonly Id[];
  readonly start: When;
  readonly due: When;
  readonly done: boolean;
  readonly location: string;
  readonly colour: Colour;
  readonly reminders: readonly number[];
  /** Minutes of work; `null` for none. */
  readonly estimate: number | null;
  readonly archived: boolean;
  readonly custom: Readonly<Record<Id, string>>;
  readonly checklists: readonly ChecklistSnapshot[];
  readonly comments: readonly CommentSnapshot[];
  readonly attachments: readonly AttachmentSnapshot[];
  readonly conflicts: readonly ConflictSnapshot[];
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}
/** A list of a board. */
export interface ListSnapshot {
  readonly id: Id;
  readonly title: string;
  readonly archived: boolean;
  /** A deleted list is shown as long as a live card stands in it. */
  readonly deleted: boolean;
  readonly colour?: Colour;
  /** In the order of the board. */
  readonly cards: readonly Id[];
  readonly conflicts?: readonly ConflictSnapshot[];
}
/** A board without what is on its cards: it stays the same object while only cards' contents change. */
export interface BoardSnapshot {
  readonly id: Id;
  readonly title: string;
  /** An IANA name; `''` when none was said. */
  readonly timeZone: string;
  /** In order. */
  readonly lists: readonly ListSnapshot[];
  readonly customFields: readonly { readonly id: Id; readonly title: string }[];
  /** They can be restored. */
  readonly deletedCards: readonly { readonly id: Id; readonly title: string }[];
}
/** A label, for cards of all boards. */
export interface LabelSnapshot {
  readonly id: Id;
  readonly name: string;
  readonly colour: Colour;
  /** Always null here: a label that another stands for now is not shown. */
  readonly mergedInto: Id | null;
  /** What single members call it, by member. */
  readonly localNames: Readonly<Record<Id, string>>;
  readonly conflicts?: readonly ConflictSnapshot[];
}
/** A person of the workspace; names live elsewhere. */
export interface MemberSnapshot {
  readonly id: Id;
  readonly archived: boolean;
}
/** A board as the workspace's list has it. */
export interface BoardEntrySnapshot {
  readonly id: Id;
  readonly title: string;
  readonly archived: boolean;
  readonly conflicts?: readonly ConflictSnapshot[];
}
/** A sequence: steps that are to be made into cards one after the other. */
export interface SequenceSnapshot {
  readonly id: Id;
  readonly title: string;
  readonly steps: readonly {
    readonly id: OpId;
    readonly title: string;
    readonly kind: string;
    readonly delayMinutes: number | null;
  }[];
}
/** What the workspace itself holds. */
export interface WorkspaceSnapshot {
  readonly id: Id;
  readonly title: string;
  readonly boards: readonly BoardEntrySnapshot[];
  readonly members: readonly MemberSnapshot[];
  readonly labels: readonly LabelSnapshot[];
  readonly sequences: readonly SequenceSnapshot[];
}

/** One entity that changed. */
export interface Patch {
  /** The board; `null` for what the workspace itself holds (boards' entries, labels, members). */
  readonly board: Id | null;
  /** The card, list, label … */
  readonly entity: Id;
  /** `root` is the board or the workspace itself. */
  readonly type: EntityType | 'root';
  /** False once it is deleted. */
  readonly live: boolean;
  /** Names as in the snapshots. `position` = it stands elsewhere. */
  readonly fields: readonly string[];
}
/** Where a change came from: an edit here, an undo or redo here, or bytes that were merged. */
export type Origin = 'edit' | 'undo' | 'redo' | 'merge';

/** One thing that happened to a card. */
export interface HistoryEntry {
  /** The operation; things inside a card have the id of the one that made them. */
  readonly op: OpId;
  readonly author: Id;
  /** Milliseconds since 1970, by the author's clock. */
  readonly atMs: number;
  /** `person`, `api`, `import`, `bridge` (the calendar) or `hub`. */
  readonly cause: string;
  readonly kind: string;
  readonly field: string | null;
  readonly value: FieldValue;
}
/** Who set what a field shows. */
export interface BlameEntry {
  readonly op: OpId;
  readonly author: Id;
  /** Milliseconds since 1970, by the author's clock. */
  readonly atMs: number;
  /** As in {@link HistoryEntry}. */
  readonly cause: string;
}

/** How a workspace is opened. */
export interface WorkspaceOptions {
  /** What `await load()` gave. */
  readonly module: import('./engine.js').KalendsModule;
  /** The person: 32 hexadecimal digits, the same on all of their devices. */
  readonly author: Id;
  /** Which workspace to begin or to join when there are no bytes yet. Default: a new random one. */
  readonly id?: Id;
  /**
   * Replica ids, by document or made for one: never the same for two living copies of a document, and never for two
   * documents. Default: a new random one for each document each time it is opened, which is always right.
   */
  readonly replicas?: Readonly<Record<Id, Id>> | ((document: Id, kind: DocumentKind) => Id);
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: () => number;
  /**
   * A start after the due date: refused (the default), or kept and shown as an open conflict, as when two people cross
   * them.
   */
  readonly keepsCrossedDates?: boolean;
  /** Makes ids of 32 hexadecimal digits. Default: from `crypto.getRandomValues`. */
  readonly makeId?: () => Id;
}

/** The fields of something inside a card: `text` of a comment or an item, `done` of an item, `title`, `url`. */
export type ChildEdit = Readonly<Partial<Record<'text' | 'title' | 'url', string>>> & { readonly done?: boolean };

export type { ChildType, Colour, DocumentKind, EntityType, FieldValue, Id, OpId, When };
