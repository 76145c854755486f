// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { rebase_text } from '../../src/replica/rebase_text';

describe('a draft that comes back', () => {
  test.each([
    ['untouched text takes the draft', 'abc', 'abXc', 'abc', 'abXc'],
    ['an unchanged draft takes what came', 'abc', 'abc', 'aYbc', 'aYbc'],
    ['a change before mine', 'one two', 'one two three', 'zero one two', 'zero one two three'],
    ['a change after mine', 'one two', 'zero one two', 'one two three', 'zero one two three'],
    ['both at one place keep both', 'ab', 'aXb', 'aYb', 'aXYb'],
    ['my removal inside theirs', 'abcdef', 'abef', 'af', 'af'],
    ['their insertion inside my removal stays', 'abcdef', 'af', 'abcXdef', 'aXf'],
    ['overlapping removals remove both', 'abcdef', 'adef', 'abf', 'af'],
    ['both empty the text', 'abc', '', '', ''],
    ['both write the first word', '', 'mine', 'theirs', 'minetheirs'],
    ['pairs are never cut', '👍', '👎', '👍!', '👎!'],
  ])('%s', (_, base, draft, current, expected) => {
    expect(rebase_text({ base, draft, current })).toBe(expected);
  });
});
