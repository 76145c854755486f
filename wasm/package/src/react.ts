// SPDX-License-Identifier: Apache-2.0
/**
 * Hooks for React 18 or newer. Each renders again only when what it shows has changed.
 *
 * @packageDocumentation
 */
import { useCallback, useSyncExternalStore } from 'react';
import type { BoardSnapshot, CardSnapshot, WorkspaceSnapshot } from './api_types.js';
import type { Board } from './board.js';
import type { Conflict } from './conflict.js';
import type { Id } from './types.js';
import type { Workspace } from './workspace.js';

/** The boards' list, labels and members. */
export function useWorkspace(workspace: Workspace): WorkspaceSnapshot {
  return useStore(
    useCallback((listener: () => void) => workspace.subscribe(listener), [workspace]),
    useCallback(() => workspace.snapshot, [workspace]),
  );
}

/** A board without what is on its cards: does not render again for an edit inside a card. */
export function useBoard(board: Board): BoardSnapshot {
  return useStore(
    useCallback((listener: () => void) => board.subscribe(listener), [board]),
    useCallback(() => board.snapshot, [board]),
  );
}

/** A card; undefined while there is none with this id, or it is deleted. */
export function useCard(board: Board, id: Id): CardSnapshot | undefined {
  return useStore(
    useCallback((listener: () => void) => board.card(id).subscribe(listener), [board, id]),
    useCallback(() => board.find(id), [board, id]),
  );
}

/** All that is open between people, on all boards. */
export function useConflicts(workspace: Workspace): readonly Conflict[] {
  return useStore(
    useCallback((listener: () => void) => workspace.subscribe(listener), [workspace]),
    useCallback(() => workspace.conflicts(), [workspace]),
  );
}

function useStore<T>(subscribe: (listener: () => void) => () => void, get: () => T): T {
  return useSyncExternalStore(subscribe, get, get);
}
