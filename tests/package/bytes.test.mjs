// SPDX-License-Identifier: Apache-2.0
// Bytes that earlier versions wrote (tests/fixtures/bytes) open in the packed package for ever: the bytes of the core
// through its calls and inside a workspace, the bundles through the public API. tests/core/bytes_test.cc does the same
// natively.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { difference_from, reading_of, workspace_reading_of } from './reading.mjs';
import { make_project, repository } from './support.mjs';

const project = await make_project();
const { Workspace, load, load_core } = await project.import('node');
const module = await load();
const core = await load_core(await readFile(join(project.installed, 'dist/core.wasm')));
after(() => project.remove());

const kFolder = join(repository, 'tests/fixtures/bytes');
const kFormat = Number(/kFormatVersion = (\d+)/.exec(await readFile(join(repository, 'core/replica/session.h'), 'utf8'))[1]);
const kAnn = '0a'.repeat(16);

// Every file of every version, read once.
const versions = [];
for (const entry of await readdir(kFolder, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const files = {};
  for (const name of await readdir(join(kFolder, entry.name))) {
    const bytes = await readFile(join(kFolder, entry.name, name));
    files[name] = name.endsWith('.json') ? JSON.parse(bytes.toString()) : new Uint8Array(bytes);
  }
  versions.push({ name: entry.name, format: Number(entry.name.slice(1)), files });
}

let now = Date.UTC(2027, 0, 1);
const clock = () => (now += 1000);
const open = (bytes, author = kAnn) => Workspace.open(bytes, { module, author, clock });

// `reading` but for the hash, which another format has otherwise.
function fault({ format }, expected, reading) {
  const without = ({ hash, ...rest }) => (format === kFormat ? { ...rest, hash } : rest);
  return difference_from(without(expected), without(reading));
}
// What is not to be seen from here.
const seen = ({ version, floor, operations, ...expected }) => expected;

// Opens a document as a way says and gives it to `use`; `change`: name, bytes → bytes.
function follow({ files }, way, use, change = (name, bytes) => bytes, replica = '5e'.repeat(16)) {
  const { handle } = core.call({ call: 'open', document: way.document, kind: way.kind, replica, author: kAnn, ...(way.open && { bytes: change(way.open, files[way.open]) }) });
  try {
    for (const name of way.merge) {
      const { held_back } = core.call({ call: 'merge', handle, now_ms: 0, ops: change(name, files[name]) });
      if (held_back > 0) throw new Error('operations are missing');
    }
    return use(handle);
  } finally {
    core.call({ call: 'close', handle });
  }
}
function spoil(bytes, at) {
  const spoilt = bytes.slice();
  spoilt[at] ^= 1 << at % 8;
  return spoilt;
}

test('bytes of this format are kept', () => {
  assert.ok(versions.some(({ format }) => format === kFormat));
});

for (const version of versions) {
  const { files, name } = version;
  const { ways, pasts } = files['ways.json'];
  const { bundles, pasts: bundle_pasts } = files['bundles.json'];

  describe(`bytes of ${name}, through the calls of core.wasm`, () => {
    test('all read as they did', () => {
      assert.ok(ways.length > 10);
      for (const way of ways)
        follow(version, way, (handle) => {
          const expected = files[way.reading];
          assert.equal(fault(version, seen(expected), reading_of(core, handle, expected)), '', JSON.stringify(way));
        });
    });

    test('a version leads to the past, and to what came since', () => {
      for (const past of pasts)
        for (const way of ways.filter(({ reading }) => reading === past.reading))
          follow(version, way, (handle) => {
            const { handle: then } = core.call({ call: 'at', handle, version: files[past.version] });
            const expected = files[past.then];
            assert.equal(difference_from(expected.view, core.call({ call: 'view', handle: then })), '');
            core.call({ call: 'close', handle: then });
            const { ops } = core.call({ call: 'since', handle, version: files[past.version] });
            assert.ok(ops.length > 100);
          });
    });

    test('one goes on: edits, merges, saves', () => {
      for (const way of ways)
        follow(version, way, (ann) =>
          follow(version, way, (ben) => {
            for (const [handle, who] of [[ann, 'ann'], [ben, 'ben']]) {
              const view = core.call({ call: 'view', handle });
              const root = { do: 'set', entity: way.document, field: 'title', value: `by ${who}` };
              const olds = way.kind === 'board' ? Object.keys(view.cards).slice(0, 5) : view.labels.map(({ id }) => id);
              const field = way.kind === 'board' ? 'title' : 'name';
              const commands = [root, ...olds.map((entity) => ({ do: 'set', entity, field, value: `by ${who}` }))];
              if (way.kind === 'board') commands.push(...olds.map((entity) => ({ do: 'splice', entity, pos: 0, del: 0, ins: who })));
              core.call({ call: 'edit', handle, now_ms: clock(), commands });
            }
            const pull = (to, from) => {
              const { ops } = core.call({ call: 'since', handle: from, version: core.call({ call: 'version', handle: to }) });
              assert.equal(core.call({ call: 'merge', handle: to, now_ms: clock(), ops }).news, true);
            };
            pull(ann, ben);
            pull(ben, ann);
            const hash = core.call({ call: 'hash', handle: ann });
            assert.equal(core.call({ call: 'hash', handle: ben }), hash);
            for (const history of [true, false]) {
              const saved = core.call({ call: 'save', handle: ann, history });
              const again = { ...way, open: 'saved', merge: [] };
              follow({ files: { saved } }, again, (handle) => {
                assert.equal(core.call({ call: 'hash', handle }), hash);
                assert.deepEqual(core.call({ call: 'view', handle }), core.call({ call: 'view', handle: ann }));
              });
            }
          }, undefined, '5f'.repeat(16)));
    });

    test('canary: a fixture that is spoilt is refused or reads differently', () => {
      let spoilt = 0;
      // What no view shows is in the operations.
      const operations_of = (handle) => {
        try {
          return core.call({ call: 'since', handle, version: Uint8Array.of(1, 0) }).ops;
        } catch (error) {
          if (error.code !== 'conflict') throw error;
          return null;
        }
      };
      for (const way of ways) {
        const expected = files[way.reading];
        if (expected.titles !== undefined) continue;
        const operations = follow(version, way, operations_of);
        for (const file of [way.open, ...way.merge].filter((one) => one !== ''))
          for (let at = spoilt % 11; at < files[file].length; at += 11, ++spoilt) {
            let found;
            try {
              found = follow(
                version,
                way,
                (handle) => {
                  const found = fault(version, seen(expected), reading_of(core, handle, expected));
                  return found === '' && !isDeepStrictEqual(operations_of(handle), operations) ? 'operations' : found;
                },
                (which, bytes) => (which === file ? spoil(bytes, at) : bytes),
              );
            } catch (error) {
              found = error.message;
            }
            assert.notEqual(found, '', `byte ${at} of ${file} can be changed, and nobody notices`);
          }
      }
      assert.ok(spoilt > 1000, `${spoilt}`);
    });
  });

  // The core's bytes in a bundle: the fast calls show the same cards.
  test(`bytes of ${name} open inside a workspace`, () => {
    const id_bytes = (id) => Uint8Array.from(id.match(/../g), (digits) => parseInt(digits, 16));
    const record = (what, kind, id, bytes) => [...Uint8Array.of(what, kind), ...id_bytes(id), ...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
    const [workspace_way] = ways.filter(({ reading }) => reading === 'workspace.json');
    for (const way of ways.filter(({ kind, merge, open }) => kind === 'board' && merge.length === 0 && open !== '')) {
      const bundle = Uint8Array.from([
        0x4b, 0x4c, 0x42, 1,
        ...record(way.open.endsWith('.snapshot') ? 2 : 3, 1, way.document, files[way.open]),
        ...record(3, 0, workspace_way.document, files['workspace.saved']),
      ]);
      const workspace = open(bundle);
      const board = workspace.board(way.document);
      const expected = files[way.reading];
      if (expected.titles !== undefined) {
        const titles = Object.fromEntries(board.lists().map((list) => [list.title, list.cards.map((id) => board.find(id).title)]));
        assert.deepEqual(titles, expected.titles);
      } else {
        const cards = Object.fromEntries(board.cards().map((card) => [card.id, JSON.parse(JSON.stringify(card), (key, value) => value)]));
        const camel = (value) =>
          Array.isArray(value) ? value.map(camel)
          : value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()), camel(one)]))
          : value;
        assert.equal(difference_from(camel(expected.view.cards), cards), '', way.open);
        // Into an empty copy, on from there, and out again.
        board.card(Object.keys(cards)[0]).edit({ title: 'On', description: [{ at: 0, insert: '→' }] });
        const copy = open(workspace.save({ history: false }));
        assert.equal(copy.board(way.document).find(Object.keys(cards)[0]).title, 'On');
        copy.dispose();
      }
      workspace.dispose();
    }
  });

  describe(`bundles of ${name}`, () => {
    const opened = ({ open: names, merge }, change = (which, bytes) => bytes) => {
      const workspace = open(names.map((one) => change(one, files[one])));
      try {
        for (const one of merge) assert.deepEqual(workspace.merge(change(one, files[one])), { news: true, missing: false });
      } catch (error) {
        workspace.dispose();
        throw error;
      }
      return workspace;
    };

    test('all read as they did', () => {
      const read = new Set(bundle_pasts.flatMap((past) => [past.version, past.now]));
      for (const bundle of bundles) {
        const workspace = opened(bundle);
        assert.equal(difference_from(files[bundle.reading], workspace_reading_of(workspace)), '', JSON.stringify(bundle));
        workspace.dispose();
        for (const one of [...bundle.open, ...bundle.merge]) read.add(one);
      }
      assert.deepEqual(Object.keys(files).filter((file) => file.endsWith('.bundle') && !read.has(file)), []);
      assert.ok(files['shop.json'].conflicts.length > 2);
    });

    test('a version leads to the past, and to what came since', () => {
      for (const past of bundle_pasts)
        for (const bundle of bundles.filter(({ reading }) => reading === past.reading)) {
          const workspace = opened(bundle);
          assert.deepEqual(workspace.version(), files[past.now]);
          const then = workspace.at(files[past.version]);
          const { snapshot, boards, conflicts } = files[past.then];
          const shown = workspace_reading_of(then);
          assert.equal(difference_from({ snapshot, conflicts }, { snapshot: shown.snapshot, conflicts: shown.conflicts }), '');
          for (const [id, board] of Object.entries(boards)) assert.equal(difference_from(board.snapshot, shown.boards[id].snapshot), '');
          then.dispose();
          const blank = open(files[bundle.open[0]]);
          blank.merge(workspace.since(files[past.version]));
          assert.equal(difference_from(files[past.reading].snapshot, JSON.parse(JSON.stringify(blank.snapshot))), '');
          blank.dispose();
          workspace.dispose();
        }
    });

    test('one goes on: edits, merges, undoes, saves', () => {
      for (const bundle of bundles) {
        const ann = opened(bundle);
        const ben = opened(bundle);
        for (const [workspace, who] of [[ann, 'ann'], [ben, 'ben']]) {
          workspace.edit({ title: `by ${who}` });
          for (const { id } of workspace.boards()) {
            const board = workspace.board(id);
            for (const card of board.cards().slice(0, 3))
              board.card(card.id).edit({ title: `by ${who}`, description: [{ at: 0, insert: who }] });
            board.createCard({ list: board.createList({ title: `list by ${who}` }), title: `card by ${who}` });
          }
          workspace.createLabel({ name: `label by ${who}` });
          assert.equal(workspace.undo(), true);
          assert.equal(workspace.redo(), true);
        }
        ann.merge(ben.since(ann.version()));
        ben.merge(ann.since(ben.version()));
        const reading = workspace_reading_of(ann);
        assert.deepEqual(workspace_reading_of(ben), reading);
        assert.match(JSON.stringify(reading), /card by ben/);
        const whole = open(ann.save());
        assert.deepEqual(workspace_reading_of(whole), reading);
        const trimmed = open(ann.save({ history: false }));
        assert.deepEqual(trimmed.boards().map(({ id }) => trimmed.board(id).cards()), ann.boards().map(({ id }) => ann.board(id).cards()));
        for (const one of [ann, ben, whole, trimmed]) one.dispose();
      }
    });

    // Where the records of a bundle say what they are.
    const kinds_of = (bytes) => {
      const found = new Set();
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 4; at < bytes.length; at += 22 + view.getUint32(at + 18, true)) found.add(at);
      return found;
    };

    test('canary: a bundle that is spoilt is refused or reads differently', () => {
      let spoilt = 0;
      // What no snapshot shows is in the operations; without history there are none.
      const operations_of = (bundle, workspace) => (bundle.reading === 'shop.trimmed.json' ? null : workspace.since());
      for (const bundle of bundles) {
        const sound = opened(bundle);
        const operations = operations_of(bundle, sound);
        sound.dispose();
        for (const file of [...bundle.open, ...bundle.merge])
          for (let at = spoilt % 7; at < files[file].length; at += 7, ++spoilt) {
            // Saved bytes say themselves what they are: called a snapshot, they open as what they are.
            if (files[file][at] === 3 && spoil(files[file], at)[at] === 2 && kinds_of(files[file]).has(at)) continue;
            let found;
            try {
              const workspace = opened(bundle, (which, bytes) => (which === file ? spoil(bytes, at) : bytes));
              try {
                found = difference_from(files[bundle.reading], workspace_reading_of(workspace));
                if (found === '' && !isDeepStrictEqual(operations_of(bundle, workspace), operations)) found = 'operations';
              } finally {
                workspace.dispose();
              }
            } catch (error) {
              found = error.message;
            }
            assert.notEqual(found, '', `byte ${at} of ${file} can be changed, and nobody notices`);
          }
      }
      assert.ok(spoilt > 800, `${spoilt}`);
    });
  });
}
