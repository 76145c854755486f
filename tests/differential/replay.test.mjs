// SPDX-License-Identifier: Apache-2.0
// The native core and core.wasm give the same answers, byte for byte, to the same random conversations; reconcile.wasm
// and the native planner give the same plans.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compare, spoil_answer } from './replay.mjs';

const trace_program = process.env.KALENDS_TRACE ?? 'build/dev/tests/differential/kalends-trace';
const module_file = process.env.KALENDS_CORE_WASM ?? 'build/wasm/core.wasm';
const plans_program = process.env.KALENDS_PLANS_PROGRAM ?? 'build/dev/tests/differential/kalends-plans';
const plans_file = process.env.KALENDS_RECONCILE_WASM ?? 'build/wasm/reconcile.wasm';
const traces = process.env.KALENDS_TRACES ?? '3000';
// Every so manieth of all situations of one card and one event (a prime, so that none of their kinds is left out), and so
// many random ones.
const stride = process.env.KALENDS_PLANS_STRIDE ?? '7';
const random_plans = process.env.KALENDS_PLANS ?? '10000';
const seed = process.env.KALENDS_SEED ?? '1';

// So many traces are recorded at once: memory stays bounded, however many there are.
const kAtOnce = 1000;

test('native and WebAssembly answer alike', () => {
  const module = new WebAssembly.Module(readFileSync(module_file));
  let calls = 0;
  let hashes = 0;
  for (let done = 0; done < Number(traces); done += kAtOnce) {
    const record = [String(Number(seed) + done), String(Math.min(kAtOnce, Number(traces) - done))];
    const found = compare(execFileSync(trace_program, record, { maxBuffer: 1 << 30 }), module);
    assert.equal(found.differs_at, null, `answer ${found.differs_at} differs: ${trace_program} ${record.join(' ')}`);
    calls += found.calls;
    hashes += found.hashes;
  }
  assert.ok(calls > Number(traces) * 80, `only ${calls} answers were compared`);
  assert.ok(hashes >= Number(traces) * 30, `only ${hashes} hashes were compared`);
  console.log(`${traces} traces, ${calls} answers compared, ${hashes} of them hashes of states`);
});

test('a changed byte in one answer is noticed', () => {
  const recorded = execFileSync(trace_program, [seed, '1'], { maxBuffer: 1 << 30 });
  const module = new WebAssembly.Module(readFileSync(module_file));
  assert.equal(compare(recorded, module, spoil_answer(20)).differs_at, 20);
});

const record_plans = (stride, random) => execFileSync(plans_program, [seed, stride, random], { maxBuffer: 1 << 30 });

test('native and WebAssembly make the same plans', () => {
  const module = new WebAssembly.Module(readFileSync(plans_file));
  const { calls, differs_at } = compare(record_plans(stride, random_plans), module);
  assert.equal(differs_at, null, `plan ${differs_at} differs: ${plans_program} ${seed} ${stride} ${random_plans}`);
  assert.ok(calls > Number(random_plans) + 300_000 / Number(stride), `only ${calls} plans were compared`);
  console.log(`${calls} plans compared`);
});

test('the plans that are compared take every step and say every reason', () => {
  const seen = record_plans(stride, random_plans);
  const source = readFileSync('core/api/preview.cc', 'utf8') + readFileSync('core/reconcile/reconcile.cc', 'utf8');
  const words = [...source.matchAll(/\bstep\("(\w+)"/g), ...source.matchAll(/\b(?:say|send|take)\([^;"]*"([^"]+)"/g)].map(([, word]) => word);
  assert.ok(words.length > 20);
  assert.deepEqual(words.filter((word) => !seen.includes(word)), []);
});

test('a changed byte in one plan is noticed', () => {
  const module = new WebAssembly.Module(readFileSync(plans_file));
  assert.equal(compare(record_plans('100000', '30'), module, spoil_answer(20)).differs_at, 20);
});
