// SPDX-License-Identifier: Apache-2.0
// The packed package in Chromium: bundled by Vite and by webpack, in a worker, under a strict content security policy;
// the hooks, IndexedDB and BroadcastChannel with two tabs.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { launch, make_project, open_page, readme_example, serve } from './support.mjs';

const { code, promised } = await readme_example();
const kPage = (script) => `<!doctype html><meta charset="utf-8"><title>Test</title><div id="root"></div><script type="module" src="${script}"></script>`;

const files = {
  'index.html': kPage('/src/main.js'),
  // The example itself, its output kept.
  'src/example.js': `const out = []; const console = { log: (...all) => out.push(all.join(' ')) };\n${code.replace(/^import .*$/m, '')}\nexport { out };\n`.replace(/^/, "import { load, Workspace } from '@kalends/core';\n"),
  'src/worker.js': "import('./example.js').then(({ out }) => postMessage(out), (error) => postMessage([String(error)]));\n",
  'src/main.js': `
import { out } from './example.js';
import * as kalends from '@kalends/core';
import { openPersisted } from '@kalends/core/indexeddb';
import { connectTabs } from '@kalends/core/broadcast';
import * as hooks from '@kalends/core/react';
import * as react from 'react';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
const in_worker = () => new Promise((resolve, reject) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
});
let can_evaluate = true;
try { (0, eval)('1'); } catch { can_evaluate = false; }
// Loaded when it is needed, as a page does.
const preview = async () => (await import('@kalends/core/preview')).loadPlanner();
globalThis.test = { out, in_worker, can_evaluate, preview, kalends, openPersisted, connectTabs, hooks, react, createRoot, flushSync };
`,
};

const browser = await launch();
const stops = [() => browser.close()];
after(async () => { for (const stop of stops.reverse()) await stop(); });

async function bundled(build) {
  const project = await make_project(files, ['react', 'react-dom', 'scheduler']);
  stops.push(project.remove);
  await build(project.folder);
  const server = await serve(join(project.folder, 'dist'));
  stops.push(server.close);
  return { address: server.address, dist: join(project.folder, 'dist') };
}

const with_vite = await bundled(async (folder) => {
  const { build } = await import('vite');
  await build({ root: folder, logLevel: 'error', configFile: false, worker: { format: 'es' }, build: { assetsInlineLimit: 0, modulePreload: { polyfill: false } } });
});
const with_webpack = await bundled(async (folder) => {
  const { default: webpack } = await import('webpack');
  const compiler = webpack({ mode: 'production', context: folder, entry: './src/main.js', output: { path: join(folder, 'dist'), filename: 'main.js', publicPath: '/' }, performance: false });
  const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  assert.deepEqual([...errors, ...warnings].map(({ message }) => message), []);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'dist/index.html'), kPage('/main.js'));
});

async function ready(context, address, complaints) {
  const page = await open_page(context, address, complaints);
  await page.waitForFunction(() => globalThis.test !== undefined);
  return page;
}
async function in_context(run) {
  const context = await browser.newContext();
  const complaints = [];
  try {
    await run(context, complaints);
  } finally {
    await context.close();
  }
  return complaints;
}

for (const [name, { address, dist }] of Object.entries({ Vite: with_vite, webpack: with_webpack }))
  describe(`bundled with ${name}`, () => {
    test('the example runs on a page and in a worker under a strict policy', async () => {
      const complaints = await in_context(async (context, list) => {
        const page = await ready(context, address, list);
        assert.deepEqual(await page.evaluate(() => globalThis.test.out), promised);
        assert.deepEqual(await page.evaluate(() => globalThis.test.in_worker()), promised);
        assert.equal(await page.evaluate(() => globalThis.test.can_evaluate), false);
      });
      assert.deepEqual(complaints, []);
    });

    test('core.wasm and reconcile.wasm are one file each beside the JavaScript, for the page and the worker', async () => {
      const all = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.wasm'));
      assert.equal(all.length, 2, all.join(' '));
      for (const file of all) assert.ok((await readFile(join(dist, file))).length > 10_000);
    });

    test('a plan is shown under a strict policy, by a module that is loaded when it is asked for', async () => {
      assert.deepEqual(await in_context(async (context, list) => {
        const fetched = [];
        context.on('request', (request) => { if (request.url().endsWith('.wasm')) fetched.push(request.url()); });
        const page = await ready(context, address, list);
        assert.equal(fetched.length, 1, fetched.join(' '));
        const seen = await page.evaluate(async () => {
          const { kalends, preview } = globalThis.test;
          const workspace = kalends.Workspace.open(null, { module: await kalends.load(), author: '0a'.repeat(16) });
          const board = workspace.createBoard({ title: 'Shop' });
          const card = board.createCard({ list: board.createList({ title: 'Next' }), title: 'Call Ben', due: '2026-11-24' });
          const planner = await preview();
          const agreed = { title: 'Call Anna', start: '2026-11-24', end: '2026-11-25' };
          const facts = { event: { ...agreed, title: 'Call Cleo' }, shadow: { ours: agreed, theirs: agreed } };
          const conflict = planner.previewCard(card, facts);
          // A trap between two plans.
          const exports = planner.core_.exports_;
          planner.core_.exports_ = { ...exports, kalends_call: () => exports.kalends_call(-1, -1) };
          let code;
          try { planner.previewCard(card, facts); } catch (error) { code = error instanceof kalends.KalendsError && error.code; }
          card.edit(conflict.steps[0].set);
          return [conflict.steps.map((step) => step.do), code, planner.previewCard(card, facts), card.snapshot.title];
        });
        assert.deepEqual(seen, [['offer', 'patch_event'], 'trap', { steps: [], reasons: [], agrees: true }, 'Call Cleo']);
        assert.ok(new Set(fetched).size === 2);
      }), []);
    });
  });

test('in the development server of Vite, left alone by its optimizer', async () => {
  const project = await make_project({ 'public/favicon.ico': '', 'index.html': kPage('/main.js'), 'main.js': "import { out } from './src/example.js';\nglobalThis.test = { out };\n", 'src/example.js': files['src/example.js'] });
  stops.push(project.remove);
  const { createServer } = await import('vite');
  const server = await createServer({ root: project.folder, logLevel: 'error', configFile: false, optimizeDeps: { exclude: ['@kalends/core'] }, server: { host: '127.0.0.1', port: 0 } });
  await server.listen();
  stops.push(() => server.close());
  assert.deepEqual(await in_context(async (context, list) => {
    const page = await ready(context, `http://127.0.0.1:${server.httpServer.address().port}/`, list);
    assert.deepEqual(await page.evaluate(() => globalThis.test.out), promised);
  }), []);
});

test('without a bundler, as plain files', async () => {
  const project = await make_project({
    'index.html': kPage('/main.js'),
    'main.js': code.replace("'@kalends/core'", "'/node_modules/@kalends/core/dist/index.js'").replaceAll('console.log', 'out.push').replace(/^(import .*)$/m, '$1\nconst out = [];') + '\nglobalThis.test = { out: out.map(String) };\n',
  });
  stops.push(project.remove);
  const server = await serve(project.folder);
  stops.push(server.close);
  assert.deepEqual(await in_context(async (context, list) => {
    const page = await ready(context, server.address, list);
    assert.deepEqual(await page.evaluate(() => globalThis.test.out), promised);
  }), []);
});

test('a trap on the main thread of a page is survived', async () => {
  assert.deepEqual(await in_context(async (context, list) => {
    const page = await ready(context, with_vite.address, list);
    const answer = await page.evaluate(async () => {
      const { load, Workspace } = globalThis.test.kalends;
      const module = await load();
      const workspace = Workspace.open(null, { module, author: '0a'.repeat(16) });
      const board = workspace.createBoard({ title: 'Shop' });
      const list = board.createList({ title: 'Next' });
      const exports = module.core_.exports_;
      const call = exports.kalends_call;
      const stop = () => { new Uint8Array(exports.memory.buffer).fill(0xa5); return call(-1, -1); };
      Object.assign(exports, { kalends_call: stop, kalends_edit: stop, kalends_merge: stop, kalends_card: stop, kalends_cards: stop });
      let error;
      try { board.createCard({ list, title: 'Lost' }); } catch (caught) { error = caught.code; }
      board.createCard({ list, title: 'Kept' });
      return [error, board.cards().map(({ title }) => title)];
    });
    assert.deepEqual(answer, ['trap', ['Kept']]);
  }), []);
});

describe('hooks', () => {
  test('render again only for what they show, and never tear', async () => {
    assert.deepEqual(await in_context(async (context, list) => {
      const page = await ready(context, with_vite.address, list);
      const seen = await page.evaluate(async () => {
        const { kalends, hooks, react, createRoot, flushSync } = globalThis.test;
        const { createElement: h, memo } = react;
        const module = await kalends.load();
        const workspace = kalends.Workspace.open(null, { module, author: '0a'.repeat(16) });
        const board = workspace.createBoard({ title: 'Shop' });
        const next = board.createList({ title: 'Next' });
        const cards = [1, 2, 3].map((n) => board.createCard({ list: next, title: `Card ${n}` }));
        const renders = { board: 0, conflicts: 0, workspace: 0 };
        let torn = 0;
        const Tile = memo(({ id }) => {
          renders[id] = (renders[id] ?? 0) + 1;
          return h('li', null, hooks.useCard(board, id)?.title ?? 'gone');
        });
        const App = () => {
          ++renders.board;
          const view = hooks.useBoard(board);
          // Two looks in one pass must agree: the same card, the same state.
          if (hooks.useCard(board, cards[0].id) !== board.find(cards[0].id)) ++torn;
          return h('ul', null, view.lists.flatMap((row) => row.cards.map((id) => h(Tile, { key: id, id }))));
        };
        const Side = () => { ++renders.conflicts; return h('p', null, String(hooks.useConflicts(workspace).length)); };
        const Names = () => { ++renders.workspace; return h('h1', null, hooks.useWorkspace(workspace).boards[0].title); };
        const root = createRoot(document.getElementById('root'));
        flushSync(() => root.render(h(react.Fragment, null, h(Names), h(App), h(Side))));
        const text = () => document.getElementById('root').innerText.split('\n').filter(Boolean);
        const steps = [];
        const step = (act) => { const before = { ...renders }; flushSync(act); steps.push([text(), Object.fromEntries(Object.entries(renders).filter(([key, count]) => count !== before[key]).map(([key, count]) => [cards.findIndex(({ id }) => id === key) >= 0 ? `card ${cards.findIndex(({ id }) => id === key) + 1}` : key, count - (before[key] ?? 0)]))]); };
        step(() => {});
        step(() => cards[1].edit({ title: 'Second' }));
        step(() => cards[2].move({ after: null }));
        step(() => cards[1].delete());
        step(() => board.edit({ title: 'Store' }));
        const other = kalends.Workspace.open(workspace.save(), { module, author: '0b'.repeat(16) });
        other.board(board.id).card(cards[2].id).edit({ title: 'Theirs' });
        step(() => cards[2].edit({ title: 'Ours' }));
        step(() => workspace.merge(other.since(workspace.version())));
        const left = steps.at(-1);
        root.unmount();
        return { steps, torn, left, listeners: board.state_.listeners_.size };
      });
      const [first, edited, moved, deleted, renamed, ours, merged] = seen.steps;
      assert.deepEqual(first, [['Shop', 'Card 1', 'Card 2', 'Card 3', '0'], {}]);
      assert.deepEqual(edited, [['Shop', 'Card 1', 'Second', 'Card 3', '0'], { 'card 2': 1 }]);
      assert.deepEqual(moved[0], ['Shop', 'Card 3', 'Card 1', 'Second', '0']);
      assert.deepEqual(Object.keys(moved[1]).filter((key) => key !== 'board' && key !== 'card 3'), []);
      assert.deepEqual(deleted[0], ['Shop', 'Card 3', 'Card 1', '0']);
      assert.deepEqual(renamed[0], ['Store', 'Card 3', 'Card 1', '0']);
      assert.deepEqual(ours, [['Store', 'Ours', 'Card 1', '0'], { 'card 3': 1 }]);
      assert.equal(merged[0].at(-1), '1');
      assert.deepEqual(Object.keys(merged[1]).sort(), ['card 3', 'conflicts']);
      assert.equal(seen.torn, 0);
      assert.equal(seen.listeners, 0);
    }), []);
  });
});

describe('tabs', () => {
  const start = (page, options) => page.evaluate(async ({ name, tabs, ...rest }) => {
    const { kalends, openPersisted, connectTabs } = globalThis.test;
    const module = (globalThis.module ??= await kalends.load());
    globalThis.persisted = await openPersisted({ module, author: '0a'.repeat(16), name, ...rest });
    globalThis.workspace = globalThis.persisted.workspace;
    if (tabs) globalThis.tabs = connectTabs(globalThis.workspace, { onError: (error) => console.error(String(error)) });
    return globalThis.workspace.id;
  }, options);
  const titles = (page) => page.evaluate(() => globalThis.workspace.boards().flatMap(({ id }) => globalThis.workspace.board(id).cards().map(({ title }) => title)));
  const add = (page, ...names) => page.evaluate((names) => {
    const board = globalThis.workspace.board(globalThis.workspace.boards()[0].id);
    for (const title of names) board.createCard({ list: board.lists()[0].id, title });
  }, names);
  const begin = (page) => page.evaluate(() => { globalThis.workspace.createBoard({ title: 'Shop' }).createList({ title: 'Next' }); });
  const flush = (page) => page.evaluate(() => globalThis.persisted.flush());
  const shows = (page, count) => page.waitForFunction((count) => globalThis.workspace.boards().some(({ id }) => globalThis.workspace.board(id).cards().length === count), count);

  test('IndexedDB keeps what two tabs write, which begin at once', async () => {
    assert.deepEqual(await in_context(async (context, list) => {
      const [one, two] = [await ready(context, with_vite.address, list), await ready(context, with_vite.address, list)];
      const ids = await Promise.all([start(one, { name: 'kept' }), start(two, { name: 'kept' })]);
      assert.equal(ids[0], ids[1]);
      await begin(one);
      await add(one, 'A');
      await flush(one);
      // The second tab opens anew and is a copy of its own.
      await two.evaluate(() => globalThis.persisted.close());
      await start(two, { name: 'kept' });
      assert.deepEqual(await titles(two), ['A']);
      await Promise.all([add(one, 'B'), add(two, 'C')]);
      await Promise.all([flush(one), flush(two)]);
      const three = await ready(context, with_vite.address, list);
      await start(three, { name: 'kept' });
      assert.deepEqual((await titles(three)).sort(), ['A', 'B', 'C']);
      // What a comment is called begins with the replica that made it.
      const replica_of = (page) => page.evaluate(() => {
        const board = globalThis.workspace.board(globalThis.workspace.boards()[0].id);
        return board.card(board.cards()[0].id).addComment('Hello').split(':')[0];
      });
      const replicas = await Promise.all([one, two, three].map(replica_of));
      assert.equal(new Set(replicas).size, 3);
      await Promise.all([one, two, three].map(flush));
      // Compaction takes in what another tab appended, and leaves one row.
      await one.evaluate(() => globalThis.persisted.compact());
      assert.deepEqual((await titles(one)).sort(), ['A', 'B', 'C']);
      const rows = await one.evaluate(() => new Promise((resolve) => {
        const request = globalThis.persisted.database_.transaction('bytes').objectStore('bytes').count();
        request.onsuccess = () => resolve(request.result);
      }));
      assert.equal(rows, 1);
      await add(two, 'D');
      await flush(two);
      const four = await ready(context, with_vite.address, list);
      await start(four, { name: 'kept' });
      assert.deepEqual((await titles(four)).sort(), ['A', 'B', 'C', 'D']);
    }), []);
  });

  test('IndexedDB is compacted by itself', async () => {
    assert.deepEqual(await in_context(async (context, list) => {
      const page = await ready(context, with_vite.address, list);
      await start(page, { name: 'small', compactAfter: 10 });
      await begin(page);
      await add(page, ...Array.from({ length: 25 }, (_, index) => `Card ${index}`));
      await flush(page);
      const rows = await page.evaluate(() => new Promise((resolve) => {
        const request = globalThis.persisted.database_.transaction('bytes').objectStore('bytes').count();
        request.onsuccess = () => resolve(request.result);
      }));
      assert.ok(rows <= 11, `${rows} rows`);
      const again = await ready(context, with_vite.address, list);
      await start(again, { name: 'small' });
      assert.equal((await titles(again)).length, 25);
    }), []);
  });

  test('BroadcastChannel keeps two tabs in step, and one that comes late', async () => {
    assert.deepEqual(await in_context(async (context, list) => {
      const [one, two] = [await ready(context, with_vite.address, list), await ready(context, with_vite.address, list)];
      await start(one, { name: 'tabs', tabs: true });
      await begin(one);
      await start(two, { name: 'tabs', tabs: true });
      await add(one, 'A');
      await shows(two, 1);
      await Promise.all([add(one, 'B', 'C'), add(two, 'D', 'E')]);
      await Promise.all([shows(one, 5), shows(two, 5)]);
      const versions = await Promise.all([one, two].map((page) => page.evaluate(() => globalThis.workspace.version().join())));
      assert.equal(versions[0], versions[1]);
      assert.deepEqual(await titles(one), await titles(two));
      // What one tab merges from elsewhere reaches the other.
      await one.evaluate(() => {
        const { kalends } = globalThis.test;
        const elsewhere = kalends.Workspace.open(globalThis.workspace.save(), { module: globalThis.module, author: '0b'.repeat(16) });
        const board = elsewhere.board(elsewhere.boards()[0].id);
        board.createCard({ list: board.lists()[0].id, title: 'From elsewhere' });
        globalThis.workspace.merge(elsewhere.since(globalThis.workspace.version()));
      });
      await shows(two, 6);
      // Not persisted: a tab that has nothing gets all from the others.
      const late = await ready(context, with_vite.address, list);
      await late.evaluate(async (id) => {
        const { kalends, connectTabs } = globalThis.test;
        globalThis.workspace = kalends.Workspace.open(null, { module: await kalends.load(), author: '0a'.repeat(16), id });
        connectTabs(globalThis.workspace);
      }, await one.evaluate(() => globalThis.workspace.id));
      await shows(late, 6);
      await late.evaluate(() => { const [{ id }] = globalThis.workspace.boards(); const board = globalThis.workspace.board(id); board.cards()[0]; board.card(board.cards()[0].id).delete(); });
      await Promise.all([shows(one, 5), shows(two, 5)]);
      await one.evaluate(() => globalThis.tabs.close());
      await add(one, 'Alone');
      await shows(one, 6);
      assert.equal((await titles(two)).length, 5);
    }), []);
  });
});
