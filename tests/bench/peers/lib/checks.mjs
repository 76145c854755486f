// SPDX-License-Identifier: Apache-2.0
// What a figure is worth nothing without: does the peer compute the right state? Every check answers null (right), a
// sentence about what is wrong, or kNotChecked when the peer's adapter lacks the method that the check needs.
import { loadTrace } from './trace.mjs';
import { Model } from './model.mjs';
import { hashState, hashCard, diffState } from './canon.mjs';
import { prng } from './prng.mjs';
import { kNotChecked, tangles_are_reference, trace_is_reference } from './oracles.mjs';

export { kNotChecked };

const plain = x => JSON.parse(JSON.stringify(x));
const differ = (want, got, where) => (hashState(want) === hashState(got) ? null : `${where}: ${diffState(want, got)}`);

export function sequential_is_reference(P, name, text) {
  const model = new Model(), peer = new P(0, text);
  for (const op of loadTrace(name, { baseOnly: true }).base) { model.apply(op); peer.txn(() => peer.apply(op)); }
  const want = plain(model.state()), saved = peer.save();
  let wrong = differ(want, plain(peer.state()), 'after the operations');
  const loaded = P.load(saved, 5, text);
  wrong ??= differ(want, plain(loaded.state()), 'after saving and loading');
  const card = Object.keys(want.cards)[0];
  if (hashCard(want.cards[card]) !== hashCard(loaded.card(card))) wrong ??= `card ${card}: ${diffState(want.cards[card], loaded.card(card))}`;
  // TinyBase's trimmed form cannot be merged any more, so it is no document.
  if (peer.trim && P.id !== 'tinybase') wrong ??= differ(want, plain(P.load(peer.trim(), 6, text).state()), 'after trimming and loading');
  return wrong;
}

// Rounds of concurrent bursts between five replicas, each of which receives the deltas in another order. `seen`, when
// given, is told of every replica after every round.
export function replicas_converge(P, name, text, seen = () => {}) {
  const trace = loadTrace(name), count = 5, base = new P(0, text);
  for (const op of trace.base) base.txn(() => base.apply(op));
  const image = base.save(), first = trace.rounds[0].first;
  const replicas = Array.from({ length: count }, (_, i) => { const one = P.load(image, first + i, text); one.startLog?.(); return one; });
  let number = 0;
  for (const round of trace.rounds) {
    number++;
    const versions = replicas.map(one => one.version());
    for (const [actor, ops] of round.byActor) for (const op of ops) replicas[actor - first].txn(() => replicas[actor - first].apply(op));
    const deltas = replicas.map((one, i) => (round.byActor.has(first + i) ? one.delta(versions[i]) : null));
    replicas.forEach((one, i) => {
      for (let j = 1; j < count; j++) { const from = (i % 2 ? i + j : i + count - j) % count; if (deltas[from]) one.merge(deltas[from]); }
    });
    const before = replicas[0].version();
    for (const op of round.seq) replicas[0].txn(() => replicas[0].apply(op));
    const delta = replicas[0].delta(before);
    for (let i = 1; i < count; i++) replicas[i].merge(delta);
    const hashes = replicas.map(one => hashState(plain(one.state())));
    const other = hashes.findIndex(hash => hash !== hashes[0]);
    if (other > 0) return `round ${number}: ${hashes.join(' ')} ${diffState(plain(replicas[0].state()), plain(replicas[other].state()))}`;
    seen(replicas, round);
  }
  return null;
}

// The bytes that left the peer, and nothing else, make a fresh replica equal.
export function updates_rebuild(P, name, text) {
  const peer = new P(0, text), updates = [];
  const rebuild = P.rebuild?.bind(P) ?? peer.rebuild?.bind(peer);
  if (!rebuild) return kNotChecked;
  peer.onUpdate(bytes => updates.push(bytes.slice()));
  for (const op of loadTrace(name, { baseOnly: true }).base) peer.txn(() => peer.apply(op));
  const built = rebuild(updates);
  return differ(plain(peer.state()), plain(typeof built.state === 'function' ? built.state() : built), `from ${updates.length} updates`);
}

// Random points of a sequential history against the model, and of a concurrent one against what was shown then.
export function old_versions_are_kept(P, name, concurrent, text) {
  const peer = new P(0, text);
  if (!peer.at) return kNotChecked;
  const { base } = loadTrace(name, { baseOnly: true }), model = new Model(), random = prng(99), points = [];
  const chosen = new Set(Array.from({ length: 24 }, () => random.int(base.length)));
  base.forEach((op, i) => {
    model.apply(op); peer.txn(() => peer.apply(op));
    if (chosen.has(i)) points.push([i, peer.version(), plain(model.state())]);
  });
  for (const [i, version, want] of points) {
    const wrong = differ(want, plain(peer.at(version)), `after operation ${i + 1}`);
    if (wrong) return wrong;
  }
  let last, shown = [];
  const wrong = replicas_converge(P, concurrent, text, replicas => { last = replicas[1]; shown.push([last.version(), plain(last.state())]); });
  if (wrong) return wrong;
  for (const [i, [version, want]] of shown.entries()) {
    const difference = differ(want, plain(last.at(version)), `after round ${i + 1}`);
    if (difference) return difference;
  }
  return null;
}

// [name, function of (P) -> answer]
export const kChecks = [
  ['sequential operations give the reference state', P => sequential_is_reference(P, 'tiny', false) ?? (P.text ? sequential_is_reference(P, 'tinytxt', true) : null)],
  ['replicas converge', P => replicas_converge(P, 'mix', false) ?? (P.text ? replicas_converge(P, 'mixtxt', true) : null)],
];
export const kOwnChecks = [
  ['emitted updates alone rebuild the state', P => updates_rebuild(P, 'mix', false) ?? updates_rebuild(P, 'tinytxt', true)],
  ['old versions are the states shown then', P => old_versions_are_kept(P, 'tiny', 'mix', false) ?? old_versions_are_kept(P, 'tinytxt', 'mixtxt', true)],
  ['rounds equal the reference: state, open losers, old versions, copies rebuilt from updates in any order', P => trace_is_reference(P, 'mix')],
  ['tangled histories equal the reference in the same ways', P => tangles_are_reference(P, 12)],
];
// Ten minutes of the same: test.mjs --long.
export const kLongChecks = [
  ['1,000 tangled histories equal the reference', P => tangles_are_reference(P, 1000)],
  ['40 long tangled histories equal the reference', P => tangles_are_reference(P, 40, 3000)],
  ['the rounds of base10k equal the reference', P => trace_is_reference(P, 'base10k')],
];
