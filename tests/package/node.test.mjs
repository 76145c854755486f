// SPDX-License-Identifier: Apache-2.0
// The packed package in Node: its README, its API, its behaviour when core.wasm breaks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { stand_in } from './stand_in.mjs';
import { make_project, readme_example, repository } from './support.mjs';

const kAnn = '0a'.repeat(16);
const kBen = '0b'.repeat(16);

const project = await make_project();
const { KalendsError, Workspace, load, load_core, Core, CoreDocument } = await project.import('node');
const module = await load();
after(() => project.remove());

let now = Date.UTC(2026, 10, 24);
const clock = () => ++now;
const open = (bytes, author = kAnn, more = {}) => Workspace.open(bytes, { module, author, clock, ...more });

function shop() {
  const workspace = open(null);
  const board = workspace.createBoard({ title: 'Shop', timeZone: 'Europe/Berlin' });
  const list = board.createList({ title: 'Next' });
  const card = board.createCard({ list, title: 'Call the printer' });
  return { workspace, board, list, card };
}
const copy_of = (workspace, author = kBen) => open(workspace.save(), author);
function meet(one, other) {
  one.merge(other.since(one.version()));
  other.merge(one.since(other.version()));
}
const fails = (code, act) => assert.throws(act, (error) => {
  assert.ok(error instanceof KalendsError, String(error));
  assert.equal(error.code, code, error.message);
  assert.ok(error.message.length > 10);
  return true;
});

// Calls that core.wasm may not have yet: their tests are "todo" until it does, and count from then on.
const core = await load_core(await readFile(join(project.installed, 'dist/core.wasm')));
const probe = CoreDocument.open(core, { document: '01'.repeat(16), kind: 'board', replica: '02'.repeat(16), author: kAnn });
const missing_of = (calls) => calls.filter((call) => {
  try {
    probe.call(call, {});
    return false;
  } catch (error) {
    return error.message === 'There is no such call.';
  }
});
function test_calls(name, calls, run) {
  const missing = missing_of(calls);
  if (missing.length === 0) return test(name, run);
  test(name, { todo: `core.wasm has no call ${missing.join(', ')} yet` }, run);
  test(`${name} (a stand-in for ${missing.join(', ')})`, () => {
    const remove = stand_in(Core, missing);
    try {
      run();
    } finally {
      remove();
    }
  });
}

test('the example of the README does what its comments say', async () => {
  const { code, promised } = await readme_example();
  assert.ok(promised.length >= 3);
  // Node 18 has no global crypto.
  for (const flags of [[], ['--no-experimental-global-webcrypto']]) {
    const out = execFileSync(process.execPath, [...flags, '--input-type=module', '--eval', code], { cwd: project.folder }).toString();
    assert.deepEqual(out.trim().split('\n'), promised);
  }
});

test('what is not core.wasm is not loaded, and the error says what to give', async () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  for (const source of [empty, new Uint8Array(9), new URL('file:///nowhere/core.wasm'), 'http://127.0.0.1:9/core.wasm'])
    await assert.rejects(load(source), (error) => error instanceof KalendsError && error.code === 'unavailable' && error.cause !== undefined);
});

test('the types of the example are right', async () => {
  const tsc = join(repository, 'tests/package/node_modules/typescript/bin/tsc');
  await writeFile(join(project.folder, 'example.mts'), (await readme_example()).code.replace('const [conflict] = ann.conflicts();', 'const conflict = ann.conflicts()[0]!;').replace('.find(card.id).title', '.find(card.id)!.title'));
  const run = (...more) => execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', ...more, 'example.mts'], { cwd: project.folder, stdio: 'pipe' });
  try {
    run();
  } catch (error) {
    assert.fail(error.stdout.toString());
  }
});

test('nothing but the entries for Node reach for an API of Node, and nothing evaluates text', async () => {
  for (const name of ['index', 'core', 'react', 'indexeddb', 'broadcast', 'preview', 'low_level']) {
    const text = await readFile(join(project.installed, `dist/${name}.js`), 'utf8');
    assert.doesNotMatch(text, /node:|\brequire\b|\bprocess\b|\bBuffer\b|__dirname|\beval\(|new Function/, name);
  }
  assert.match(await readFile(join(project.installed, 'dist/node.js'), 'utf8'), /node:fs/);
});

test('the JavaScript is small', async () => {
  const size = brotliCompressSync(await readFile(join(project.installed, 'dist/core.js'))).length;
  assert.ok(size <= 14.5 * 1024, `${size} bytes`);
});

describe('edits', () => {
  test('every kind of edit arrives in the snapshot', () => {
    const { workspace, board, list, card } = shop();
    const label = workspace.createLabel({ name: 'Urgent', colour: 'tomato' });
    const field = board.createCustomField({ title: 'Price' });
    card.edit({ title: 'Flyers', start: '2026-11-23', due: '2026-11-25T10:00[Europe/Berlin]', done: true, location: 'Shop', colour: 'sage', reminders: [30], labels: { add: [label] }, assignees: { add: [kBen] }, custom: { [field]: '12' }, description: 'Two' });
    const comment = card.addComment('Hello');
    const todo = card.addChecklist({ title: 'To do' });
    const item = card.addItem(todo, { text: 'Paper', done: true });
    card.addItem(todo, { text: 'Ink', after: null });
    card.addAttachment({ title: 'Draft', url: 'https://example.org/draft' });
    const { createdMs, ...shown } = card.snapshot;
    assert.ok(createdMs > 0);
    assert.deepEqual({ ...shown, checklists: shown.checklists[0].items.map(({ text, done }) => [text, done]), comments: shown.comments.map(({ author, text }) => [author, text]), attachments: shown.attachments.map(({ url }) => url) }, {
      id: card.id, list, title: 'Flyers', description: 'Two', labels: [label], assignees: [kBen], start: { date: '2026-11-23' }, due: { at: '2026-11-25T10:00:00', zone: 'Europe/Berlin', fold: 0 }, done: true, location: 'Shop', colour: 'sage', reminders: [30], archived: false, custom: { [field]: '12' }, checklists: [['Ink', false], ['Paper', true]], comments: [[kAnn, 'Hello']], attachments: ['https://example.org/draft'], conflicts: [],
    });
    card.editChild(comment, { text: 'Bye' });
    card.editChild(item, { done: false });
    card.deleteChild(comment);
    card.edit({ labels: { remove: [label] }, due: null, custom: { [field]: null } });
    assert.deepEqual([card.snapshot.comments, card.snapshot.labels, card.snapshot.due, card.snapshot.custom, card.snapshot.checklists[0].items[1].done], [[], [], null, {}, false]);
    card.restoreChild(comment);
    assert.equal(card.snapshot.comments[0].text, 'Bye');
    workspace.editLabel(label, { name: 'Later' });
    assert.deepEqual(workspace.labels(), [{ id: label, name: 'Later', colour: 'tomato', mergedInto: null, localNames: {} }]);
    workspace.deleteLabel(label);
    assert.deepEqual(workspace.labels(), []);
    workspace.restoreLabel(label);
    board.edit({ title: 'Shop 2', timeZone: 'UTC' });
    assert.deepEqual([board.snapshot.title, board.snapshot.timeZone, workspace.boards()[0].title], ['Shop 2', 'UTC', 'Shop 2']);
    board.editCustomField(field, { title: 'Cost' });
    assert.equal(board.snapshot.customFields[0].title, 'Cost');
    workspace.addMember(kBen);
    workspace.editMember(kBen, { archived: true });
    assert.deepEqual(workspace.members(), [{ id: kBen, archived: true }]);
  });

  test('cards and lists move, go and come back', () => {
    const { board, list, card } = shop();
    const done = board.createList({ title: 'Done', after: null });
    const second = board.createCard({ list, title: 'Second' });
    assert.deepEqual(board.lists().map(({ id, cards }) => [id, cards.length]), [[done, 0], [list, 2]]);
    second.move({ after: null });
    assert.deepEqual(board.cards().map(({ id }) => id), [second.id, card.id]);
    second.move({ list: done });
    assert.deepEqual(board.lists()[0].cards, [second.id]);
    second.delete();
    assert.equal(board.find(second.id), undefined);
    assert.equal(second.exists, false);
    fails('not_found', () => second.snapshot);
    fails('conflict', () => second.edit({ title: 'x' }));
    assert.deepEqual(board.snapshot.deletedCards.map(({ id }) => id), [second.id]);
    second.restore();
    assert.equal(second.snapshot.list, done);
    board.moveList(done, { after: list });
    assert.deepEqual(board.lists().map(({ id }) => id), [list, done]);
    board.deleteList(done);
    assert.deepEqual(board.cards().map(({ id }) => id), [card.id]);
    board.restoreList(done);
    board.editList(done, { title: 'Ready' });
    assert.equal(board.lists()[1].title, 'Ready');
  });

  test('splices count UTF-16 code units, one after the other, in transactions too', () => {
    const { workspace, card } = shop();
    card.edit({ description: 'a👋b' });
    card.edit({ description: [{ at: 3, insert: '!' }, { at: 1, remove: 2 }] });
    assert.equal(card.snapshot.description, 'a!b');
    workspace.transact(() => {
      card.edit({ description: '👋👋' });
      card.edit({ description: [{ at: 2, insert: '-' }] });
      card.edit({ description: [{ at: 5, insert: '.' }] });
    });
    assert.equal(card.snapshot.description, '👋-👋.');
    fails('invalid', () => card.edit({ description: [{ at: 1, insert: 'x' }] }));
    fails('invalid', () => card.edit({ description: [{ at: 99 }] }));
  });

  test('wrong calls say what they take, and change nothing', () => {
    const { workspace, board, card } = shop();
    const before = workspace.save();
    fails('invalid', () => Workspace.open(null, { author: kAnn }));
    fails('invalid', () => open(null, 'me'));
    fails('corrupt', () => open(new Uint8Array([1, 2, 3])));
    fails('invalid', () => card.edit({ titel: 'x' }));
    fails('invalid', () => card.edit({ title: 7 }));
    fails('invalid', () => card.edit({ reminders: [1.5] }));
    fails('invalid', () => card.edit({ due: 'tomorrow' }));
    fails('invalid', () => card.edit({ start: '2026-11-25', due: '2026-11-24' }));
    fails('not_found', () => card.move({ list: '0f'.repeat(16) }));
    fails('not_found', () => board.createCard({ list: '0f'.repeat(16), title: 'x' }));
    fails('not_found', () => board.card('0f'.repeat(16)).edit({ title: 'x' }));
    fails('not_found', () => workspace.board('0f'.repeat(16)));
    fails('corrupt', () => workspace.merge(new Uint8Array(9)));
    fails('wrong_workspace', () => workspace.merge(shop().workspace.save()));
    assert.deepEqual(workspace.save(), before);
    workspace.dispose();
    fails('disposed', () => card.snapshot);
    fails('disposed', () => card.edit({ title: 'x' }));
    fails('disposed', () => workspace.save());
  });
});

describe('transactions', () => {
  test('one transaction over two documents is one update, one notice', () => {
    const { workspace, board, list } = shop();
    const updates = [];
    const notices = [];
    workspace.onUpdate((bytes) => updates.push(bytes));
    workspace.subscribe((patches, origin) => notices.push([origin, patches.map(({ type }) => type).sort()]));
    const other = copy_of(workspace);
    const card = workspace.transact(() => {
      const label = workspace.createLabel({ name: 'New' });
      return workspace.transact(() => board.createCard({ list, title: 'Labelled', labels: [label] }));
    });
    assert.deepEqual(notices, [['edit', ['card', 'label']]]);
    assert.equal(updates.length, 1);
    assert.deepEqual(other.merge(updates[0]), { news: true, missing: false });
    assert.deepEqual(other.merge(updates[0]), { news: false, missing: false });
    assert.deepEqual(other.board(board.id).find(card.id), card.snapshot);
  });

  test('what cannot be done wholly is not done at all, whichever document it touches', () => {
    const { workspace, board, list, card } = shop();
    const before = workspace.save();
    let heard = 0;
    workspace.subscribe(() => ++heard);
    workspace.onUpdate(() => ++heard);
    const snapshot = card.snapshot;
    for (const order of [0, 1]) {
      const edits = [() => workspace.createLabel({ name: 'x', id: '0c'.repeat(16) }), () => card.edit({ title: 'x' }), () => card.move({ list: '0f'.repeat(16) })];
      fails('not_found', () => workspace.transact(() => { for (const edit of order ? edits.toReversed() : edits) edit(); }));
    }
    assert.throws(() => workspace.transact(() => { card.edit({ title: 'x' }); throw new Error('mine'); }), /mine/);
    fails('invalid', () => workspace.transact(async () => {}));
    fails('invalid', () => workspace.createBoard({ title: 7 }));
    assert.throws(() => workspace.transact(() => { workspace.createBoard({ title: 'x' }); throw new Error('mine'); }), /mine/);
    assert.equal(heard, 0);
    assert.equal(card.snapshot, snapshot);
    assert.deepEqual(workspace.save(), before);
    assert.equal(workspace.boards().length, 1);
    board.createCard({ list, title: 'and it goes on' });
    meet(workspace, copy_of(workspace));
  });
});

describe('snapshots', () => {
  test('are frozen, and the same until they change', () => {
    const { workspace, board, list, card } = shop();
    card.addComment('one');
    const other = board.createCard({ list, title: 'Other' });
    const [view, cards, first, second] = [board.snapshot, board.cards(), card.snapshot, other.snapshot];
    for (const object of [view, view.lists, view.lists[0], cards, first, first.comments, first.comments[0], workspace.snapshot]) assert.ok(Object.isFrozen(object));
    other.edit({ title: 'Other 2' });
    assert.equal(board.snapshot, view);
    assert.equal(card.snapshot, first);
    assert.notEqual(other.snapshot, second);
    assert.notEqual(board.cards(), cards);
    assert.equal(board.cards()[0], first);
    card.edit({ title: 'Renamed' });
    assert.notEqual(card.snapshot, first);
    assert.equal(card.snapshot.comments, first.comments);
    const names = workspace.snapshot;
    card.move({ list });
    assert.notEqual(board.snapshot, view);
    assert.equal(board.snapshot.customFields, view.customFields);
    assert.equal(workspace.snapshot, names);
    const shown = board.snapshot;
    card.edit({ title: 'Renamed' });
    assert.equal(board.snapshot, shown);
    assert.deepEqual(board.cards().map((one) => one.id), board.lists()[0].cards);
  });

  test('patches name what changed, and nothing else', () => {
    const { workspace, board, list, card } = shop();
    const seen = [];
    const stop = workspace.subscribe((patches) => seen.push(...patches));
    card.edit({ title: 'A', done: true });
    assert.deepEqual(seen.splice(0), [{ board: board.id, entity: card.id, type: 'card', live: true, fields: ['title', 'done'] }]);
    card.edit({ title: 'A' });
    assert.deepEqual(seen, []);
    const label = workspace.createLabel({ name: 'L' });
    assert.deepEqual(seen.splice(0).map(({ board, entity, type }) => [board, entity, type]), [[null, label, 'label']]);
    card.delete();
    assert.deepEqual(seen.splice(0).map(({ entity, live }) => [entity, live]), [[card.id, false]]);
    stop();
    board.createCard({ list, title: 'x' });
    assert.deepEqual(seen, []);
  });

  test('a listener of one card hears of that card alone', () => {
    const { board, list, card } = shop();
    const other = board.createCard({ list, title: 'Other' });
    let heard = 0;
    const stop = card.subscribe(() => ++heard);
    other.edit({ title: 'x' });
    assert.equal(heard, 0);
    card.edit({ title: 'x' });
    assert.equal(heard, 1);
    stop();
    card.edit({ title: 'y' });
    assert.equal(heard, 1);
  });
});

describe('copies', () => {
  test('converge in any order, by since, by save and by updates', () => {
    const { workspace, board, list } = shop();
    const others = [copy_of(workspace), open(null, kBen, { id: workspace.id }), copy_of(workspace)];
    const updates = [];
    workspace.onUpdate((bytes) => updates.push(bytes));
    for (let i = 0; i < 10; ++i) board.createCard({ list, title: `Card ${i}` });
    assert.equal(others[0].merge(updates[5]).missing, true);
    for (const bytes of updates.toReversed()) others[0].merge(bytes);
    others[1].merge(workspace.since());
    others[2].merge(workspace.save());
    for (const other of others) {
      assert.deepEqual(other.board(board.id).cards(), board.cards());
      assert.deepEqual(other.version(), workspace.version());
      assert.equal(other.merge(workspace.since(other.version())).news, false);
    }
    others[1].board(board.id).createCard({ list, title: 'From Ben' });
    assert.equal(workspace.merge(others[1].since(workspace.version())).missing, false);
    assert.equal(board.cards().length, 12);
  });

  test('held back operations survive a fresh start', () => {
    const { workspace, board, list } = shop();
    const other = copy_of(workspace);
    const updates = [];
    workspace.onUpdate((bytes) => updates.push(bytes));
    board.createCard({ list, title: '1' });
    board.createCard({ list, title: '2' });
    other.merge(updates[1]);
    plant_trap();
    fails('trap', () => other.version());
    other.merge(updates[0]);
    assert.equal(other.board(board.id).cards().length, 3);
  });

  test('save and open, whole, in pieces and without history', () => {
    const { workspace, board, card } = shop();
    const saved = workspace.save();
    const updates = [];
    workspace.onUpdate((bytes) => updates.push(bytes));
    card.edit({ title: 'Later' });
    card.edit({ done: true });
    const shown = board.cards();
    for (const bytes of [[saved, ...updates], workspace.save(), workspace.save({ history: false }), [saved, workspace.save()], [saved, workspace.save({ history: true }), saved]]) {
      const again = open(bytes, kBen);
      assert.deepEqual(again.board(board.id).cards(), shown);
      again.board(board.id).card(card.id).edit({ location: 'here' });
      workspace.merge(again.since(workspace.version()));
      assert.equal(card.snapshot.location, 'here');
      card.edit({ location: '' });
    }
    const light = open(workspace.save({ history: false }), kBen);
    fails('history_gone', () => light.since());
    // A blank copy can take it as its own; one that has something cannot.
    const blank = open(null, kBen, { id: workspace.id });
    assert.equal(blank.merge(light.save({ history: false })).news, true);
    assert.deepEqual(blank.board(board.id).cards(), board.cards());
    const later = open(null, kBen, { id: workspace.id });
    later.createLabel({ name: 'Mine' });
    fails('history_gone', () => later.merge(light.save({ history: false })));
    assert.equal(later.labels().length, 1);
    const head = light.save({ history: false }).slice(0, 22);
    const broken = Uint8Array.of(...head, 3, 0, 0, 0, 9, 9, 9);
    const unharmed = open(null, kBen, { id: workspace.id });
    assert.throws(() => unharmed.merge(broken), KalendsError);
    assert.equal(unharmed.merge(workspace.since()).news, true);
  });

  test('each copy has a replica of its own; others can be given', () => {
    const { workspace } = shop();
    const asked = [];
    const other = open(workspace.save(), kBen, { replicas: (document, kind) => { asked.push(kind); return '0d'.repeat(15) + (kind === 'board' ? '01' : '02'); } });
    assert.deepEqual(asked.sort(), ['board', 'workspace']);
    const id = other.board(workspace.boards()[0].id).cards()[0].id;
    const comment = other.board(workspace.boards()[0].id).card(id).addComment('x');
    assert.equal(comment.split(':')[0], '0d'.repeat(15) + '01');
  });
});

describe('conflicts', () => {
  function apart(act_here, act_there) {
    const { workspace, board, list, card } = shop();
    const other = copy_of(workspace);
    act_here(card, board, list);
    act_there(other.board(board.id).card(card.id), other.board(board.id), list);
    meet(workspace, other);
    return { workspace, other, board, card };
  }

  test('keep and flip a value', () => {
    for (const act of ['keep', 'flip']) {
      const { workspace, other, board, card } = apart((one) => one.edit({ title: 'Ours' }), (one) => one.edit({ title: 'Theirs' }));
      const all = workspace.conflicts();
      assert.equal(workspace.conflicts(), all);
      assert.equal(all.length, 1);
      const [conflict] = all;
      assert.deepEqual([conflict.board, conflict.entity, conflict.snapshot.field, conflict.snapshot.kind], [board.id, card.id, 'title', 'value']);
      assert.deepEqual(conflict.snapshot.values.map(({ value, winner, author }) => [value, winner, author]), [['Theirs', true, kBen], ['Ours', false, kAnn]]);
      card.edit({ done: true });
      assert.equal(workspace.conflicts(), all);
      fails('not_found', () => conflict.flip('0f'.repeat(16) + ':1'));
      conflict[act]();
      assert.equal(card.snapshot.title, act === 'keep' ? 'Theirs' : 'Ours');
      assert.deepEqual(workspace.conflicts(), []);
      meet(workspace, other);
      assert.deepEqual(other.conflicts(), []);
      fails('conflict', () => conflict.flip(conflict.snapshot.values[1].op));
    }
  });

  test('a deletion is dismissed or confirmed', () => {
    for (const [act, lives] of [['keep', true], ['flip', false]]) {
      const { workspace, card } = apart((one) => one.delete(), (one) => one.edit({ title: 'Edited' }));
      assert.equal(card.snapshot.title, 'Edited');
      const [conflict] = workspace.conflicts();
      assert.equal(conflict.snapshot.kind, 'deletion');
      conflict[act]();
      assert.equal(card.exists, lives);
      assert.deepEqual(workspace.conflicts(), []);
    }
  });

  test('crossed dates ask for an edit', () => {
    const { workspace, card } = apart((one) => one.edit({ start: '2026-11-26' }), (one) => one.edit({ due: '2026-11-24' }));
    fails('invalid', () => workspace.conflicts()[0].keep());
    card.edit({ due: '2026-11-27' });
    assert.deepEqual(workspace.conflicts(), []);
  });

  test('a card shows what is open on it and on its parts', () => {
    const cases = {
      title: [(one) => one.edit({ title: 'Ours' }), (one) => one.edit({ title: 'Theirs ü' })],
      done: [(one) => { one.edit({ done: true }); }, (one) => { one.edit({ done: true }); one.edit({ done: false }); }],
      due: [(one) => one.edit({ due: '2026-11-26' }), (one) => one.edit({ due: { at: '2026-11-26T10:00:00', zone: 'Europe/Berlin', fold: 0 } })],
      start: [(one) => one.edit({ start: '2026-11-26' }), (one) => one.edit({ start: '2026-11-27' })],
      colour: [(one) => one.edit({ colour: 'sage' }), (one) => one.edit({ colour: 'tomato' })],
      reminders: [(one) => one.edit({ reminders: [10] }), (one) => one.edit({ reminders: [30] })],
      custom: [(one) => one.edit({ custom: { ['0c'.repeat(16)]: 'Ours' } }), (one) => one.edit({ custom: { ['0c'.repeat(16)]: 'Theirs' } })],
      crossed: [(one) => one.edit({ start: '2026-11-26' }), (one) => one.edit({ due: '2026-11-24' })],
      place: [(one, board) => one.move({ list: board.createList({ title: 'A' }) }), (one, board) => one.move({ list: board.createList({ title: 'B' }) })],
      deletion: [(one) => one.delete(), (one) => one.edit({ title: 'Edited' })],
      checklist: [(one) => one.editChild(one.snapshot.checklists[0].id, { title: 'Ours' }), (one) => one.editChild(one.snapshot.checklists[0].id, { title: 'Theirs ü' })],
      item: [(one) => one.deleteChild(one.snapshot.checklists[0].items[0].id), (one) => one.editChild(one.snapshot.checklists[0].items[0].id, { done: true })],
      attachment: [(one) => one.editChild(one.snapshot.attachments[0].id, { url: 'https://example.org/a' }), (one) => one.editChild(one.snapshot.attachments[0].id, { url: 'https://example.org/b' })],
    };
    for (const [name, [here, there]] of Object.entries(cases)) {
      const { workspace, board, list, card } = shop();
      card.addItem(card.addChecklist({ title: 'To buy' }), { text: 'Ink' });
      card.addAttachment({ title: 'Draft', url: 'https://example.org/draft' });
      const other = copy_of(workspace);
      here(card, board, list);
      there(other.board(board.id).card(card.id), other.board(board.id), list);
      meet(workspace, other);
      for (const one of [workspace, other, copy_of(workspace)]) {
        const at = one.board(board.id);
        const told = one.conflicts().map(({ snapshot: { entity, board, ...rest } }) => rest);
        assert.equal(told.length, 1, name);
        assert.deepEqual(at.card(card.id).snapshot.conflicts, told, name);
        assert.deepEqual(copy_of(one).board(board.id).cards()[0].conflicts, told, name);
        assert.ok(Object.isFrozen(at.card(card.id).snapshot));
      }
    }
  });

  test('labels of the workspace can be in conflict too', () => {
    const { workspace } = shop();
    const label = workspace.createLabel({ name: 'A' });
    const other = copy_of(workspace);
    workspace.editLabel(label, { name: 'B' });
    other.editLabel(label, { name: 'C' });
    meet(workspace, other);
    const [conflict] = workspace.conflicts();
    assert.deepEqual([conflict.board, conflict.entity, conflict.snapshot.field], [null, label, 'name']);
    conflict.flip();
    assert.equal(workspace.labels()[0].name, 'B');
  });
});

test('conflicts of a whole document are asked for at once, when core can', () => {
  const remove = stand_in(Core, ['conflicts']);
  try {
    const { workspace, board, card } = shop();
    const other = copy_of(workspace);
    card.edit({ title: 'Ours' });
    other.board(board.id).card(card.id).edit({ title: 'Theirs' });
    meet(workspace, other);
    assert.deepEqual(workspace.conflicts().map(({ board, entity, snapshot }) => [board, entity, snapshot.field]), [[board.id, card.id, 'title']]);
    workspace.conflicts()[0].keep();
    assert.deepEqual(workspace.conflicts(), []);
  } finally {
    remove();
  }
});

// Core's memory is scribbled over, then a real instruction `unreachable` is run.
const kUnreachable = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b)));
function plant_trap() {
  const exports = module.core_.exports_;
  const stop = () => {
    new Uint8Array(exports.memory.buffer).fill(0xa5, 1024);
    kUnreachable.exports.f();
  };
  Object.assign(exports, {
    kalends_call: stop,
    kalends_edit: stop,
    kalends_merge: stop,
    kalends_card: stop,
    kalends_cards: stop,
  });
}

describe('a trap of core.wasm', () => {
  const calls = {
    edit: ({ card }) => card.edit({ title: 'lost' }),
    transact: ({ workspace, card }) => workspace.transact(() => { workspace.createLabel({ name: 'lost' }); card.edit({ title: 'lost' }); }),
    merge: ({ workspace, update }) => workspace.merge(update),
    save: ({ workspace }) => workspace.save(),
    read: ({ board, list }) => { board.createCard({ list, title: 'Read me' }); plant_trap(); board.cards(); },
  };
  for (const [name, act] of Object.entries(calls))
    test(`in ${name} fails that call and changes nothing`, () => {
      const { workspace, board, list, card } = shop();
      const bystander = shop();
      const other = copy_of(workspace);
      let update;
      other.onUpdate((bytes) => { update = bytes; });
      other.board(board.id).createCard({ list, title: 'From Ben' });
      card.edit({ title: 'Kept', description: 'All of it' });
      const shown = card.snapshot;
      if (name !== 'read') plant_trap();
      fails('trap', () => act({ workspace, board, list, card, update }));
      assert.equal(card.snapshot, shown);
      assert.deepEqual(bystander.board.cards().map(({ title }) => title), ['Call the printer']);
      card.edit({ location: 'Shop' });
      bystander.card.edit({ title: 'Fine' });
      meet(workspace, other);
      assert.deepEqual(other.board(board.id).cards(), board.cards());
      assert.ok(board.cards().length >= 2);
      assert.equal(card.snapshot.description, 'All of it');
      assert.equal(card.snapshot.title, 'Kept');
      assert.equal(bystander.card.snapshot.title, 'Fine');
    });
});

describe('undo, the past and reasons', () => {
  test_calls('undo and redo are one step for each transaction of this person', ['undo', 'redo'], () => {
    const { workspace, card, board } = shop();
    const other = copy_of(workspace);
    const origins = [];
    workspace.subscribe((_, origin) => origins.push(origin));
    card.edit({ title: 'One' });
    workspace.transact(() => { card.edit({ title: 'Two' }); workspace.createLabel({ name: 'L' }); });
    other.board(board.id).card(card.id).edit({ location: 'Ben' });
    meet(workspace, other);
    assert.equal(workspace.undo(), true);
    assert.deepEqual([card.snapshot.title, workspace.labels(), card.snapshot.location], ['One', [], 'Ben']);
    assert.equal(workspace.redo(), true);
    assert.deepEqual([card.snapshot.title, workspace.labels().length], ['Two', 1]);
    workspace.undo();
    workspace.undo();
    assert.equal(card.snapshot.title, 'Call the printer');
    card.edit({ title: 'Three' });
    assert.equal(workspace.redo(), false);
    assert.deepEqual(origins.filter((one) => one !== 'merge'), ['edit', 'edit', 'undo', 'redo', 'undo', 'undo', 'edit']);
    meet(workspace, other);
    assert.deepEqual(other.board(board.id).cards(), board.cards());
  });

  test_calls('the past is shown and not changed', ['at'], () => {
    const { workspace, board, card } = shop();
    const version = workspace.version();
    card.edit({ title: 'Now' });
    const past = workspace.at(version);
    assert.equal(past.readOnly, true);
    assert.equal(past.board(board.id).find(card.id).title, 'Call the printer');
    fails('read_only', () => past.board(board.id).card(card.id).edit({ title: 'x' }));
    plant_trap();
    fails('trap', () => past.version());
    assert.deepEqual(past.version(), version);
    past.dispose();
    assert.equal(card.snapshot.title, 'Now');
  });

  test_calls('history and blame name who and when', ['history', 'blame'], () => {
    const { workspace, board, card } = shop();
    const other = copy_of(workspace);
    other.board(board.id).card(card.id).edit({ title: 'By Ben' });
    meet(workspace, other);
    const history = card.history();
    assert.deepEqual([history[0].author, history.at(-1).author, history.at(-1).field, history.at(-1).value], [kAnn, kBen, 'title', 'By Ben']);
    assert.ok(history.at(-1).atMs > 0 && Object.isFrozen(history));
    const { title } = card.blame();
    assert.deepEqual([title.author, title.cause, title.op], [kBen, 'person', history.at(-1).op]);
  });

  test_calls('bytes of save open, with history and without', ['save'], () => {
    const { workspace, board, card } = shop();
    for (const history of [true, false]) assert.deepEqual(open(workspace.save({ history })).board(board.id).cards(), board.cards());
    // What is kept for a fresh start is the saved bytes and what came after them.
    card.edit({ title: 'Later' });
    plant_trap();
    fails('trap', () => workspace.version());
    assert.equal(card.edit({ done: true }), undefined);
    assert.deepEqual([card.snapshot.title, card.snapshot.done], ['Later', true]);
    const again = open([workspace.save(), workspace.save()]);
    assert.deepEqual(again.version(), workspace.version());
    assert.equal(open(null, kBen, { id: workspace.id }).merge(workspace.save()).news, true);
    // Long lives are folded: what is kept does not grow without end.
    for (let i = 0; i < 200; ++i) card.edit({ description: String(i).padEnd(100_000, String(i)) });
    assert.ok(workspace.state_(board.id).engine.mark().ops.length < 200);
    assert.deepEqual(copy_of(workspace).board(board.id).cards(), board.cards());
  });
});

test('dispose gives the documents back', () => {
  const open_documents = [];
  for (let i = 0; i < 1200; ++i) {
    const { workspace } = shop();
    open_documents.push(workspace);
    workspace.dispose();
  }
  if (Symbol.dispose) assert.equal(Workspace.prototype[Symbol.dispose], Workspace.prototype.dispose);
});
