// SPDX-License-Identifier: Apache-2.0
// Signing in: a bearer token and whose it is. Both are remembered, so that the page starts without a network.
import type { Account } from '../replica/messages';
import { Rest } from './rest';

export interface Session {
  token: string;
  account: Account;
}

const kStorageKey = 'kalends.session';

// A token in the address's fragment never reaches a server; it is taken out of the address at once.
export function take_token_from_address(): string | null {
  const match = /^#token=([^&]+)/.exec(location.hash);
  if (match === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return decodeURIComponent(match[1]!);
}

export function remembered_session(): Session | null {
  try {
    const session = JSON.parse(localStorage.getItem(kStorageKey) ?? 'null') as Session | null;
    return typeof session?.token === 'string' && typeof session.account?.member === 'string' ? session : null;
  } catch {
    return null;
  }
}

// Errors: RestError; `unauthenticated` when the server does not know the token.
export async function sign_in(token: string): Promise<Session> {
  const answer = await new Rest(token).session();
  const session: Session = {
    token,
    account: {
      member: answer.member.id,
      name: answer.member.name,
      workspace: answer.workspace,
      workspace_document: answer.workspace_document,
      role: answer.role,
    },
  };
  localStorage.setItem(kStorageKey, JSON.stringify(session));
  // What is stored here may be the only copy for a while: ask the browser not to clear it when space gets short.
  void navigator.storage?.persist?.();
  return session;
}

// Stored boards and unsent edits stay in this browser for the next time this member signs in.
export function sign_out(): void {
  localStorage.removeItem(kStorageKey);
  location.hash = '';
  location.reload();
}
