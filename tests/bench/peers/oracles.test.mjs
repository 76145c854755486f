// SPDX-License-Identifier: Apache-2.0
// The oracles of lib/checks.mjs hold for the package, and each of them finds what is planted for it: in an engine that forgets,
// and in a reference that decides otherwise than docs/algebra.md.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { writeTrace } from './gen.mjs';
import { kOwnChecks, old_versions_are_kept, updates_rebuild } from './lib/checks.mjs';
import { cards_differ, losers_differ, tangles_are_reference, trace_is_reference } from './lib/oracles.mjs';
import { Reference, ReferenceReplica } from './lib/reference.mjs';
import { kScenarios } from './lib/scenarios.mjs';
import { OURS, loadPeer } from './peers/index.mjs';

for (const name of ['tiny', 'tinytxt', 'mix', 'mixtxt']) if (!fs.existsSync(new URL(`./traces/${name}.jsonl`, import.meta.url))) writeTrace(name);
const P = await loadPeer(OURS);

describe('the package forgets nothing', () => {
  for (const [name, check] of kOwnChecks) test(name, () => assert.equal(check(P), null));
});

describe('what people see', () => {
  const kWant = {
    'same card moved to two lists': /^one copy, L2#0$/,
    'same card moved inside its list (top / bottom)': /^one copy, L0#4$/,
    'move + title edit': /^move kept, edit kept$/,
    'delete vs title edit': /^kept whole, with edit, deletion stays open$/,
    'delete vs title edit, then one click on the open deletion': /^confirmed: gone, dismissed: there$/,
    'delete vs move': /^kept whole, deletion stays open$/,
    'labels: A adds x, B adds y': /^x\+y$/,
    'label: A removes, B removes and re-adds': /^present \(add wins\)$/,
    'label: A adds x, B adds x and removes it': /^present \(add wins\)$/,
    'A inserts A1 A2 A3, B inserts B1 B2 B3 at the top': /^blocks kept: A1 A2 A3 B1 B2 B3$/,
    'the same, each from the last card to the first': /^blocks kept: [AB]1 [AB]2 [AB]3 [AB]1 [AB]2 [AB]3$/,
    'A sets start, B sets due': /^both kept, start > due flagged$/,
    'both set due: does the later clock win?': /^yes, the loser stays open$/,
    'both set the title, one after seeing a fast clock\'s edit': /^the one that knows more wins, the loser stays open$/,
    'both set the title, one clock behind what it has seen': /^the last edit of its actor wins$/,
    'both move the card, a third copy takes the moves in the other order': /^one copy, L2#0$/,
    'label: A removes, B removes and re-adds, both delivery orders': /^add wins in both$/,
  };
  test('every scenario is expected', () => assert.deepEqual(Object.keys(kScenarios), Object.keys(kWant)));
  for (const name in kWant) test(name, () => assert.match(kScenarios[name](P), kWant[name]));
});

// Sixteen short histories, or the error that the plant made the engine throw.
const caught = (plant, R) => { try { return tangles_are_reference(plant, 16, 250, R); } catch (error) { return `thrown: ${error.message}`; } };

describe('canary: an engine that', () => {
  test('keeps an update to itself is caught, in the sequence and in the tangle', () => {
    class Withholding extends P { onUpdate(cb) { let count = 0; super.onUpdate(cb && (bytes => { if (++count !== 20) cb(bytes); })); } }
    assert.match(updates_rebuild(Withholding, 'mix', false), /^from \d+ updates/);
    assert.match(caught(Withholding), /rebuilt from \d+ updates/);
  });
  test('shows the present as the past is caught, whether in state or in losers', () => {
    class Present extends P { at() { return this.state(); } }
    class PresentLosers extends P { openLosers() { return super.openLosers(); } }
    assert.match(old_versions_are_kept(Present, 'tiny', 'mix', false), /^after operation/);
    assert.match(caught(Present), /^as of seed .* card /);
    assert.match(caught(PresentLosers), /^as of seed .* loser/);
    assert.match(trace_is_reference(Present, 'mix'), /^as of round/);
  });
  test('forgets the losers of one kind is caught, for every kind', () => {
    for (const field of ['deletion', 'dates', 'title', 'start', 'due', 'arch', 'list']) {
      class Forgetful extends P { losers(ws) { return super.losers(ws).filter(one => one.field !== field); } }
      assert.match(caught(Forgetful), new RegExp(`missing loser .*"${field}"`));
    }
    class Settling extends P { losers() { return []; } }
    assert.match(trace_is_reference(Settling, 'mix'), /missing loser/);
  });
  test('invents a loser, or says one twice, is caught', () => {
    class Inventive extends P { losers(ws) { return [...super.losers(ws), { card: 'c1', field: 'title', value: 'never' }]; } }
    class Chatty extends P { losers(ws) { const all = super.losers(ws); return [...all, ...all.slice(0, 1)]; } }
    assert.match(caught(Inventive), /unexpected loser/);
    assert.match(caught(Chatty), /shown twice/);
  });
  test('shows a loser as the winner is caught', () => {
    class Flipped extends P {
      state(board = this.board) {
        const state = super.state(board);
        for (const { card, field, value } of super.losers(this.ws)) if (field === 'title' && state.cards[card]) state.cards[card].title = value;
        return state;
      }
    }
    assert.match(caught(Flipped), /title is/);
  });
  test('shows a card twice, too many, too few, or without a label is caught', () => {
    const with_state = change => class extends P { state(board = this.board) { const state = super.state(board); change(state); return state; } };
    assert.match(caught(with_state(({ lists }) => lists[1].cards.push(...lists[0].cards.slice(0, 1)))), /stands in L0 and in L1/);
    assert.match(caught(with_state(({ cards }) => { cards.ghost = { ...Object.values(cards)[0] }; })), /card ghost should be gone/);
    assert.match(caught(with_state(({ cards }) => { delete cards[Object.keys(cards)[0]]; })), /is missing/);
    assert.match(caught(with_state(({ cards }) => { for (const id in cards) cards[id].labels = []; })), /labels is/);
  });
});

describe('canary: a reference in which', () => {
  const planted = (name, R, found) => test(`${name} is told from the package`, () => assert.match(caught(P, R), found));
  const with_card = change => class extends Reference { card(id, version) { const card = super.card(id, version); if (card) change(card, (this.of_card.get(id) ?? []).filter(fact => fact.n <= (version.get(fact.actor) ?? 0))); return card; } };
  const with_replica = Replica => class extends Reference { replica(actor, from) { return new Replica(this, actor, from); } };
  planted('the earlier value wins', with_card(card => Object.values(card.registers).forEach(cells => cells.reverse())), /card c\d+: \w+ is|loser/);
  planted('a deletion wins over an edit', with_card(card => { card.is_deleted = card.deletions.length > 0; }), /should be gone/);
  planted('an edit wins over a deletion that had seen it', with_card(card => { card.is_deleted = false; }), /is missing/);
  planted('a remove wins', with_card((card, facts) => { card.adds = card.adds.filter(add => !facts.some(fact => fact.kind === 'remove' && fact.gone.some(gone => gone.field === add.field && gone.value === add.value))); }), /(labels|asg) is/);
  planted('crossed dates are no question', class extends Reference { losers(version) { return super.losers(version).filter(one => one.field !== 'dates'); } }, /unexpected loser .*dates/);
  planted('a place in the same list is a question', class extends Reference { losers(version) { return super.losers(version).flatMap(one => (one.field === 'list' ? [one, { ...one, value: 'L9' }] : [one])); } }, /missing loser .*L9/);
  planted('an edit decides all that was open', with_replica(class extends ReferenceReplica {
    fact(card, more) { super.fact(card, more.kind === 'set' ? { ...more, gone: this.card(card).registers[more.field].map(cell => cell.fact) } : more); }
  }), /unexpected loser/);
  planted('clocks do not follow what they see', with_replica(class extends ReferenceReplica {
    follow() {}
  }), /is|loser/);
  planted('equal stamps are decided by the smaller replica', class extends Reference {
    order(a, b) { return a.ms === b.ms && a.logical === b.logical && a.actor !== b.actor ? -super.order(a, b) : super.order(a, b); }
  }, /is|loser/);
});

test('canary: states and losers are compared in both directions', () => {
  const card = { title: 'T', start: null, due: 5, arch: false, list: 'L', labels: ['a'], asg: [] };
  const shown = (over = {}, lists = [{ id: 'L', cards: ['c'] }]) => ({ lists, cards: { c: { ...card, ...over } } });
  assert.equal(cards_differ({ c: card }, shown()), null);
  for (const over of [{ title: 'U' }, { start: 1 }, { due: null }, { arch: true }, { labels: [] }, { asg: ['u'] }]) assert.match(cards_differ({ c: card }, shown(over)), /card c: /);
  assert.match(cards_differ({ c: card }, shown({}, [])), /list is null/);
  assert.match(cards_differ({ c: card }, shown({}, [{ id: 'L', cards: ['c'] }, { id: 'M', cards: ['c'] }])), /stands in/);
  const loser = { card: 'c', field: 'due', value: 7 };
  assert.equal(losers_differ([loser], [{ ...loser }]), null);
  assert.match(losers_differ([loser], [{ ...loser, value: 8 }]), /^missing/);
  assert.match(losers_differ([loser], [loser, loser]), /twice/);
});
