// SPDX-License-Identifier: Apache-2.0
// Whether what is on the screen is also on the server, in one word; more on a click, with the tray of refused edits.
import { useEffect, useState } from 'react';
import type { SyncState } from '../replica/messages';
import { use_page, use_sync, use_tray } from './context';
import { count, field_name, format_instant, format_value } from './format';
import { PopUp } from './parts/menu';
import { sign_out } from './session';
import { reload, use_update } from './update';

export type SyncWord = 'offline' | 'connecting' | 'syncing' | 'online' | 'refused' | 'outdated' | 'broken';

export function sync_word(state: SyncState): SyncWord {
  if (state.connection.is !== 'online') return state.connection.is;
  return state.unsent > 0 || state.catching_up > 0 ? 'syncing' : 'online';
}

const kWords: Record<SyncWord, string> = {
  offline: 'Offline',
  connecting: 'Connecting…',
  syncing: 'Syncing…',
  online: 'Up to date',
  refused: 'Signed out',
  outdated: 'Reload needed',
  broken: 'Stopped',
};

export function SyncBadge() {
  const sync = use_sync();
  const tray = use_tray();
  const has_update = use_update();
  const word = sync_word(sync);
  const unsent = sync.unsent > 0 ? ` · ${count(sync.unsent, 'unsent edit')}` : '';
  return (
    <PopUp
      is_wide
      stays_open
      summary={
        <summary
          className={`sync sync-${word}`}
          data-testid="sync-state"
          data-state={word}
          data-unsent={sync.unsent}
        >
          <span className="dot" aria-hidden="true" />
          <span role="status">
            {kWords[word]}
            {unsent}
          </span>
          {tray.length > 0 && (
            <span className="badge warn" data-testid="tray-count">
              {tray.length} refused
            </span>
          )}
          {has_update && <span className="badge">new version</span>}
        </summary>
      }
    >
      <SyncDetails sync={sync} />
      {has_update && <button onClick={reload}>Reload with the new version</button>}
      {tray.length > 0 && <Tray />}
    </PopUp>
  );
}

function SyncDetails({ sync }: { sync: SyncState }) {
  const { client } = use_page();
  const { connection } = sync;
  switch (connection.is) {
    case 'offline':
      return (
        <>
          <p>
            No connection to the server. You can go on: edits are kept in this browser and sent later.
            <RetryTime at_ms={connection.retry_at_ms} />
          </p>
          <button onClick={() => client.connect_now()} data-testid="connect-now">
            Connect now
          </button>
        </>
      );
    case 'connecting':
      return <p>Connecting to the server…</p>;
    case 'online':
      return <p>{sync.unsent > 0 ? 'Edits are on their way.' : 'Everything is on the server.'}</p>;
    case 'refused':
      return (
        <>
          <p className="trouble">{connection.message || 'The server does not accept the token any more.'}</p>
          <button onClick={sign_out}>Sign in again</button>
        </>
      );
    case 'outdated':
      return (
        <>
          <p className="trouble">This page is older than the server. {connection.message}</p>
          <button onClick={reload}>Reload</button>
        </>
      );
    case 'broken':
      return (
        <>
          <p className="trouble">Kalends has stopped in this browser: {connection.message}</p>
          <p>Everything that was shown as done is stored.</p>
          <button onClick={reload}>Reload</button>
        </>
      );
  }
}

function RetryTime({ at_ms }: { at_ms: number | null }) {
  const [now_ms, set_now_ms] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => set_now_ms(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (at_ms === null || at_ms <= now_ms) return null;
  return <> Next try in {count(Math.ceil((at_ms - now_ms) / 1000), 'second')}.</>;
}

function Tray() {
  const { client } = use_page();
  const tray = use_tray();
  return (
    <section data-testid="tray">
      <h2>Refused by the server</h2>
      <p className="hint">These edits were taken back. What you wrote is here.</p>
      <ul className="plain">
        {tray.map((item) => {
          const text = format_value(item.value, '', () => null);
          return (
            <li key={item.op} className="tray-item">
              <strong>{field_name(item.field)}</strong>: <q>{text}</q>
              {item.message !== '' && <p className="trouble">{item.message}</p>}
              <div className="row">
                <button onClick={() => void navigator.clipboard.writeText(text)}>Copy</button>
                <button onClick={() => client.dismiss_tray(item.op)}>Dismiss</button>
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function LastSeen({ at_ms }: { at_ms: number | null }) {
  return <>{at_ms === null || at_ms === 0 ? 'never yet' : format_instant(at_ms)}</>;
}
