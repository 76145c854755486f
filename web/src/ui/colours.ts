// SPDX-License-Identifier: Apache-2.0
// The colours that a card, a label and a calendar event share.
import type { Colour } from '@kalends/core';

export const kColours: readonly Exclude<Colour, ''>[] = [
  'lavender',
  'sage',
  'grape',
  'flamingo',
  'banana',
  'tangerine',
  'peacock',
  'graphite',
  'blueberry',
  'basil',
  'tomato',
];

export function colour_class(colour: Colour): string {
  return colour === '' ? 'colour-none' : `colour-${colour}`;
}
