// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { rows_of, checks_of, json_of, markdown_of, text_of, kWorkOfRow } from './report.mjs';
import { sequential_is_reference, replicas_converge } from './lib/checks.mjs';
import { hashState, diffState } from './lib/canon.mjs';
import JsLww from './peers/jslww.mjs';

for (const name of ['tiny', 'mix']) if (!fs.existsSync(new URL(`./traces/${name}.jsonl`, import.meta.url))) (await import('./gen.mjs')).writeTrace(name);

const runs = (key, ...values) => values.map(value => ({ [key]: value }));
const w1 = (ours, native) => ({
  machine: { cpu: 'a processor', cores: 2, node: 'v20', date: '2026-01-01' }, quick: false, runs: 3, has_ours: true, has_native: true,
  results: { w1: { 'js-lww': runs('opsPerSec', 200, 200, 200), yjs: runs('opsPerSec', 50, 60, 70), ywasm: runs('opsPerSec', 40), kalends: runs('opsPerSec', ...ours), native: runs('opsPerSec', ...native) } },
});
const row = (everything, name) => rows_of(everything).find(one => one.row === name);

test('a row that reaches every part of its goal is met', () => {
  assert.deepEqual(row(w1([600, 700, 800], [1800]), 'W1'), {
    row: 'W1', best_peer: 'yjs', best: 60, ours_wasm: 700, ratio_wasm: 11.67, ours_native: 1800, ratio_native: 30,
    goal: 'wasm ≥ 10x the best library and ≥ 3x js-lww, native ≥ 30x', met: true,
  });
});
test('a row that misses one part of its goal is reported as missed', () => {
  assert.equal(row(w1([590], [1800]), 'W1').met, false, 'below 10x the best library');
  assert.equal(row(w1([700], [1799]), 'W1').met, false, 'native below 30x');
  const slow_reference = w1([610], [1800]);
  slow_reference.results.w1['js-lww'] = runs('opsPerSec', 204);
  assert.equal(row(slow_reference, 'W1').met, false, 'below 3x js-lww');
  assert.match(text_of(w1([590], [1800])), /MISSED/);
  assert.match(markdown_of(w1([590], [1800])), /\| MISSED \|/);
});
test('the median decides, not the best run', () => {
  assert.equal(row(w1([100, 100, 9000], [1800]), 'W1').met, false);
});
test('a part without a figure is neither met nor missed', () => {
  const everything = w1([700], [1800]);
  delete everything.results.w1.native;
  assert.equal(row(everything, 'W1').met, null);
  everything.results.w1.kalends = runs('opsPerSec', 1);
  assert.equal(row(everything, 'W1').met, false);
  delete everything.results.w1.kalends;
  assert.equal(row(everything, 'W1').met, null);
});
test('a measurement of ours that stopped is a miss', () => {
  const everything = w1([700], [1800]);
  everything.results.w1.native = [{ error: 'exit null SIGSEGV' }];
  assert.equal(row(everything, 'W1').met, false);
  assert.match(text_of(everything), /native stopped .* MISSED/);
});
test('a peer that failed is not the best and keeps its reason', () => {
  const everything = w1([700], [1800]);
  everything.results.w1.yjs = [{ error: 'no end after 600 s' }];
  assert.equal(row(everything, 'W1').best_peer, 'ywasm');
  assert.match(text_of(everything), /yjs +none \(no end after 600 s\)/);
});
test('times count as better when they are smaller, shares are ours divided by theirs', () => {
  const everything = w1([700], [1800]);
  everything.results.w3 = { yjs: [{ loadAllMs: 800, v2Gz: 1.5e6 }], 'loro-map': [{ loadAllMs: 400, trimGz: 2e6, gz: 4.9e6, updGz: 2.4e6 }], tinybase: [{ trimGz: 1e6 }], kalends: [{ loadAllMs: 100, trimGz: 1.2e6, gz: 2e6 }], native: [{ loadAllMs: 10 }] };
  everything.images = { 'base10k|automerge-ll': { gz: 2.2e6 } };
  assert.deepEqual([row(everything, 'W3 load').ratio_wasm, row(everything, 'W3 load').ratio_native, row(everything, 'W3 load').met], [0.25, 40, true]);
  assert.deepEqual([row(everything, 'W3 trimmed').best_peer, row(everything, 'W3 trimmed').ratio_wasm], ['yjs (V2)', 0.8], 'TinyBase is listed, not compared');
  assert.match(text_of(everything), /tinybase +1\.00 +\(TinyBase keeps no ids of operations/);
  assert.deepEqual([row(everything, 'W3 history').best_peer, row(everything, 'W3 history').met], ['automerge-ll', false]);
});
test('the cold start counts above the empty module of the same run', () => {
  const everything = w1([700], [1800]);
  const size = (coldMs, totalBr) => ({ coldMs, coldMin: coldMs, coldMax: coldMs, totalBr, runs: 3 });
  everything.results.sizes = { 'empty module': size(4, 70), kalends: size(8.5, 65 * 1024), yjs: size(14, 25 * 1024) };
  assert.deepEqual([row(everything, 'W7 start').ours_wasm, row(everything, 'W7 start').met], [4.5, true]);
  assert.equal(row(everything, 'W7 size').met, false);
});
test('a large board is held against our own small one', () => {
  const everything = w1([700], [1800]);
  everything.results.w3 = { kalends: [{ loadAllMs: 100 }], native: [{ loadAllMs: 10 }] };
  everything.results['w8-w3'] = { kalends: [{ loadAllMs: 1600 }], native: [{ loadAllMs: 120 }] };
  assert.deepEqual([row(everything, 'W8 load').ratio_wasm, row(everything, 'W8 load').ratio_native, row(everything, 'W8 load').met], [1.6, 1.2, false]);
});
test('the JSON is one line with rows and checks', () => {
  const everything = w1([700], [1800]), json = json_of(rows_of(everything), checks_of(everything));
  assert.ok(!json.includes('\n'));
  assert.deepEqual(Object.keys(JSON.parse(json)), ['rows', 'checks']);
});
test('every row has a goal for us', () => {
  for (const spec of Object.values(kWorkOfRow)) assert.ok(spec.parts.some(([who]) => who === 'wasm'), spec.row);
});

test('a wrong state fails the check', () => {
  const everything = w1([700], [1800]);
  everything.checks = { reference: { base10k: 'aaaa' }, kalends: { answers: { 'replicas converge': null, 'old versions are the states shown then': 'after round 3: /cards/x', 'emitted updates alone rebuild the state': 'not checked' } } };
  everything.images = { 'base10k|yjs': { hash: 'aaaa' }, 'base10k|kalends': { hash: 'bbbb' } };
  everything.results.w2 = { kalends: [{ ms: 1, converged: true, dup: 0 }, { ms: 1, converged: false, why: '/lists/0', dup: 1 }] };
  const of = ok => checks_of(everything).filter(one => one.ok === ok).map(one => `${one.peer} ${one.check}`);
  assert.deepEqual(of(true), ["yjs base10k: the state after the base is the reference model's", 'kalends replicas converge']);
  assert.deepEqual(of(false), ["kalends base10k: the state after the base is the reference model's", 'kalends w2: all copies show the same', 'kalends w2: no card stands in two lists', 'kalends old versions are the states shown then']);
  assert.deepEqual(of(null), ['kalends emitted updates alone rebuild the state']);
  assert.match(text_of(everything), /WRONG {2}kalends: old versions/);
});
test('checks that could not run are wrong, not silent', () => {
  const everything = w1([700], [1800]);
  everything.checks = { kalends: { error: 'stopped' } };
  assert.deepEqual(checks_of(everything).map(one => one.ok), [false]);
});

const card = (over = {}) => ({ title: 'T', desc: '', start: null, due: null, arch: false, labels: [], asg: [], chk: [{ id: '1', text: 'a', done: false }], msgs: [{ id: '2', by: 0, t: 5, text: 'm' }], ...over });
const board = one => ({ lists: [{ id: 'L', name: 'L', cards: ['c'] }], cards: { c: one } });
test('states are compared without the ids of children, but with their order', () => {
  const renamed = card({ chk: [{ id: '9', text: 'a', done: false }], msgs: [{ by: 0, t: 5, text: 'm' }] });
  assert.equal(hashState(board(card())), hashState(board(renamed)));
  assert.equal(diffState(board(card()), board(renamed)), null);
  const two = card({ chk: [{ text: 'a', done: false }, { text: 'b', done: false }] }), turned = card({ chk: [{ text: 'b', done: false }, { text: 'a', done: false }] });
  assert.notEqual(hashState(board(two)), hashState(board(turned)));
  assert.match(diffState(board(two), board(turned)), /\/cards\/c\/chk\/0\/text/);
});
test('an engine that drops an operation is found by the checks', () => {
  class Forgetful extends JsLww { apply1(op) { return op.o === 'due' ? false : super.apply1(op); } static load(bytes, actor) { return Object.assign(new Forgetful(actor), JsLww.load(bytes, actor)); } }
  class Divergent extends JsLww { merge(bytes) { if (this.actor !== 2) super.merge(bytes); } static load(bytes, actor) { return Object.assign(new Divergent(actor), JsLww.load(bytes, actor)); } }
  assert.equal(sequential_is_reference(JsLww, 'tiny', false), null);
  assert.match(sequential_is_reference(Forgetful, 'tiny', false), /\/due/);
  assert.equal(replicas_converge(JsLww, 'mix', false), null);
  assert.match(replicas_converge(Divergent, 'mix', false), /^round 1/);
});
