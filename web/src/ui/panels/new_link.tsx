// SPDX-License-Identifier: Apache-2.0
// A new link: to a calendar that Kalends makes, which needs no further right, or to one that is there already.
import type { BoardView } from '@kalends/core';
import { useState } from 'react';
import { use_page } from '../context';
import { RestError, type GoogleAccount, type GoogleCalendar } from '../rest';
import { leave_for_google, return_path } from '../google_return';
import { use_action } from './calendar_panel';

interface Props {
  board: BoardView;
  accounts: readonly GoogleAccount[];
  refresh(): Promise<void>;
}

export function NewLink({ board, accounts, refresh }: Props) {
  const { rest } = use_page();
  const act = use_action(refresh);
  const [account_id, set_account_id] = useState(accounts[0]!.id);
  const [summary, set_summary] = useState<string | null>(null);
  const account = accounts.find((one) => one.id === account_id) ?? accounts[0]!;
  const name = summary ?? board.title;
  return (
    <section className="part" aria-label="Link this board">
      <h3>Link this board to a calendar</h3>
      {accounts.length > 1 && (
        <select
          aria-label="Google account"
          value={account.id}
          onChange={(event) => set_account_id(event.target.value)}
        >
          {accounts.map((one) => (
            <option key={one.id} value={one.id}>
              {one.email}
            </option>
          ))}
        </select>
      )}
      <form
        className="row wrap"
        onSubmit={(event) => {
          event.preventDefault();
          void act(() =>
            rest.make_link({
              board: board.id,
              account: account.id,
              create: { summary: name.trim() },
              settings: { time_zone: board.time_zone },
            }),
          );
        }}
      >
        <input
          className="grow"
          aria-label="Name of the new calendar"
          value={name}
          data-testid="new-calendar-name"
          onChange={(event) => set_summary(event.target.value)}
        />
        <button className="primary" disabled={name.trim() === ''} data-testid="make-calendar">
          Make a calendar
        </button>
      </form>
      <PickCalendar key={account.id} board={board} account={account} refresh={refresh} />
    </section>
  );
}

type Calendars = { is: 'unasked' } | { is: 'known'; items: GoogleCalendar[] } | { is: 'not_granted' };

function PickCalendar({ board, account, refresh }: Omit<Props, 'accounts'> & { account: GoogleAccount }) {
  const { rest } = use_page();
  const act = use_action(refresh);
  const [calendars, set_calendars] = useState<Calendars>({ is: 'unasked' });
  const [picked, set_picked] = useState('');
  const ask = async (): Promise<void> => {
    if (!account.can_pick_calendar) return set_calendars({ is: 'not_granted' });
    await act(async () => {
      try {
        set_calendars({ is: 'known', items: await rest.calendars(account.id) });
      } catch (error) {
        if (!(error instanceof RestError) || error.code !== 'forbidden') throw error;
        set_calendars({ is: 'not_granted' });
      }
    });
  };
  switch (calendars.is) {
    case 'unasked':
      return (
        <button className="quiet" data-testid="pick-calendar" onClick={() => void ask()}>
          Or pick a calendar that is there already…
        </button>
      );
    case 'not_granted':
      return (
        <div className="notice" data-testid="pick-not-granted">
          <p>
            To show your calendars, Kalends needs a further right from Google. You can also go without: making a calendar
            works as it is.
          </p>
          <button
            onClick={() =>
              void act(async () => {
                const options = { login_hint: account.email, pick: true, return_to: return_path() };
                leave_for_google(await rest.connect(options));
              })
            }
          >
            Ask Google for it
          </button>
        </div>
      );
    case 'known':
      return (
        <form
          className="row wrap"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() =>
              rest.make_link({
                board: board.id,
                account: account.id,
                calendar: picked,
                calendar_summary: calendars.items.find((calendar) => calendar.id === picked)?.summary,
                settings: { time_zone: board.time_zone },
              }),
            );
          }}
        >
          <select
            className="grow"
            aria-label="Calendar"
            value={picked}
            data-testid="calendar-choice"
            onChange={(event) => set_picked(event.target.value)}
          >
            <option value="" disabled>
              Pick a calendar…
            </option>
            {calendars.items.map((calendar) => (
              <option key={calendar.id} value={calendar.id} disabled={!is_writable(calendar)}>
                {calendar.summary}
                {calendar.primary ? ' (your main one)' : ''}
                {is_writable(calendar) ? '' : ' (read only)'}
              </option>
            ))}
          </select>
          <button className="primary" disabled={picked === ''}>
            Link
          </button>
        </form>
      );
  }
}

function is_writable(calendar: GoogleCalendar): boolean {
  return calendar.access_role === 'owner' || calendar.access_role === 'writer';
}
