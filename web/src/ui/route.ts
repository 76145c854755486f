// SPDX-License-Identifier: Apache-2.0
// Where the page is, kept in the address's fragment so that any static server can serve it.
import type { Id } from '@kalends/core';
import { useSyncExternalStore } from 'react';

export type Route = { at: 'boards' } | { at: 'board'; board: Id; card: Id | null };

export function parse_route(hash: string): Route {
  const match = /^#\/board\/([0-9a-f]{32})(?:\/card\/([0-9a-f]{32}))?$/.exec(hash);
  return match === null ? { at: 'boards' } : { at: 'board', board: match[1]!, card: match[2] ?? null };
}

export function route_address(route: Route): string {
  if (route.at === 'boards') return '#/';
  return `#/board/${route.board}${route.card === null ? '' : `/card/${route.card}`}`;
}

export function go(route: Route): void {
  location.hash = route_address(route);
}

export function use_route(): Route {
  const hash = useSyncExternalStore(
    (listener) => {
      addEventListener('hashchange', listener);
      return () => removeEventListener('hashchange', listener);
    },
    () => location.hash,
  );
  return parse_route(hash);
}
