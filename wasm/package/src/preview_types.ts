// SPDX-License-Identifier: Apache-2.0
// What previews take and show.

import type { CardEdit, CardSnapshot, DateInput, NewCard } from './api_types.js';
import type { Colour, Id, When } from './types.js';

/** What a card and its event share. */
export type FacetField = 'title' | 'done' | 'dates' | 'description' | 'location' | 'colour';

/** How a board's link to a calendar behaves; what is left out or `null` is as written here first. */
export interface LinkPolicy {
  /** The cards that have events. */
  readonly which?: 'all' | 'label' | 'assignee' | null;
  /** The label or the assignee. */
  readonly whichId?: Id | null;
  /** What makes a card done: its flag, or that it stands in `doneList`. */
  readonly done?: 'flag' | 'list' | null;
  readonly doneList?: Id | null;
  /** How an event shows that. */
  readonly doneMark?: 'title' | 'colour' | 'both' | 'none' | null;
  /** Of an event whose card has one date only, in minutes; 60. */
  readonly durationMinutes?: number | null;
  /** How much of a card its event shows. */
  readonly details?: 'full' | 'title' | 'busy' | null;
  /** For events without a zone of their own; `UTC`. */
  readonly timeZone?: string | null;
  /** The list for events that people make; without one they are left alone. */
  readonly inboxList?: Id | null;
  /** What becomes of the card. */
  readonly onEventDeleted?: 'unschedule' | 'archive' | 'put_back' | null;
  /** Whose value is shown when both sides changed a field; `prefer_card`. */
  readonly fields?: Readonly<Partial<Record<FacetField, 'prefer_card' | 'prefer_event' | 'later_wins'>>> | null;
}
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : Name;
/** The same by the names of the REST API: the `settings` of a link. */
export type LinkSettings = { readonly [Name in keyof LinkPolicy as Snake<Name>]: LinkPolicy[Name] };

/**
 * What a card and its event share. `title` is without the mark that shows "done"; `end` of an event of whole days is
 * the day after.
 */
export interface EventFacet {
  readonly title: string;
  readonly done: boolean;
  readonly start: When;
  readonly end: When;
  readonly description: string;
  readonly location: string;
  readonly colour: Colour;
}
/** The same to be given: what is left out is empty; dates as a card takes them. */
export interface EventInput extends Partial<Omit<EventFacet, 'start' | 'end' | 'colour'>> {
  readonly start?: DateInput;
  readonly end?: DateInput;
  readonly colour?: string;
}

/** What a preview wants to know of a card; a {@link CardSnapshot} will do. */
export interface PreviewCard
  extends Partial<Pick<CardSnapshot, 'title' | 'description' | 'location' | 'list' | 'labels' | 'assignees'>> {
  readonly start?: DateInput;
  readonly due?: DateInput;
  readonly done?: boolean;
  readonly colour?: string;
  readonly archived?: boolean;
  /** Default false: snapshots are of living cards. */
  readonly deleted?: boolean;
  /** When each field was last edited, in milliseconds since 1970: for `later_wins`. Left out: long ago. */
  readonly changedMs?: Readonly<
    Partial<Record<'title' | 'done' | 'position' | 'start' | 'due' | 'location' | 'colour', number>>
  >;
}

/** What a plan follows from, except the card. */
export interface PreviewFacts {
  /** The event as it was seen last; `null` or left out: never seen. */
  readonly event?:
    | (EventInput & {
        /** `gone`: deleted; `unmanaged`: of a kind that is left alone (recurring, a birthday). Default `live`. */
        readonly presence?: 'live' | 'gone' | 'unmanaged';
        /** When that was: milliseconds since 1970, by the same clock as `changedMs`. Default `now`. */
        readonly seenMs?: number;
      })
    | null;
  /** What was last agreed: what the card said then, and what the event showed. `null` or left out: never agreed. */
  readonly shadow?: { readonly ours: EventInput; readonly theirs: EventInput } | null;
  /** How the link behaves. */
  readonly policy?: LinkPolicy | LinkSettings | null;
  /** Milliseconds since 1970. Default `Date.now()`. */
  readonly now?: number;
}
/** What a plan follows from. */
export interface PreviewRequest extends PreviewFacts {
  /** `null`: there is no such card. */
  readonly card: PreviewCard | null;
}

/** One thing that the server would do. */
export type PlanStep =
  /** An event is made. `nextGeneration`: the one before was deleted, and its id stays taken. */
  | { readonly do: 'insert_event'; readonly event: EventFacet; readonly nextGeneration: boolean; readonly text: string }
  /** These fields of the event become what `event` says. */
  | { readonly do: 'patch_event'; readonly fields: readonly FacetField[]; readonly event: EventFacet; readonly text: string }
  | { readonly do: 'delete_event'; readonly text: string }
  /**
   * A field of the card takes the event's value; `set` is that edit, `list` the list that the card moves to.
   * `keepsLoser`: the card's value stays open.
   */
  | {
      readonly do: 'edit_card';
      readonly field: FacetField;
      readonly set: CardEdit;
      readonly list?: Id;
      readonly keepsLoser: boolean;
      readonly text: string;
    }
  /** The card's value is shown and the event's stays open; an edit of the card with `set` takes it. */
  | { readonly do: 'offer'; readonly field: FacetField; readonly set: CardEdit; readonly text: string }
  /** The event was deleted: the card loses its dates, or is archived. */
  | { readonly do: 'unschedule' | 'archive'; readonly set: CardEdit; readonly text: string }
  /** A person made the event: this card is made for it. */
  | { readonly do: 'create_card'; readonly card: NewCard; readonly text: string }
  /** The event was deleted while the card was edited: "no date" stays open on the card. */
  | { readonly do: 'offer_unscheduling'; readonly set: CardEdit; readonly text: string }
  /** Nothing is left to keep in step. */
  | { readonly do: 'forget'; readonly text: string };

/** What the server would do to bring a card and its event together. `text` and `reasons` are for people, in English. */
export interface Plan {
  /** In their order; none: nothing is to be done. */
  readonly steps: readonly PlanStep[];
  /** Why: "the title was changed in the calendar". */
  readonly reasons: readonly string[];
  /** Once the steps on the card are taken, both sides say the same. */
  readonly agrees: boolean;
}
