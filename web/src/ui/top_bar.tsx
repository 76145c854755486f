// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import { use_page } from './context';
import { PopUp } from './parts/menu';
import { route_address } from './route';
import { sign_out } from './session';
import { SyncBadge } from './sync_badge';

export function TopBar({ children }: { children: ReactNode }) {
  const { session } = use_page();
  return (
    <header className="top-bar">
      <a className="brand" href={route_address({ at: 'boards' })} aria-label="All boards">
        <img src="icon.svg" alt="" width="26" height="26" />
      </a>
      <div className="bar-middle">{children}</div>
      <SyncBadge />
      <PopUp
        summary={
          <summary aria-label={`Signed in as ${session.account.name}`} title={session.account.name}>
            <span className="avatar">{initials(session.account.name)}</span>
          </summary>
        }
      >
        <p className="hint">{session.account.name}</p>
        <button onClick={sign_out}>Sign out</button>
      </PopUp>
    </header>
  );
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...words.at(-1)!][0] ?? '') : '';
  return (first + last).toUpperCase();
}
