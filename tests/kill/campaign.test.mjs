// SPDX-License-Identifier: Apache-2.0
// The whole campaign sees what is planted into its database.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const campaign = (...options) => {
  const { status, stdout } = spawnSync(process.execPath, ['--experimental-websocket', '--no-warnings', 'tests/kill/campaign.mjs', '--kills', '12', '--json', ...options], { encoding: 'utf8', timeout: 90_000 });
  return { status, line: JSON.parse(stdout.trim().split('\n').at(-1)) };
};

test('an operation that was acknowledged and taken out of the log is missed', () => {
  const { status, line } = campaign('--plant-loss');
  assert.deepEqual([status, line.lost + line.mismatches > 0], [1, true]);
});

test('after each restore of an older backup nothing but what the hub alone knew is gone', () => {
  const { status, line } = campaign('--kills', '80', '--restore');
  assert.deepEqual([status, line.lost, line.duplicates, line.mismatches], [0, 0, 0, 0]);
});
