// SPDX-License-Identifier: Apache-2.0
// The board's calendar: connecting Google, picking or making a calendar, the links and how they are.
import type { BoardView, Id, Label, Member } from '@kalends/core';
import { useCallback, useEffect, useState } from 'react';
import { use_page } from '../context';
import { count } from '../format';
import { leave_for_google, return_path } from '../google_return';
import { RestError, type GoogleAccount, type Guard, type Link, type RunReport } from '../rest';
import { LinkSettingsForm } from './link_settings';
import { NewLink } from './new_link';
import { Runs, Steps } from './runs';
import { LastSeen } from '../sync_badge';

interface Props {
  board: BoardView;
  labels: ReadonlyMap<Id, Label>;
  members: ReadonlyMap<Id, Member>;
}

interface Facts {
  accounts: GoogleAccount[];
  links: Link[];
}

// How often the state of the links is asked for while the panel is open.
const kRefreshMs = 5000;

export function CalendarPanel({ board, labels, members }: Props) {
  const { rest } = use_page();
  const [facts, set_facts] = useState<Facts | null>(null);
  const [trouble, set_trouble] = useState<string | null>(null);
  const refresh = useCallback(async () => {
    try {
      const [accounts, links] = await Promise.all([rest.accounts(), rest.links(board.id)]);
      set_facts({ accounts, links });
      set_trouble(null);
    } catch (error) {
      set_trouble((error as Error).message);
    }
  }, [rest, board.id]);
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => {
      if (!document.hidden) void refresh();
    }, kRefreshMs);
    return () => clearInterval(timer);
  }, [refresh]);
  return (
    <>
      {trouble !== null && (
        <p className="trouble" role="alert">
          {trouble} {facts === null ? '' : 'What is shown may be old.'}
        </p>
      )}
      {facts === null && trouble === null && <p className="hint">Asking the server…</p>}
      {facts !== null && (
        <>
          {facts.links.map((link) => (
            <LinkPart key={link.id} {...{ board, labels, members, link }} refresh={refresh} />
          ))}
          <Accounts accounts={facts.accounts} refresh={refresh} />
          {facts.accounts.length > 0 && <NewLink board={board} accounts={facts.accounts} refresh={refresh} />}
        </>
      )}
    </>
  );
}

const kStateWords: Record<Link['state'], string> = {
  active: 'In step',
  paused: 'Paused',
  stopped: 'Stopped: it needs you',
  broken: 'Broken: it needs you',
};

const kTroubles: Record<string, string> = {
  not_verified: 'The calendar was not compared for a while. It is tried again by itself.',
  pair_stuck: 'A change waits for more than 15 minutes.',
  channel_lost: 'Google does not tell us of changes, so they come later. A new channel is asked for by itself.',
  read_only: 'The server cannot store anything at the moment: its disk is full or fails.',
};

interface LinkPartProps extends Props {
  link: Link;
  refresh(): Promise<void>;
}

function LinkPart({ board, labels, members, link, refresh }: LinkPartProps) {
  const { rest } = use_page();
  const act = use_action(refresh);
  const [is_leaving, set_is_leaving] = useState(false);
  const { status } = link;
  const waiting = status.dirty;
  const needs_person = link.state === 'stopped' || status.last_error !== null || status.guard !== null;
  // What the notices below do not say.
  const troubles = status.problems.flatMap((problem) => kTroubles[problem] ?? []);
  const word =
    link.state !== 'active'
      ? kStateWords[link.state]
      : needs_person
        ? 'It needs you'
        : troubles.length > 0
          ? 'Not in order'
          : waiting > 0
            ? 'Catching up'
            : kStateWords.active;
  return (
    <section className={`part link link-${needs_person ? 'broken' : link.state}`} aria-label={`Link to ${link.calendar.summary}`} data-testid={`link-${link.id}`}>
      <h3>{link.calendar.summary}</h3>
      <p data-testid="link-state" data-state={link.state}>
        <strong>{word}</strong>
        {waiting > 0 && ` · ${count(waiting, 'change')} under way`}
      </p>
      <p className="hint">
        Last compared: <LastSeen at_ms={status.last_verified_ms} />. {status.push ? 'Google tells us of changes.' : 'We ask Google for changes.'}
      </p>
      {troubles.length > 0 && (
        <div className="notice trouble" data-testid="link-troubles">
          {troubles.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </div>
      )}
      {status.last_error !== null && (
        <div className="notice trouble" data-testid="link-error">
          <p>{status.last_error.message}</p>
          <p>{status.last_error.what_to_do}</p>
        </div>
      )}
      {status.guard !== null && <Stopped link={link} guard={status.guard} refresh={refresh} />}
      <div className="row wrap">
        {link.state === 'active' ? (
          <button data-testid="link-pause" onClick={() => void act(() => rest.change_link(link.id, { state: 'paused' }))}>
            Pause
          </button>
        ) : (
          <button data-testid="link-resume" onClick={() => void act(() => rest.change_link(link.id, { state: 'active' }))}>
            Resume
          </button>
        )}
        {!is_leaving && (
          <button data-testid="link-unlink" onClick={() => set_is_leaving(true)}>
            Unlink…
          </button>
        )}
      </div>
      {is_leaving && (
        <div className="notice" role="group" aria-label="What happens to the events?">
          <p>What happens to the events in the calendar?</p>
          <div className="row wrap">
            <button data-testid="unlink-leave" onClick={() => void act(() => rest.remove_link(link.id, 'leave'))}>
              Leave them
            </button>
            <button
              className="danger"
              data-testid="unlink-remove"
              onClick={() => void act(() => rest.remove_link(link.id, 'remove'))}
            >
              Remove those that Kalends made
            </button>
            <button onClick={() => set_is_leaving(false)}>Cancel</button>
          </div>
        </div>
      )}
      <Runs {...{ link, members, refresh }} />
      <details>
        <summary>Settings</summary>
        <LinkSettingsForm
          {...{ board, labels, members }}
          settings={link.settings}
          on_save={(settings) => act(() => rest.change_link(link.id, { settings }))}
        />
      </details>
    </section>
  );
}

// What the guard has stopped: shown first, then let go by a person's word, exactly as it was shown.
function Stopped({ link, guard, refresh }: { link: Link; guard: Guard; refresh(): Promise<void> }) {
  const { rest } = use_page();
  const act = use_action(refresh);
  const [plan, set_plan] = useState<RunReport | null>(null);
  return (
    <div className="notice trouble" data-testid="link-guard">
      <p>{guard.reason}</p>
      {plan === null ? (
        <button data-testid="link-show-plan" onClick={() => void act(async () => set_plan(await rest.preview(link.id)))}>
          Show what it would do
        </button>
      ) : (
        <>
          {plan.steps.length > 0 && <Steps steps={plan.steps} />}
          <div className="row wrap">
            <button
              data-testid="link-approve"
              onClick={() =>
                void act(async () => {
                  set_plan(null);
                  await rest.approve(link.id, plan.deletions ?? guard.plan);
                })
              }
            >
              Go on with this
            </button>
            <button onClick={() => set_plan(null)}>Cancel</button>
          </div>
        </>
      )}
    </div>
  );
}

function Accounts({ accounts, refresh }: { accounts: readonly GoogleAccount[]; refresh(): Promise<void> }) {
  const { rest } = use_page();
  const act = use_action(refresh);
  const connect = (login_hint?: string): Promise<void> =>
    act(async () => {
      leave_for_google(await rest.connect({ ...(login_hint && { login_hint }), return_to: return_path() }));
    });
  return (
    <section className="part" aria-label="Google accounts">
      <h3>Google accounts</h3>
      <ul className="plain">
        {accounts.map((account) => (
          <li key={account.id} className="row wrap" data-testid={`account-${account.id}`}>
            <span className="grow">
              {account.email} <span className="hint">{account.state === 'connected' ? 'connected' : 'must be connected again'}</span>
            </span>
            {account.state !== 'connected' && (
              <button onClick={() => void connect(account.email)}>Connect again</button>
            )}
            <button
              aria-label={`Disconnect ${account.email}`}
              onClick={() => void act(() => rest.disconnect(account.id))}
            >
              Disconnect
            </button>
          </li>
        ))}
      </ul>
      <button
        className={accounts.length === 0 ? 'primary' : ''}
        data-testid="connect-google"
        onClick={() => void connect()}
      >
        {accounts.length === 0 ? 'Connect Google' : 'Connect another account'}
      </button>
      {accounts.length === 0 && (
        <p className="hint">
          Kalends asks for the right to make calendars of its own and to change those; nothing else in your account is
          visible to it.
        </p>
      )}
    </section>
  );
}

// Does it, says so when it fails, and looks how things are then.
export function use_action(refresh: () => Promise<void>): (action: () => Promise<unknown>) => Promise<void> {
  const { tell } = use_page();
  return async (action) => {
    try {
      await action();
    } catch (error) {
      const code = error instanceof RestError ? ` (${error.code})` : '';
      tell(`That could not be done: ${(error as Error).message}${code}`);
    }
    await refresh();
  };
}
