// SPDX-License-Identifier: Apache-2.0
// The way to Google's consent page and back. Google knows nothing of our pages, and the server comes back to the
// first one, so the tab itself remembers where the person was.

const kStorageKey = 'kalends.before_google';

export type GoogleAnswer = { is: 'connected' } | { is: 'failed'; reason: string };

export function leave_for_google(address: string): void {
  sessionStorage.setItem(kStorageKey, location.hash);
  location.assign(address);
}

// Where the server shall come back to: a path of its own.
export function return_path(): string {
  return location.pathname;
}

// What Google's page ended with, when the page was just opened by coming back from it. Takes it out of the address
// and goes to where the person was.
function take_google_answer(): GoogleAnswer | null {
  const query = new URLSearchParams(location.search);
  const word = query.get('google');
  if (word !== 'connected' && word !== 'failed') return null;
  const hash = sessionStorage.getItem(kStorageKey) ?? location.hash;
  sessionStorage.removeItem(kStorageKey);
  history.replaceState(null, '', location.pathname + hash);
  return word === 'connected' ? { is: 'connected' } : { is: 'failed', reason: query.get('reason') ?? '' };
}

// Read once, when the page is opened.
export const kGoogleAnswer = take_google_answer();
