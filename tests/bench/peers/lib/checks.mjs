// SPDX-License-Identifier: Apache-2.0
// What a figure is worth nothing without: does the peer compute the right state? Every check answers null (right), a
// sentence about what is wrong, or kNotChecked when the peer's adapter lacks the method that the check needs.
import { loadTrace } from './trace.mjs';
import { Model } from './model.mjs';
import { hashState, hashCard, diffState } from './canon.mjs';
import { prng } from './prng.mjs';

export const kNotChecked = 'not checked';
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
export function old_versions_are_kept(P, name, concurrent) {
  const peer = new P(0, false);
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
  const wrong = replicas_converge(P, concurrent, false, replicas => { last = replicas[1]; shown.push([last.version(), plain(last.state())]); });
  if (wrong) return wrong;
  for (const [i, [version, want]] of shown.entries()) {
    const difference = differ(want, plain(last.at(version)), `after round ${i + 1}`);
    if (difference) return difference;
  }
  return null;
}

// Which values lost but were not seen by the one who won? Every register (title, start, due, archived, list) remembers
// the last write of each actor that no other write has seen; a write replaces all that its actor saw.
export class OpenLosers {
  constructor() { this.cards = new Map(); }
  // base and sequential operations: everything before is seen
  write(op, seen_in_round) {
    if (op.o === 'card') {
      if (!this.cards.has(op.c)) this.cards.set(op.c, { registers: new Map(), deleted: false, touched: new Set(), deleters: new Set() });
      this.set(op, 'title', op.title, seen_in_round); this.set(op, 'list', op.l, seen_in_round);
      return;
    }
    const card = this.cards.get(op.c);
    if (!card) return;
    if (seen_in_round) (op.o === 'del' ? card.deleters : card.touched).add(op.a);
    else if (op.o === 'del') card.deleted = true;
    if (op.o === 'title' || op.o === 'start' || op.o === 'due' || op.o === 'arch') this.set(op, op.o, op.v, seen_in_round);
    else if (op.o === 'move') this.set(op, 'list', op.l, seen_in_round);
  }
  set(op, field, value, seen_in_round) {
    const { registers } = this.cards.get(op.c), old = registers.get(field) ?? [];
    const kept = seen_in_round ? old.filter(one => one.round === seen_in_round && one.actor !== op.a) : [];
    // what stood at the fork is overwritten by whoever writes first, for everybody: all saw it
    registers.set(field, [...kept, { value, t: op.t, actor: op.a, round: seen_in_round }]);
  }
  end_of_round() {
    for (const card of this.cards.values()) {
      if (card.deleters.size) {
        // an edit that the deleter did not see keeps the card; the deletion stays as a question
        const edited = [...card.touched].some(actor => !card.deleters.has(actor));
        if (edited) card.asked = true; else card.deleted = true;
      }
      card.deleters.clear(); card.touched.clear();
    }
  }
  list() {
    const out = [];
    for (const [card, { registers, deleted, asked }] of this.cards) {
      if (deleted) continue;
      if (asked) out.push({ card, field: 'deletion', value: null });
      for (const [field, writes] of registers) {
        const winner = writes.reduce((a, b) => (b.t > a.t || (b.t === a.t && b.actor > a.actor) ? b : a));
        const values = new Set(writes.map(one => one.value));
        values.delete(winner.value);
        for (const value of values) out.push({ card, field, value });
      }
    }
    return out;
  }
}
const lines = losers => losers.map(({ card, field, value }) => JSON.stringify([card, field, value ?? null])).sort();
export const losers_differ = (want, got) => {
  const a = new Set(lines(want)), b = new Set(lines(got));
  const missing = [...a].find(one => !b.has(one)), extra = [...b].find(one => !a.has(one));
  if (missing) return `missing ${missing} (${a.size} expected, ${b.size} shown)`;
  if (extra) return `unexpected ${extra} (${a.size} expected, ${b.size} shown)`;
  return null;
};
export function losers_stay_open(P, name) {
  if (!new P(0, false).openLosers) return kNotChecked;
  const reference = new OpenLosers(), trace = loadTrace(name);
  let number = 0, wrong = null;
  for (const op of trace.base) reference.write(op, 0);
  const diverged = replicas_converge(P, name, false, (replicas, round) => {
    number++;
    for (const ops of round.byActor.values()) for (const op of ops) reference.write(op, number);
    reference.end_of_round();
    for (const op of round.seq) reference.write(op, 0);
    for (const one of [replicas[0], replicas[3]]) wrong ??= losers_differ(reference.list(), one.openLosers());
    if (wrong && !/^round/.test(wrong)) wrong = `round ${number}: ${wrong}`;
  });
  return diverged ?? wrong;
}

// [name, function of (P) -> answer]
export const kChecks = [
  ['sequential operations give the reference state', P => sequential_is_reference(P, 'tiny', false) ?? (P.text ? sequential_is_reference(P, 'tinytxt', true) : null)],
  ['replicas converge', P => replicas_converge(P, 'mix', false) ?? (P.text ? replicas_converge(P, 'mixtxt', true) : null)],
];
export const kOwnChecks = [
  ['emitted updates alone rebuild the state', P => updates_rebuild(P, 'mix', false)],
  ['old versions are the states shown then', P => old_versions_are_kept(P, 'tiny', 'mix')],
  ['open losers are those of the reference', P => losers_stay_open(P, 'mix')],
];
