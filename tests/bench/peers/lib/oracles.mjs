// SPDX-License-Identifier: Apache-2.0
// Speed bought by forgetting does not count: concurrent histories, in lockstep with lib/reference.mjs. After every few steps
// what a copy shows and every open loser equal the reference's; so do random earlier versions, when everything is over; and
// the bytes that left the copies, in any order, make a fresh copy that shows the same. Answers as lib/checks.mjs.
import { Reference } from './reference.mjs';
import { loadTrace } from './trace.mjs';
import { hashState, diffState } from './canon.mjs';
import { prng } from './prng.mjs';

export const kNotChecked = 'not checked';
// R: the reference's class; canaries give one that decides wrongly.
const kHeldBack = 50000;
const plain = x => JSON.parse(JSON.stringify(x));

const lines = losers => losers.map(({ card, field, value }) => JSON.stringify([card, field, value ?? null]));
export function losers_differ(want, got) {
  const a = new Set(lines(want)), shown = lines(got), b = new Set(shown);
  const missing = [...a].find(one => !b.has(one)), extra = [...b].find(one => !a.has(one));
  if (missing) return `missing loser ${missing} (${a.size} expected, ${b.size} shown)`;
  if (extra) return `unexpected loser ${extra} (${a.size} expected, ${b.size} shown)`;
  return shown.length === b.size ? null : `a loser is shown twice: ${shown.find((one, i) => shown.indexOf(one) !== i)}`;
}
// `want`: of Reference.state; `got`: canonical, as every peer's state().
export function cards_differ(want, got) {
  const list_of = {};
  for (const list of got.lists) for (const card of list.cards) {
    if (card in list_of) return `card ${card} stands in ${list_of[card]} and in ${list.id}`;
    list_of[card] = list.id;
  }
  for (const id in want) if (!(id in got.cards)) return `card ${id} is missing`;
  for (const id in got.cards) {
    if (!(id in want)) return `card ${id} should be gone`;
    const card = got.cards[id], seen = { title: card.title, start: card.start, due: card.due, arch: card.arch, list: list_of[id] ?? null, labels: [...card.labels].sort(), asg: [...card.asg].sort() };
    for (const field in seen) if (JSON.stringify(seen[field]) !== JSON.stringify(want[id][field])) return `card ${id}: ${field} is ${JSON.stringify(seen[field])}, should be ${JSON.stringify(want[id][field])}`;
  }
  return null;
}

// Copies of one board, each beside its reference.
class Lockstep {
  constructor(P, seed, R) {
    this.P = P;
    this.reference = new R();
    this.random = prng(seed);
    this.updates = []; // all bytes that left any copy
    this.points = []; // earlier versions: { copy, version, known, where }
    this.first = new P(0, false);
    this.listen(this.first);
    this.first_model = this.reference.replica(0);
    this.copies = [];
    this.models = [];
  }
  listen(copy) { copy.onUpdate(bytes => this.updates.push(bytes.slice())); }
  begin(op) { this.first.txn(() => this.first.apply(op)); this.first_model.apply(op); }
  fork(actors) {
    const image = this.first.save();
    for (const actor of actors) {
      this.copies.push(this.opened(image, actor));
      this.models.push(this.reference.replica(actor, this.first_model));
    }
  }
  opened(bytes, actor) { const copy = this.P.load(bytes, actor, false); copy.startLog?.(); this.listen(copy); return copy; }
  apply(i, op) { this.copies[i].txn(() => this.copies[i].apply(op)); this.models[i].apply(op); }
  pull(i, from) { this.copies[i].merge(this.copies[from].delta(this.copies[i].version())); this.models[i].merge(this.models[from]); }
  // Closed and opened again: the document is the same, what time it is has to be learnt anew.
  reopen(i) {
    const bytes = this.copies[i].save(), { actor } = this.models[i];
    this.copies[i].free();
    this.copies[i] = this.opened(bytes, actor);
    this.models[i].open();
  }
  mark(i, where) { this.points.push({ i, version: this.copies[i].version(), known: new Map(this.models[i].version), where }); }

  // Null, or what is wrong with copy i now, or as it was at a version.
  wrong(i, where) {
    const { version } = this.models[i], wrong = cards_differ(this.reference.state(version), plain(this.copies[i].state())) ?? losers_differ(this.reference.losers(version), this.copies[i].openLosers());
    return wrong && `${where}: ${wrong}`;
  }
  wrong_past({ i, version, known, where }) {
    const copy = this.copies[i], wrong = cards_differ(this.reference.state(known), plain(copy.at(version))) ?? losers_differ(this.reference.losers(known), copy.openLosers(version));
    return wrong && `as of ${where}: ${wrong}`;
  }
  // Everything that is asked once nobody edits any more.
  end() {
    const { copies, random } = this;
    for (let round = 0; round < 2; ++round) copies.forEach((_, i) => copies.forEach((_, from) => i !== from && this.pull(i, from)));
    const states = copies.map(copy => plain(copy.state())), hashes = states.map(hashState);
    const other = hashes.findIndex(hash => hash !== hashes[0]);
    if (other > 0) return `the copies differ: ${diffState(states[0], states[other])}`;
    for (const i of copies.keys()) { const wrong = this.wrong(i, 'in the end'); if (wrong) return wrong; }
    for (const point of this.points) { const wrong = this.wrong_past(point); if (wrong) return wrong; }
    // A copy holds so many operations back for earlier ones, and no more: within that, any order.
    const shuffled = [...this.updates];
    for (let i = shuffled.length - 1; i > 0; --i) { const first = i - (i % kHeldBack), j = first + random.int(i - first + 1); [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]; }
    for (const [how, updates] of [['in order', this.updates], ['shuffled', shuffled]]) {
      const built = this.P.rebuild(updates, false), state = plain(built.state());
      if (hashState(state) !== hashes[0]) return `rebuilt from ${updates.length} updates, ${how}: ${diffState(states[0], state)}`;
      const wrong = losers_differ(this.reference.losers(this.models[0].version), built.openLosers());
      if (wrong) return `rebuilt from ${updates.length} updates, ${how}: ${wrong}`;
      built.free();
    }
    return null;
  }
  free() { for (const copy of [this.first, ...this.copies]) copy.free(); }
}
const can_be_asked = P => ['at', 'openLosers'].every(name => name in P.prototype) && 'rebuild' in P;

// The rounds of a trace, five copies, as replicas_converge has them; versions are taken in the middle of bursts too.
export function trace_is_reference(P, name, R = Reference) {
  if (!can_be_asked(P)) return kNotChecked;
  const trace = loadTrace(name), run = new Lockstep(P, 5, R), count = 5, first = trace.rounds[0].first;
  for (const op of trace.base) run.begin(op);
  run.fork(Array.from({ length: count }, (_, i) => first + i));
  for (const [n, round] of trace.rounds.entries()) {
    for (const [actor, ops] of round.byActor) {
      const marked = run.random.int(ops.length);
      ops.forEach((op, k) => { run.apply(actor - first, op); if (k === marked) run.mark(actor - first, `round ${n + 1}, actor ${actor}, operation ${k + 1}`); });
    }
    for (let i = 0; i < count; ++i) for (let j = 1; j < count; ++j) run.pull(i, (i % 2 ? i + j : i + count - j) % count);
    for (const op of round.seq) run.apply(0, op);
    for (let i = 1; i < count; ++i) run.pull(i, 0);
    const i = n % count, wrong = run.wrong(i, `round ${n + 1}`);
    if (wrong) return wrong;
    run.mark(i, `round ${n + 1}`);
  }
  const wrong = run.end();
  run.free();
  return wrong;
}

// A few cards that four people with clocks of their own fight over: every pair of concurrent edits comes up soon. Values are
// few, so that people also say the same; they meet at any time, close the page, delete, restore, decide what is open.
export function tangle_is_reference(P, seed, steps = 400, R = Reference) {
  if (!can_be_asked(P)) return kNotChecked;
  const run = new Lockstep(P, seed, R), { random } = run, kLists = ['L0', 'L1', 'L2'], kPeople = [1, 2, 3, 4];
  let wall = 1735700000000;
  for (const l of kLists) run.begin({ a: 0, t: (wall += 1000), o: 'list', l, k: l, name: l });
  const cards = [];
  const new_card = (a, t) => ({ a, t, o: 'card', c: `c${cards.push(0)}`, l: random.pick(kLists), p: null, title: 'new', desc: '' });
  for (let i = 0; i < 6; ++i) run.begin(new_card(0, (wall += 1000)));
  run.fork(kPeople);
  // Whole half seconds, so that equal stamps come up.
  const skews = kPeople.map(() => random.range(-20, 20) * 1000);
  for (let step = 1; step <= steps; ++step) {
    wall += random.int(3) * 500;
    const i = random.int(kPeople.length), where = `seed ${seed}, step ${step}`;
    if (random.chance(0.25)) run.pull(i, (i + 1 + random.int(kPeople.length - 1)) % kPeople.length);
    else if (random.chance(0.02)) run.reopen(i);
    else run.apply(i, some_op(run, i, { a: kPeople[i], t: wall + skews[i] }, new_card));
    if (random.chance(0.1)) run.mark(i, where);
    if (!random.chance(0.25)) continue;
    const wrong = run.wrong(i, where);
    if (wrong) return wrong;
  }
  const wrong = run.end();
  run.free();
  return wrong && (wrong.startsWith('as of') ? wrong : `seed ${seed}: ${wrong}`);

  function some_op({ models, reference }, i, by, new_card) {
    const known = cards.map((_, n) => `c${n + 1}`).filter(id => models[i].card(id)), c = random.pick(known), card = models[i].card(c), date = () => (random.chance(0.15) ? null : random.range(1, 5) * 60000);
    if (card && !card.is_deleted && random.chance(0.1)) {
      const open = reference.losers(models[i].version).filter(one => one.field !== 'dates');
      if (open.length) {
        const { card: of, field, value } = random.pick(open);
        if (field === 'deletion') return { ...by, o: 'pick', c: of, f: field, v: random.chance(0.5) };
        return { ...by, o: 'pick', c: of, f: field, v: random.chance(0.5) ? value : models[i].card(of).registers[field][0].value };
      }
    }
    switch (random.int(14)) {
      case 0: case 1: return { ...by, o: 'title', c, v: `title ${random.int(4)}` };
      case 2: case 3: return { ...by, o: 'start', c, v: date() };
      case 4: case 5: return { ...by, o: 'due', c, v: date() };
      case 6: return { ...by, o: 'arch', c, v: random.chance(0.5) };
      // To another list: whether a card already stands where it should is a question of order.
      case 7: case 8: return { ...by, o: 'move', c, l: random.pick(kLists.filter(l => l !== card?.registers.list[0].value)), p: null };
      case 9: return { ...by, o: random.chance(0.8) ? 'lab+' : 'asg+', c, v: random.chance(0.8) ? 'x' : 'y' };
      case 10: return { ...by, o: random.chance(0.8) ? 'lab-' : 'asg-', c, v: random.chance(0.8) ? 'x' : 'y' };
      case 11: return { ...by, o: 'del', c };
      case 12: return { ...by, o: 'rest', c };
      default: return cards.length < 12 ? new_card(by.a, by.t) : { ...by, o: 'msg', c, id: `m${by.t}`, text: 'hello' };
    }
  }
}
export function tangles_are_reference(P, count, steps, R) {
  for (let seed = 1; seed <= count; ++seed) { const wrong = tangle_is_reference(P, seed, steps, R); if (wrong) return wrong; }
  return null;
}
