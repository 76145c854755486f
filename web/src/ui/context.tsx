// SPDX-License-Identifier: Apache-2.0
// What every part of the page can reach: the replica's client, REST, the session; and hooks on the views.
import type { BoardView, DocumentKind, Id, Member, OpId, WorkspaceView } from '@kalends/core';
import { createContext, useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { PageCommand, RefusedItem, SyncState } from '../replica/messages';
import type { ReplicaClient } from '../replica/replica_client';
import type { View } from '../replica/view_change';
import type { Rest } from './rest';
import type { Session } from './session';

export interface PageContext {
  session: Session;
  client: ReplicaClient;
  rest: Rest;
  names: ReadonlyMap<Id, string>;
  // Shows a sentence for a while; for what failed.
  tell(message: string): void;
}

export const kPageContext = createContext<PageContext | null>(null);

export function use_page(): PageContext {
  const context = useContext(kPageContext);
  if (context === null) throw new Error('used outside of the page');
  return context;
}

function use_view(document: Id, kind: DocumentKind): View | null {
  const { client } = use_page();
  useEffect(() => client.watch(document, kind), [client, document, kind]);
  const subscribe = useCallback((listener: () => void) => client.subscribe(listener), [client]);
  return useSyncExternalStore(subscribe, () => client.view(document));
}

// Null until the replica has told.
export function use_board(board: Id): BoardView | null {
  return use_view(board, 'board') as BoardView | null;
}
export function use_workspace(): WorkspaceView | null {
  return use_view(use_page().session.account.workspace_document, 'workspace') as WorkspaceView | null;
}
// The members, by id, with their names. Whoever has a name but no entry is one too: an author of before, for example.
export function use_members(): ReadonlyMap<Id, Member> {
  const workspace = use_workspace();
  const { names } = use_page();
  return useMemo(() => {
    const ids = new Set([...(workspace?.members ?? []).map((member) => member.id), ...names.keys()]);
    return new Map([...ids].map((id) => [id, { id, name: names.get(id) ?? `Member ${id.slice(0, 4)}` }]));
  }, [workspace, names]);
}

export function use_sync(): SyncState {
  const { client } = use_page();
  return useSyncExternalStore(
    (listener) => client.subscribe(listener),
    () => client.sync,
  );
}
export function use_tray(): readonly RefusedItem[] {
  const { client } = use_page();
  return useSyncExternalStore(
    (listener) => client.subscribe(listener),
    () => client.tray,
  );
}

// Makes one transaction; says so when it is refused. Gives the ids that were made, or null when it was refused.
export type Edit = (...commands: PageCommand[]) => Promise<readonly (Id | OpId | null)[] | null>;

function use_edit(document: Id, kind: DocumentKind): Edit {
  const { client, tell } = use_page();
  return useCallback(
    async (...commands) => {
      try {
        return await client.edit(document, kind, commands);
      } catch (error) {
        tell(`That could not be done: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      }
    },
    [client, tell, document, kind],
  );
}
export function use_board_edit(board: Id): Edit {
  return use_edit(board, 'board');
}
export function use_workspace_edit(): Edit {
  return use_edit(use_page().session.account.workspace_document, 'workspace');
}
