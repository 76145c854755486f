// SPDX-License-Identifier: Apache-2.0
// Random lives of three copies, with traps planted now and then: what each shows, kept in pieces and shared, is at every
// step what a fresh copy of it shows; and in the end all show the same.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { make_project } from './support.mjs';

const project = await make_project();
const { KalendsError, Workspace, load } = await project.import('node');
const module = await load();
after(() => project.remove());

const kSeeds = Number(process.env['KALENDS_TRACES'] ?? 25);
const kSteps = 60;

function generator(seed) {
  let state = seed * 2654435761 >>> 0 || 1;
  return (below) => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % below;
  };
}

function plant_trap() {
  const exports = module.core_.exports_;
  const sound = { ...exports };
  const stop = () => { new Uint8Array(exports.memory.buffer).fill(0xa5, 1024); throw new WebAssembly.RuntimeError('planted'); };
  Object.assign(exports, { kalends_call: stop, kalends_edit: stop, kalends_merge: stop, kalends_card: stop, kalends_cards: stop });
  return () => { Object.assign(exports, sound); };
}

const shown = (workspace) => ({
  workspace: workspace.snapshot,
  boards: workspace.boards().map(({ id }) => { const board = workspace.board(id); return [board.snapshot, board.cards()]; }),
  conflicts: workspace.conflicts().map(({ snapshot }) => snapshot),
});

function act(workspace, pick, names) {
  const some = (list) => list[pick(list.length)];
  const entry = some(workspace.boards());
  if (entry === undefined || pick(40) === 0) return void workspace.createBoard({ title: some(names) });
  const board = workspace.board(entry.id);
  const lists = board.lists();
  if (lists.length === 0 || pick(15) === 0) return void board.createList({ title: some(names) });
  const list = some(lists);
  const cards = board.cards();
  if (cards.length === 0 || pick(6) === 0) return void board.createCard({ list: list.id, title: some(names), after: pick(2) === 0 ? null : undefined });
  const card = board.card(some(cards).id);
  const moves = [
    () => card.edit({ title: some(names) }),
    () => card.edit({ description: some(names) + some(names), done: pick(2) === 0 }),
    () => card.edit({ due: `2026-11-${10 + pick(20)}`, start: null }),
    () => card.edit({ start: `2026-11-${10 + pick(20)}` }),
    () => card.move({ list: list.id, after: pick(2) === 0 ? null : undefined }),
    () => card.delete(),
    () => board.snapshot.deletedCards.length > 0 && board.card(some(board.snapshot.deletedCards).id).restore(),
    () => card.addComment(some(names)),
    () => card.addItem(card.addChecklist({ title: some(names) }), { text: some(names) }),
    () => card.snapshot.comments.length > 0 && card.deleteChild(some(card.snapshot.comments).id),
    () => pick(4) === 0 && board.deleteList(list.id),
    () => board.moveList(list.id, { after: null }),
    () => board.edit({ title: some(names) }),
    () => workspace.createLabel({ name: some(names) }),
    () => workspace.labels().length > 0 && workspace.editLabel(some(workspace.labels()).id, { name: some(names) }),
    () => workspace.transact(() => { card.edit({ title: some(names), labels: { add: [workspace.createLabel({ name: some(names) })] } }); board.createCard({ list: list.id, title: some(names) }); }),
    () => workspace.transact(() => { workspace.createBoard({ title: some(names) }); card.edit({ title: some(names) }); card.move({ list: '0f'.repeat(16) }); }),
    () => workspace.conflicts().length > 0 && some(workspace.conflicts())[pick(2) === 0 ? 'keep' : 'flip'](),
  ];
  some(moves)();
}

function live(seed) {
  const pick = generator(seed);
  let now = Date.UTC(2026, 10, 24);
  const clock = () => now += pick(1000);
  const open = (bytes, author) => Workspace.open(bytes, { module, author, clock, id: '01'.repeat(16) });
  const authors = ['0a', '0b', '0c'].map((byte) => byte.repeat(16));
  const copies = authors.map((author) => open(null, author));
  const updates = copies.map((copy) => { const all = []; copy.onUpdate((bytes) => all.push(bytes)); return all; });
  for (let step = 0; step < kSteps; ++step) {
    const which = pick(3);
    const copy = copies[which];
    const trap = pick(12) === 0;
    const before = trap || pick(2) === 0 ? shown(copy) : undefined;
    const take_away = trap ? plant_trap() : () => {};
    try {
      const what = pick(8);
      if (what === 0) copy.merge(copies[pick(3)].since(copy.version()));
      else if (what === 1 && updates[pick(3)].length > 0) { const all = updates.filter((one) => one.length > 0); copy.merge(all[0][pick(all[0].length)]); }
      else if (what === 2) copy.save();
      else act(copy, pick, ['Anna', 'Berta', 'Cäsar', '👋 Dora']);
    } catch (error) {
      if (!(error instanceof KalendsError)) throw error;
      assert.ok(trap || error.code !== 'trap', error.message);
      // The first call of core in this step was the one that failed.
      if (error.code === 'trap') assert.deepEqual(shown(copy), before);
    }
    // Nothing of core was needed.
    take_away();
    const fresh = open(copy.save(), authors[which]);
    assert.deepEqual(shown(copy), shown(fresh), `step ${step}`);
    fresh.dispose();
  }
  for (let round = 0; round < 2; ++round)
    for (const one of copies) for (const other of copies) one.merge(other.since(one.version()));
  for (const copy of copies) assert.deepEqual(shown(copy), shown(copies[0]));
  for (const copy of copies) copy.dispose();
}

for (let seed = 1; seed <= kSeeds; ++seed) test(`life ${seed}`, () => live(seed));

test('a change that is overlooked is found', () => {
  const probe = Workspace.open(null, { module, author: '0a'.repeat(16) });
  const state = Object.getPrototypeOf(probe.root_);
  const { changed } = state;
  for (const type of ['card', 'list', 'label']) {
    state.changed = function (changes, patches) {
      changed.call(this, changes.filter((change) => change.type !== type), patches);
    };
    try {
      assert.throws(() => { for (let seed = 1; seed <= 25; ++seed) live(seed); }, assert.AssertionError, type);
    } finally {
      state.changed = changed;
    }
  }
});
