// SPDX-License-Identifier: Apache-2.0
// Dragging cards and lists. What is dragged and where it is dropped become one `move`; the order itself is core's.
import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import {
  draggable,
  dropTargetForElements,
  monitorForElements,
} from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { autoScrollForElements } from '@atlaskit/pragmatic-drag-and-drop-auto-scroll/element';
import { attachClosestEdge, extractClosestEdge, type Edge } from '@atlaskit/pragmatic-drag-and-drop-hitbox/closest-edge';
import type { BoardView, Command, Id } from '@kalends/core';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { drop_command, type Dragged } from './drop_command';

function dragged_of(data: Record<string | symbol, unknown>): Dragged | null {
  return data['kind'] === 'card' || data['kind'] === 'list' ? (data as unknown as Dragged) : null;
}

export interface DragState {
  is_dragged: boolean;
  // The side on which what is being dragged would land.
  edge: Edge | null;
}

const kResting: DragState = { is_dragged: false, edge: null };

export function use_card_drag(element: RefObject<HTMLElement | null>, card: Id, list: Id): DragState {
  const [state, set_state] = useState<DragState>(kResting);
  useEffect(() => {
    const node = element.current;
    if (node === null) return;
    return combine(
      draggable({
        element: node,
        getInitialData: () => ({ kind: 'card', card, list }),
        onDragStart: () => set_state({ is_dragged: true, edge: null }),
        onDrop: () => set_state(kResting),
      }),
      dropTargetForElements({
        element: node,
        canDrop: ({ source }) => source.data['kind'] === 'card' && source.data['card'] !== card,
        getIsSticky: () => true,
        getData: ({ input, element: target }) =>
          attachClosestEdge({ kind: 'card', card, list }, { input, element: target, allowedEdges: ['top', 'bottom'] }),
        onDrag: ({ self }) => {
          const edge = extractClosestEdge(self.data);
          set_state((before) => (before.edge === edge ? before : { ...before, edge }));
        },
        onDragLeave: () => set_state(kResting),
        onDrop: () => set_state(kResting),
      }),
    );
  }, [element, card, list]);
  return state;
}

// `element` is the whole column, `handle` what it is dragged by, `scroller` what holds its cards.
export function use_list_drag(
  parts: { element: RefObject<HTMLElement | null>; handle: RefObject<HTMLElement | null>; scroller: RefObject<HTMLElement | null> },
  list: Id,
): DragState & { is_over: boolean } {
  const [state, set_state] = useState<DragState & { is_over: boolean }>({ ...kResting, is_over: false });
  const { element, handle, scroller } = parts;
  useEffect(() => {
    const [node, grip, inner] = [element.current, handle.current, scroller.current];
    if (node === null || grip === null || inner === null) return;
    const rest = (): void => set_state({ ...kResting, is_over: false });
    return combine(
      autoScrollForElements({ element: inner }),
      draggable({
        element: node,
        dragHandle: grip,
        getInitialData: () => ({ kind: 'list', list }),
        onDragStart: () => set_state({ is_dragged: true, edge: null, is_over: false }),
        onDrop: rest,
      }),
      dropTargetForElements({
        element: node,
        canDrop: ({ source }) => source.data['list'] !== list || source.data['kind'] === 'card',
        getData: ({ input, element: target, source }) =>
          source.data['kind'] === 'list'
            ? attachClosestEdge({ kind: 'list', list }, { input, element: target, allowedEdges: ['left', 'right'] })
            : { kind: 'list', list },
        onDrag: ({ self, source, location }) => {
          const edge = source.data['kind'] === 'list' ? extractClosestEdge(self.data) : null;
          const is_over = source.data['kind'] === 'card' && location.current.dropTargets[0]?.element === node;
          set_state((before) =>
            before.edge === edge && before.is_over === is_over ? before : { ...before, edge, is_over },
          );
        },
        onDragLeave: rest,
        onDrop: rest,
      }),
    );
  }, [element, handle, scroller, list]);
  return state;
}

// Watches all drags on the page; `on_move` gets what they mean.
export function use_drops(board: RefObject<BoardView | null>, on_move: (command: Command) => void): void {
  const latest = useRef(on_move);
  latest.current = on_move;
  useEffect(
    () =>
      monitorForElements({
        onDrop: ({ source, location }) => {
          const dragged = dragged_of(source.data);
          const target = location.current.dropTargets[0];
          if (dragged === null || target === undefined || board.current === null) return;
          const onto = dragged_of(target.data);
          const command = onto && drop_command(board.current, dragged, onto, extractClosestEdge(target.data));
          if (command) latest.current(command);
        },
      }),
    [board],
  );
}
