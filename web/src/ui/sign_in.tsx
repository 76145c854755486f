// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';

interface Props {
  is_busy: boolean;
  trouble: string | null;
  on_token(token: string): void;
}

export function SignIn({ is_busy, trouble, on_token }: Props) {
  const [token, set_token] = useState('');
  return (
    <main className="sign-in">
      <form
        className="sheet"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== '') on_token(token.trim());
        }}
      >
        <h1>
          <img src="icon.svg" alt="" width="36" height="36" /> Kalends
        </h1>
        <p>Your board and your calendar, in step.</p>
        <label>
          Access token
          <input
            type="password"
            autoComplete="current-password"
            value={token}
            onChange={(event) => set_token(event.target.value)}
            data-testid="token"
            autoFocus
          />
        </label>
        <p className="hint">
          Made with <code>kalends token create --member NAME</code>.
        </p>
        {trouble !== null && (
          <p className="trouble" role="alert" data-testid="sign-in-trouble">
            {trouble}
          </p>
        )}
        <button className="primary" disabled={is_busy || token.trim() === ''} data-testid="sign-in">
          {is_busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
