// SPDX-License-Identifier: Apache-2.0
// What core shows and what it is told, as TypeScript sees it. Meanings and rules are core's; see docs/protocol.md.

/** 32 lower-case hex digits. */
export type Id = string;
/** "<replica>:<counter>": one operation; also the id of the comment, checklist, item or attachment that it made. */
export type OpId = string;

export type Colour =
  | ''
  | 'lavender'
  | 'sage'
  | 'grape'
  | 'flamingo'
  | 'banana'
  | 'tangerine'
  | 'peacock'
  | 'graphite'
  | 'blueberry'
  | 'basil'
  | 'tomato';

/** A day, or a wall time in a zone ("" = floating); `fold` 1 is the second of two equal wall times. */
export type When = { date: string } | { at: string; zone: string; fold: number } | null;

export type FieldValue = null | boolean | number | string | readonly FieldValue[] | { readonly [key: string]: FieldValue };

export interface ConflictValue {
  op: OpId;
  value: FieldValue;
  author: Id;
  at_ms: number;
  winner: boolean;
}
/** Winner first. Of kind `dates` the values are the start and the due date; of kind `text` the winner's op is "". */
export interface Conflict {
  field: string;
  key?: string;
  child?: OpId;
  kind: 'value' | 'deletion' | 'dates' | 'text';
  values: ConflictValue[];
}

export interface ChecklistItem {
  id: OpId;
  text: string;
  done: boolean;
}
export interface Checklist {
  id: OpId;
  title: string;
  items: ChecklistItem[];
}
export interface Comment {
  id: OpId;
  author: Id;
  at_ms: number;
  text: string;
}
export interface Attachment {
  id: OpId;
  title: string;
  url: string;
}
export interface Card {
  id: Id;
  list: Id;
  title: string;
  description: string;
  labels: Id[];
  assignees: Id[];
  start: When;
  due: When;
  done: boolean;
  location: string;
  colour: Colour;
  reminders: number[];
  archived: boolean;
  custom: Record<Id, string>;
  checklists: Checklist[];
  comments: Comment[];
  attachments: Attachment[];
  conflicts: Conflict[];
}
export interface List {
  id: Id;
  title: string;
  archived: boolean;
  /** A deleted list is shown as long as a live card stands in it. */
  deleted: boolean;
  cards: Id[];
  conflicts?: Conflict[];
}
export interface CustomField {
  id: Id;
  title: string;
}
export interface BoardView {
  id: Id;
  title: string;
  time_zone: string;
  lists: List[];
  cards: Record<Id, Card>;
  custom_fields: CustomField[];
  deleted_cards: { id: Id; title: string }[];
  conflicts: number;
}
/** Names live outside the documents: the replica knows members by their ids only. */
export interface MemberEntry {
  id: Id;
  archived: boolean;
}
export interface Member {
  id: Id;
  name: string;
}
export interface Label {
  id: Id;
  name: string;
  colour: Colour;
  conflicts?: Conflict[];
}
export interface BoardEntry {
  id: Id;
  title: string;
  archived: boolean;
  conflicts?: Conflict[];
}
export interface WorkspaceView {
  id: Id;
  boards: BoardEntry[];
  members: MemberEntry[];
  labels: Label[];
  sequences: { id: Id; title: string }[];
}
export type DocumentKind = 'board' | 'workspace';
export type ViewOf<Kind extends DocumentKind> = Kind extends 'board' ? BoardView : WorkspaceView;

export type EntityType = 'list' | 'card' | 'custom_field' | 'board' | 'member' | 'label' | 'sequence';
export type ChildType = 'comment' | 'checklist' | 'item' | 'attachment';
export type Fields = Record<string, FieldValue>;

/** `after`: null = first, absent = last. */
export type Command =
  | { do: 'create'; type: EntityType; id: Id; fields: Fields; after?: Id | null }
  | { do: 'set'; entity: Id; child?: OpId; field: string; key?: string; value: FieldValue }
  | { do: 'move'; entity: Id; list?: Id; child?: OpId; after?: Id | OpId | null }
  | { do: 'add' | 'remove'; entity: Id; field: 'labels' | 'assignees'; value: Id }
  | { do: 'text'; entity: Id; child?: OpId; field: 'description' | 'text'; value: string }
  | { do: 'splice'; entity: Id; child?: OpId; field: 'description' | 'text'; pos: number; del: number; ins: string }
  | { do: 'add_child'; entity: Id; type: ChildType; fields: Fields; checklist?: OpId; after?: OpId | null }
  | { do: 'delete' | 'restore'; entity: Id; child?: OpId }
  | { do: 'resolve'; entity: Id; child?: OpId; field: string; key?: string; op: OpId };

export interface Change {
  entity: Id;
  type: string;
  live: boolean;
  fields: readonly string[];
  /** Whether one of the fields says where it stands, where that was looked up already. */
  moves?: boolean;
}
/** Is told what a merge changed, one entity after the other; the names as in `Change`. */
export interface ChangeTaker {
  take(entity: Id, type: string, live: boolean, fields: readonly string[], moves?: boolean): void;
}
export interface Refusal {
  op: OpId;
  code: string;
  message: string;
}
/** What a person had written in an operation that was taken back. */
export interface TrayItem {
  op: OpId;
  entity: Id;
  field: string;
  value: FieldValue;
}
export interface Cursor {
  epoch: number;
  seq: number;
}
export interface EditAnswer {
  ops: Uint8Array;
  changed: readonly Change[];
  /** For each command the child that it made, or null. */
  created: readonly (OpId | null)[];
}
export interface MergeAnswer {
  changed: Change[];
  news: boolean;
}
export interface RetractAnswer {
  changed: Change[];
  tray: TrayItem[];
}
export interface ReceiveAnswer {
  send: Uint8Array[];
  changed: Change[];
  /** Operations from elsewhere, to be stored. */
  ops?: Uint8Array;
  /** Forget everything that is stored of this document and store these two instead. An empty snapshot is none. */
  replace_snapshot?: Uint8Array;
  replace_ops?: Uint8Array;
  cursor: Cursor;
  /** The counter up to which our own operations are known to the server. */
  acked: number;
  /** How many of our own operations the server has not confirmed. */
  pending: number;
  refused: Refusal[];
  tray: TrayItem[];
  /** This software is too old for the server: why. */
  reload?: string;
  synced: boolean;
}
