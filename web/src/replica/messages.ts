// SPDX-License-Identifier: Apache-2.0
// What pages and the replica say to each other over the broadcast channel. Every message is one of a closed set.
// All pages of one account hear everything; `page` names the one that asks or is answered.
import type { BoardView, Card, Command, DocumentKind, Id, OpId, TrayItem, WorkspaceView } from '@kalends/core';

// Whose replica this is. The document names the workspace's own document.
export interface Account {
  member: Id;
  name: string;
  workspace: Id;
  workspace_document: Id;
  role: string;
}

// A text command may say from which text the person started, so that what came in between is kept.
export type PageCommand = Command | (Extract<Command, { do: 'text' }> & { base: string });

export type PageMessage =
  | { kind: 'hello'; page: string; token: string; online: boolean }
  | { kind: 'watch'; page: string; document: Id; document_kind: DocumentKind }
  | { kind: 'edit'; page: string; request: string; document: Id; document_kind: DocumentKind; commands: PageCommand[] }
  | { kind: 'inspect'; page: string; request: string; document: Id; document_kind: DocumentKind }
  | { kind: 'network'; page: string; online: boolean }
  | { kind: 'connect_now'; page: string }
  | { kind: 'dismiss_tray'; page: string; op: OpId };

export interface Inspection {
  hash: string;
  memory_bytes: number;
}
export type Outcome =
  | { kind: 'edited'; created: readonly (Id | OpId | null)[] }
  | { kind: 'inspected'; inspection: Inspection }
  | { kind: 'failed'; code: string; message: string };

// A board without its cards, and the cards that changed or went since the revision `base`; a null base means that
// `cards` holds all of them.
export type ViewChange =
  | {
      document_kind: 'board';
      board: Omit<BoardView, 'cards'>;
      cards: Record<Id, Card>;
      removed: Id[];
    }
  | { document_kind: 'workspace'; workspace: WorkspaceView };

export type ConnectionState =
  // No network, or no answer: edits are kept and sent later.
  | { is: 'offline'; retry_at_ms: number | null }
  | { is: 'connecting' }
  | { is: 'online' }
  // The server does not accept the token.
  | { is: 'refused'; message: string }
  // The server does not speak with software this old.
  | { is: 'outdated'; message: string }
  // This browser cannot go on: the reason is for a person.
  | { is: 'broken'; message: string };

export interface SyncState {
  connection: ConnectionState;
  // Edits of this replica that the server has not confirmed.
  unsent: number;
  // Documents whose latest state from the server has not arrived yet.
  catching_up: number;
  // Documents of which the server will not speak: not there, or not for this member.
  refused_documents: { document: Id; code: string; message: string }[];
}

export type RefusedItem = TrayItem & { document: Id; message: string };

export type ReplicaMessage =
  | { kind: 'ready'; leader: string }
  | { kind: 'answer'; page: string; request: string; outcome: Outcome }
  | { kind: 'view'; leader: string; document: Id; revision: number; base: number | null; change: ViewChange }
  // The replica has put this document away: whoever still looks at it must ask again.
  | { kind: 'closed'; leader: string; document: Id }
  | { kind: 'sync'; leader: string; state: SyncState }
  | { kind: 'tray'; leader: string; items: RefusedItem[] };

export type ChannelMessage = { to: 'replica'; message: PageMessage } | { to: 'pages'; message: ReplicaMessage };

// One replica for each member in each workspace: nobody's edits can slip into another's log.
export function account_key(account: Account): string {
  return `kalends-${account.workspace}-${account.member}`;
}
