// SPDX-License-Identifier: Apache-2.0
// The reference for concurrent histories: what docs/algebra.md says about a card's registers, sets and life, in plain
// objects that are folded anew for every question. It shares nothing with the engines that are held against it: no ranks,
// no bytes, no columns. Order within a list and the words of a text are none of its business; model.mjs and the copies'
// agreement with each other see to them.
//
// A *fact* is one operation. A replica knows the first so many facts of every actor, so a version is a Map of numbers.

const kRegisters = ['title', 'list', 'start', 'due', 'arch'];
// What one replica's clock is ahead of another's by more than this is not followed.
const kFollowedMs = 5 * 60 * 1000;

export class Reference {
  constructor() {
    this.of_card = new Map(); // card -> its facts
    this.of_actor = new Map(); // actor -> its facts, the first one has n = 1
  }
  // By hybrid clock; then by replica, whose ids are in the order of the actors' numbers as texts; then by the replica's count.
  order(a, b) { return a.ms - b.ms || a.logical - b.logical || (String(a.actor) < String(b.actor) ? -1 : String(a.actor) > String(b.actor) ? 1 : a.n - b.n); }
  replica(actor, from) { return new ReferenceReplica(this, actor, from); }

  // One card as a version shows it; undefined when it was not made yet.
  card(id, version) {
    const facts = (this.of_card.get(id) ?? []).filter(fact => fact.n <= (version.get(fact.actor) ?? 0));
    if (!facts.some(fact => fact.kind === 'create')) return undefined;
    const registers = {};
    for (const field of kRegisters) {
      const gone = new Set(facts.filter(fact => fact.field === field).flatMap(fact => fact.gone));
      registers[field] = facts.filter(fact => !gone.has(fact) && (fact.kind === 'create' ? field in fact.values : fact.kind === 'set' && fact.field === field))
        .map(fact => ({ fact, value: fact.kind === 'create' ? fact.values[field] : fact.value }))
        .sort((a, b) => this.order(b.fact, a.fact));
    }
    const removed = new Set(facts.filter(fact => fact.kind === 'remove').flatMap(fact => fact.gone));
    const adds = facts.filter(fact => fact.kind === 'add' && !removed.has(fact));
    const undone = new Set(facts.filter(fact => fact.kind === 'restore' || fact.kind === 'del').flatMap(fact => fact.gone));
    const deletions = facts.filter(fact => fact.kind === 'del' && !undone.has(fact));
    const others = facts.filter(fact => fact.kind !== 'del');
    const is_deleted = deletions.some(deletion => others.every(fact => fact.n <= (deletion.saw.get(fact.actor) ?? 0)));
    return { registers, adds, deletions, is_deleted };
  }
  // What is shown of a live card.
  shown(card) {
    const of = (field, none) => card.registers[field][0]?.value ?? none;
    const elements = field => [...new Set(card.adds.filter(add => add.field === field).map(add => add.value))].sort();
    return { title: of('title', ''), start: of('start', null), due: of('due', null), arch: of('arch', false), list: of('list', null), labels: elements('lab'), asg: elements('asg') };
  }
  // { card: what is shown } of all live cards.
  state(version) {
    const cards = {};
    for (const id of [...this.of_card.keys()].sort()) {
      const card = this.card(id, version);
      if (card && !card.is_deleted) cards[id] = this.shown(card);
    }
    return cards;
  }
  // What a person should decide: values beside the winner's, each once; deletions that an edit overruled; crossed dates.
  losers(version) {
    const out = [];
    for (const id of this.of_card.keys()) {
      const card = this.card(id, version);
      if (!card || card.is_deleted) continue;
      if (card.deletions.length) out.push({ card: id, field: 'deletion', value: null });
      for (const field of kRegisters) {
        const [winner, ...rest] = card.registers[field];
        for (const value of new Set(rest.map(cell => cell.value))) if (value !== winner.value) out.push({ card: id, field, value });
      }
      const { start, due } = this.shown(card);
      if (start !== null && due !== null && start > due) out.push({ card: id, field: 'dates', value: null });
    }
    return out;
  }
}

export class ReferenceReplica {
  // `from`: the replica whose document is opened.
  constructor(reference, actor, from) {
    this.reference = reference;
    this.actor = actor;
    this.version = new Map(from?.version);
    this.clock = { ms: 0, logical: 0 };
    this.open();
  }
  // What time it is has to be learnt anew. What the document holds is followed with the first edit.
  open() {
    this.now = 0;
    this.is_new = true;
  }
  card(id) { return this.reference.card(id, this.version); }

  follow(facts) {
    for (const { ms, logical } of facts) {
      if (ms > this.now + kFollowedMs) continue;
      if (ms > this.clock.ms || (ms === this.clock.ms && logical > this.clock.logical)) this.clock = { ms, logical };
    }
  }
  merge(other) {
    for (const [actor, count] of other.version) {
      const known = this.version.get(actor) ?? 0;
      this.follow(this.reference.of_actor.get(actor).slice(known, count));
      if (count > known) this.version.set(actor, count);
    }
  }

  // An operation of the trace. One that changes nothing for this replica is no fact.
  apply(op) {
    this.now = op.t;
    if (this.is_new) for (const [actor, count] of this.version) this.follow(this.reference.of_actor.get(actor).slice(0, count));
    this.is_new = false;
    if (op.o === 'list') return;
    if (op.o === 'card') return void this.fact(op.c, { kind: 'create', values: { title: op.title, list: op.l }, gone: [] });
    const card = this.card(op.c);
    if (!card) return;
    if (op.o === 'rest') return card.deletions.length ? void this.fact(op.c, { kind: 'restore', gone: card.deletions }) : undefined;
    if (card.is_deleted) return;
    switch (op.o) {
      case 'title': case 'start': case 'due': case 'arch': {
        const cells = card.registers[op.o], winner = cells[0];
        if (winner ? winner.value === op.v : op.v === null) return;
        // Other losers stay open, nobody decided them; but whoever edits sees that edit, so what would win against it goes.
        const soonest = this.now > this.clock.ms ? { ms: this.now, logical: 0 } : this.clock;
        const wins = ({ fact }) => fact.ms > soonest.ms || (fact.ms === soonest.ms && fact.logical > soonest.logical);
        return void this.fact(op.c, { kind: 'set', field: op.o, value: op.v, gone: cells.filter(cell => cell === winner || cell.value === op.v || wins(cell)).map(cell => cell.fact) });
      }
      case 'move': return void this.fact(op.c, { kind: 'set', field: 'list', value: op.l, gone: card.registers.list.map(cell => cell.fact) });
      case 'pick': {
        if (op.f === 'deletion') return void (op.v ? this.deletion(op.c, card) : this.fact(op.c, { kind: 'restore', gone: card.deletions }));
        const cells = card.registers[op.f];
        if (cells.length > 1 && cells.some(cell => cell.value === op.v)) this.fact(op.c, { kind: 'set', field: op.f, value: op.v, gone: cells.map(cell => cell.fact) });
        return;
      }
      case 'lab+': case 'asg+': {
        const field = op.o.slice(0, 3);
        if (!card.adds.some(add => add.field === field && add.value === op.v)) this.fact(op.c, { kind: 'add', field, value: op.v, gone: [] });
        return;
      }
      case 'lab-': case 'asg-': {
        const field = op.o.slice(0, 3), gone = card.adds.filter(add => add.field === field && add.value === op.v);
        if (gone.length) this.fact(op.c, { kind: 'remove', field, gone });
        return;
      }
      case 'del': return void this.deletion(op.c, card);
      // Texts, checklists, comments: all that counts here is that somebody edited the card.
      default: this.fact(op.c, { kind: 'touch', gone: [] });
    }
  }
  deletion(id, card) { this.fact(id, { kind: 'del', gone: card.deletions, saw: new Map(this.version) }); }

  fact(card, more) {
    this.clock = this.now > this.clock.ms ? { ms: this.now, logical: 0 } : { ms: this.clock.ms, logical: this.clock.logical + 1 };
    const { of_card, of_actor } = this.reference;
    const of = (map, key) => { let list = map.get(key); if (!list) map.set(key, list = []); return list; };
    const mine = of(of_actor, this.actor);
    const fact = { actor: this.actor, n: mine.length + 1, card, ...this.clock, ...more };
    mine.push(fact);
    of(of_card, card).push(fact);
    this.version.set(this.actor, fact.n);
  }
}
