// SPDX-License-Identifier: Apache-2.0
// The few pictures that the page needs, drawn here so that they look the same everywhere.

const kPaths = {
  comment: 'M2.5 3.5h11v7h-6l-3 3v-3h-2z',
  clip: 'M11.5 5.5l-5 5a1.6 1.6 0 0 0 2.3 2.3l5-5a3 3 0 0 0-4.3-4.3l-5.2 5.2a4.4 4.4 0 0 0 6.2 6.2',
  checklist: 'M2.5 4.5l1.5 1.5 2.5-3M8.5 5h5M2.5 10.5l1.5 1.5 2.5-3M8.5 11h5',
  text: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  place: 'M8 14.2c3-3.4 4.5-5.7 4.5-7.6a4.5 4.5 0 0 0-9 0c0 1.9 1.5 4.2 4.5 7.600zM8 5.200v2.8',
  warning: 'M8 2.200l6.2 11.300H1.800zM8 6.500v3.500M8 11.700v.4',
  clock: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.800V8l2.2 1.6',
  done: 'M3 8.500l3.3 3.300L13 4.8',
} as const;

export function Icon({ name }: { name: keyof typeof kPaths }) {
  return (
    <svg className="icon-picture" viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <path d={kPaths[name]} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
