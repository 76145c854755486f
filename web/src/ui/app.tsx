// SPDX-License-Identifier: Apache-2.0
// The page: signed in or not, and which part of it is shown.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { start_client } from '../replica/replica_client';
import { BoardPage } from './board/board_page';
import { BoardPicker } from './board_picker';
import { kPageContext, type PageContext } from './context';
import { Rest, RestError } from './rest';
import { kGoogleAnswer } from './google_return';
import { use_names } from './names';
import { use_route } from './route';
import { remembered_session, sign_in, take_token_from_address, type Session } from './session';
import { SignIn } from './sign_in';

const kToldForMs = 8000;

// Read once, before the first drawing: the token leaves the address at once.
const kAddressToken = take_token_from_address();

export function App() {
  const [session, set_session] = useState<Session | null>(() => {
    const remembered = remembered_session();
    return kAddressToken === null || remembered?.token === kAddressToken ? remembered : null;
  });
  const [trouble, set_trouble] = useState<string | null>(null);
  const [is_busy, set_is_busy] = useState(false);

  const enter = useCallback(async (token: string) => {
    set_is_busy(true);
    set_trouble(null);
    try {
      set_session(await sign_in(token));
    } catch (error) {
      const is_unknown = error instanceof RestError && error.code === 'unauthenticated';
      set_trouble(is_unknown ? 'The server does not know this token.' : (error as Error).message);
    }
    set_is_busy(false);
  }, []);

  useEffect(() => {
    if (session === null && kAddressToken !== null) void enter(kAddressToken);
  }, []);

  if (session === null) return <SignIn is_busy={is_busy} trouble={trouble} on_token={(token) => void enter(token)} />;
  return <SignedIn session={session} />;
}

function SignedIn({ session }: { session: Session }) {
  const route = use_route();
  const [told, set_told] = useState<string | null>(() =>
    kGoogleAnswer?.is === 'failed' ? `Google was not connected: ${kGoogleAnswer.reason}` : null,
  );
  const timer = useRef<number | undefined>(undefined);
  const tell = useCallback((message: string) => {
    clearTimeout(timer.current);
    set_told(message);
    timer.current = window.setTimeout(() => set_told(null), kToldForMs);
  }, []);
  const [client] = useState(() => start_client(session.account, session.token));
  const rest = useMemo(() => new Rest(session.token), [session]);
  const names = use_names(rest, session);
  const context = useMemo<PageContext>(
    () => ({ session, client, rest, names, tell }),
    [session, client, rest, names, tell],
  );
  return (
    <kPageContext.Provider value={context}>
      {route.at === 'boards' ? (
        <BoardPicker />
      ) : (
        <BoardPage key={route.board} board_id={route.board} card_id={route.card} />
      )}
      {told !== null && <Toast message={told} on_close={() => set_told(null)} />}
    </kPageContext.Provider>
  );
}

// Inside of the dialog that is open: it stands before everything else, and what is outside cannot be reached.
function Toast({ message, on_close }: { message: string; on_close(): void }) {
  const place = useMemo(() => [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body, [message]);
  return createPortal(
    <div className="toast-place" role="alert">
      <div className="toast" data-testid="toast">
        {message}
        <button className="quiet" aria-label="Close the message" onClick={on_close}>
          ✕
        </button>
      </div>
    </div>,
    place,
  );
}
