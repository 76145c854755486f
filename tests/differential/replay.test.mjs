// SPDX-License-Identifier: Apache-2.0
// The native core and core.wasm give the same answers, byte for byte, to the same random conversations; reconcile.wasm
// and the native planner give the same plans.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

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

class Core {
  constructor(module) {
    this.exports = new WebAssembly.Instance(module, {
      env: { emscripten_notify_memory_growth: () => {} },
      wasi_snapshot_preview1: {
        proc_exit: (code) => {
          throw new Error(`core.wasm ended with ${code}`);
        },
      },
    }).exports;
    this.exports._initialize?.();
  }
  call(request) {
    const { kalends_alloc, kalends_call, kalends_free } = this.exports;
    const pointer = kalends_alloc(request.length);
    new Uint8Array(this.exports.memory.buffer).set(request, pointer);
    const result = kalends_call(pointer, request.length);
    kalends_free(pointer, request.length);
    const length = new DataView(this.exports.memory.buffer).getUint32(result, true);
    const answer = Buffer.from(new Uint8Array(this.exports.memory.buffer, result + 4, length));
    kalends_free(result, 4 + length);
    return answer;
  }
}

// Every request of the trace with its recorded answer; `spoil` changes an answer, to see that it is noticed.
function compare(recorded, module, spoil = (answer) => answer) {
  let core;
  let at = 0;
  let calls = 0;
  const take = () => {
    const length = recorded.readUInt32LE(at);
    at += 4 + length;
    return recorded.subarray(at - length, at);
  };
  while (at < recorded.length) {
    const request = take();
    if (request.length === 0) {
      core = new Core(module);
      continue;
    }
    const native_answer = spoil(take(), calls);
    const wasm_answer = core.call(request);
    if (!wasm_answer.equals(native_answer)) return { calls, differs_at: calls };
    calls += 1;
  }
  return { calls, differs_at: null };
}

test('native and WebAssembly answer alike', () => {
  const recorded = execFileSync(trace_program, [seed, traces], { maxBuffer: 1 << 30 });
  const module = new WebAssembly.Module(readFileSync(module_file));
  const { calls, differs_at } = compare(recorded, module);
  assert.equal(differs_at, null, `answer ${differs_at} differs: ${trace_program} ${seed} ${traces}`);
  assert.ok(calls > Number(traces) * 30, `only ${calls} answers were compared`);
  console.log(`${traces} traces, ${calls} answers compared`);
});

test('a changed byte in one answer is noticed', () => {
  const recorded = execFileSync(trace_program, [seed, '1'], { maxBuffer: 1 << 30 });
  const module = new WebAssembly.Module(readFileSync(module_file));
  const spoil = (answer, call) => {
    if (call !== 20) return answer;
    const changed = Buffer.from(answer);
    changed[changed.length - 1] ^= 1;
    return changed;
  };
  assert.equal(compare(recorded, module, spoil).differs_at, 20);
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
  const spoil = (answer, call) => {
    if (call !== 20) return answer;
    const changed = Buffer.from(answer);
    changed[changed.length - 1] ^= 1;
    return changed;
  };
  assert.equal(compare(record_plans('100000', '30'), module, spoil).differs_at, 20);
});
