// SPDX-License-Identifier: Apache-2.0
// An old backup comes back after both sides went on: nothing is written before a person approves, nothing is deleted or
// doubled, and what a copy was told is safe comes back from the copy.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compare } from '../check/compare.mjs';
import { random_of } from '../check/edits.mjs';
import { Google, Worker, free_port, pause } from '../check/system.mjs';
import { Client } from './client.mjs';
import { execute, integrity } from './integrity.mjs';

const kProgram = process.env.KALENDS_BIN ?? 'build/dev/worker/kalends';
const random = random_of(7);

class Scene {
  static async open(settings) {
    const scene = new Scene();
    scene.folder = mkdtempSync(join(tmpdir(), 'kalends-restore-'));
    scene.data = join(scene.folder, 'data');
    scene.backup = join(scene.folder, 'backup.db');
    scene.google = await Google.start({});
    scene.worker = new Worker({ google: scene.google, data: scene.data, port: await free_port(), environment: { KALENDS_LOG_LEVEL: 'error' } });
    await scene.worker.start();
    const account = await scene.worker.connect(scene.google);
    const board = await scene.worker.api('POST', '/v1/boards', { title: 'Board', time_zone: 'UTC', lists: ['Inbox', 'Next'] });
    [scene.board, scene.list] = [board.id, board.lists[1].id];
    const link = await scene.worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: 'Board' }, settings: settings(board.lists[0].id) });
    [scene.link, scene.calendar] = [link.id, link.calendar.id];
    const { member } = await scene.worker.api('GET', '/v1/session');
    scene.copy = new Client({ url: scene.worker.url, token: scene.worker.token, board: board.id, member: member.id, replica: random.id() });
    return scene;
  }
  cards() {
    return this.worker.all(`/v1/boards/${this.board}/cards`);
  }
  async card(title) {
    return (await this.cards()).find((card) => card.title === title);
  }
  async events() {
    return (await this.google.events(this.calendar)).filter((event) => event.status !== 'cancelled');
  }
  make(title, due) {
    return this.worker.api('POST', `/v1/boards/${this.board}/cards`, { list: this.list, title, ...(due && { due: { date: due } }) });
  }
  change(id, fields) {
    return this.worker.api('PATCH', `/v1/boards/${this.board}/cards/${id}`, fields);
  }
  status() {
    return this.worker.api('GET', `/v1/links/${this.link}`);
  }
  async until(what, is_so) {
    const begin = performance.now();
    while (!(await is_so())) {
      if (performance.now() - begin > 20_000) assert.fail(`waited in vain: ${what}`);
      await pause(10);
    }
  }
  async rest() {
    await this.until('rest', async () => {
      if (this.copy && !this.copy.is_over && !this.copy.is_synced) return false;
      await this.worker.api('POST', `/v1/links/${this.link}/sync`, {});
      return (await this.worker.api('GET', '/v1/sync')).at_rest;
    });
  }
  run(...words) {
    return new Promise((resolve) => {
      execFile(kProgram, [...words, '--data-dir', this.data], { env: { ...process.env, KALENDS_DATA_DIR: this.data } }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, text: stdout + stderr }));
    });
  }
  async close() {
    this.copy?.end();
    await this.worker.stop();
    await this.google.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const marker_of = (event) => event.extendedProperties?.private?.kalends;
// Cards of events that people made, by what their link says.
async function adopted(scene) {
  const found = new Map();
  const marked = new Set((await scene.events()).map((event) => marker_of(event)?.slice(0, 32)));
  for (const card of await scene.cards()) {
    if (marked.has(card.id)) continue;
    const { links } = await scene.worker.api('GET', `/v1/boards/${scene.board}/cards/${card.id}/explain`);
    if (links[0]?.event) found.set(links[0].event.id, card.id);
  }
  return found;
}

// With an inbox and without; the copy comes back before the approval, or after it.
for (const [name, settings, comes_late] of [
  ['with an inbox, the copy comes before the approval', (inbox) => ({ inbox_list: inbox }), false],
  ['with an inbox, the copy comes after the approval', (inbox) => ({ inbox_list: inbox }), true],
  ['without an inbox, the copy comes before the approval', () => ({}), false],
  ['without an inbox, the copy comes after the approval', () => ({}), true],
]) {
  test(`an old backup comes back: ${name}`, async () => {
    const scene = await Scene.open(settings);
    const has_inbox = name.startsWith('with an');
    try {
      const [a, b, c, d] = [await scene.make('A', '2027-01-01'), await scene.make('B'), await scene.make('C', '2027-01-03'), await scene.make('D', '2027-01-04')];
      for (let i = 0; i < 8; i += 1) await scene.make(`Filler ${i}`, '2027-02-01');
      await scene.rest();
      const backed_up = await scene.run('backup', scene.backup);
      assert.deepEqual([backed_up.code, integrity(scene.backup)], [0, 'ok']);
      assert.match(backed_up.text, /The key is not in it/);

      // Both sides go on.
      await scene.change(a.id, { title: 'A later' });
      scene.copy.edit([{ do: 'set', entity: b.id, field: 'due', value: { date: '2027-01-02' } }]);
      scene.copy.edit([{ do: 'add_child', entity: a.id, id: random.id(), type: 'comment', fields: { text: 'kept by the copy' } }]);
      const of_copy = random.id();
      scene.copy.edit([{ do: 'create', type: 'card', id: of_copy, fields: { list: scene.list, title: 'G of the copy', due: { date: '2027-01-07' } } }]);
      const of_api = await scene.make('H of the API', '2027-01-08');
      const [event_c] = (await scene.events()).filter((event) => event.summary === 'C');
      await scene.google.change(scene.calendar, event_c.id, { summary: 'C in the calendar' });
      if (has_inbox) await scene.google.make(scene.calendar, { summary: 'By a person', start: { date: '2027-01-09' }, end: { date: '2027-01-10' } });
      await scene.change(d.id, { due: null });
      await scene.until("D's event is gone", async () => !(await scene.events()).some((event) => event.summary === 'D'));
      await scene.change(d.id, { due: { date: '2027-01-05' } });
      await scene.until("D's second event", async () => (await scene.events()).some((event) => event.summary === 'D'));
      await scene.rest();
      const before = (await scene.events()).map(({ id, summary }) => `${id} ${summary}`).sort();
      const acknowledged = scene.copy.acknowledged;
      assert.ok(acknowledged >= 3);

      const refused = await scene.run('restore', scene.backup);
      assert.deepEqual([refused.code, /Another Kalends works/.test(refused.text)], [1, true]);
      const port = scene.worker.environment.KALENDS_LISTEN;
      await scene.worker.stop();
      if (comes_late) scene.copy.pause();
      const restored = await scene.run('restore', scene.backup);
      assert.deepEqual([restored.code, /Restored \d+ documents and 1 links/.test(restored.text)], [0, true], restored.text);
      await scene.google.control('POST', 'stats/reset');
      scene.copy.allows_loss = true; // the hub knows less now, and says so by its epoch
      await scene.worker.start();
      assert.equal(scene.worker.environment.KALENDS_LISTEN, port);

      await scene.until('the report of what would be done', async () => (await scene.status()).status.guard !== null);
      if (!comes_late) await scene.until('the copy has pushed what was lost', () => scene.copy.is_synced);
      const link = await scene.status();
      assert.deepEqual([link.state, link.status.health, link.status.problems], ['stopped', 'unhealthy', ['guard_stopped']]);
      assert.match(link.status.guard.reason, /restored from a backup/);
      assert.equal(link.status.guard.deletes, 0);
      const { writes } = await scene.google.stats();
      assert.equal(writes, 0, 'nothing is written before the approval');
      // A pause is no approval.
      await scene.worker.api('PATCH', `/v1/links/${scene.link}`, { state: 'paused' });
      await scene.worker.api('PATCH', `/v1/links/${scene.link}`, { state: 'active' }).catch(() => {});
      assert.equal((await scene.status()).state, 'stopped');

      await scene.worker.api('POST', `/v1/links/${scene.link}/approve`);
      if (comes_late) {
        await scene.until('the first run', async () => (await scene.worker.api('GET', '/v1/sync')).at_rest);
        scene.copy.resume();
      }
      await scene.rest();
      const found = compare(await scene.cards(), await scene.google.events(scene.calendar), { adopted: await adopted(scene) });
      assert.deepEqual([found.mismatches, found.duplicates], [[], 0]);
      const stats = await scene.google.stats();
      assert.deepEqual([stats.api_calls['events.delete'] ?? 0, stats.api_calls['events.insert'] ?? 0, stats.contract_violations], [0, 0, []]);
      assert.deepEqual((await scene.events()).map(({ id, summary }) => `${id} ${summary}`).sort(), before, 'every event is still there, and no other');
      const titles = (await scene.cards()).map(({ title }) => title);
      for (const title of ['A later', 'B', 'C in the calendar', 'D', 'G of the copy', 'H of the API', ...(has_inbox ? ['By a person'] : [])]) assert.equal(titles.filter((one) => one === title).length, 1, title);
      assert.equal((await scene.card('D')).due.date, '2027-01-05');
      assert.equal((await scene.card('B')).due.date, '2027-01-02');
      assert.deepEqual((await scene.card('A later')).comments.map(({ text }) => text), ['kept by the copy']);
      assert.equal((await scene.card('G of the copy')).id, of_copy);
      assert.equal((await scene.card('H of the API')).id, of_api.id);
      // A card that only the copy knew was made again from its event: the copy's own making of it goes into its tray.
      const refusals = scene.copy.violations.filter((text) => !/There is already something with this id/.test(text));
      assert.deepEqual([refusals, scene.copy.violations.length], [[], comes_late ? 1 : 0]);
      assert.equal((await scene.status()).status.health, 'healthy');
    } finally {
      await scene.close();
    }
  });
}

test('backups that are taken while the worker writes are each whole, and one moment of it', async () => {
  const scene = await Scene.open(() => ({}));
  try {
    const card = await scene.make('Counted', '2027-01-01');
    let [told, is_over] = [0, false];
    const writing = (async () => {
      while (!is_over) {
        await scene.change(card.id, { title: `Counted ${told + 1}` });
        told += 1;
      }
    })();
    let last = 0;
    for (let i = 0; i < 12; i += 1) {
      const file = join(scene.folder, `copy-${i}.db`);
      const least = told;
      assert.equal((await scene.run('backup', file)).code, 0);
      assert.equal(integrity(file), 'ok');
      const count = Number(execute(file, `SELECT count(*) FROM ops WHERE document = x'${scene.board}'`));
      const next = Number(execute(file, `SELECT next_seq FROM documents WHERE document = x'${scene.board}'`));
      assert.deepEqual([next - 1, count >= last, count >= least], [count, true, true]);
      last = count;
    }
    is_over = true;
    await writing;
    assert.ok(told > 12, `${told} edits meanwhile`);
  } finally {
    await scene.close();
  }
});

test('a file that is no backup is refused, and nothing has changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kalends-restore-'));
  const run = (...words) => new Promise((resolve) => execFile(kProgram, words, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, text: stdout + stderr })));
  try {
    const data = join(folder, 'data');
    const bad = join(folder, 'bad.db');
    writeFileSync(bad, Buffer.alloc(8192, 'x'));
    const google = await Google.start({});
    const worker = new Worker({ google, data, port: await free_port() });
    await worker.start();
    await worker.api('POST', '/v1/boards', { title: 'Board' });
    const good = join(folder, 'good.db');
    assert.equal((await run('backup', good, '--with-key', '--data-dir', data)).code, 0);
    assert.ok(existsSync(`${good}.key`));
    await worker.stop();
    await google.stop();
    const before = readFileSync(join(data, 'kalends.db'));
    assert.equal((await run('restore', bad, '--data-dir', data)).code, 1);
    // One page of a good one is overwritten.
    const spoilt = readFileSync(good);
    spoilt.fill(0xa5, 4096, 8192);
    writeFileSync(bad, spoilt);
    const refused = await run('restore', bad, '--data-dir', data);
    assert.deepEqual([refused.code, /damaged|malformed/.test(refused.text)], [1, true], refused.text);
    // Somebody has put a trigger into it.
    writeFileSync(bad, readFileSync(good));
    execute(bad, 'CREATE TRIGGER evil AFTER UPDATE ON documents BEGIN DELETE FROM ops; END');
    const foreign = await run('restore', bad, '--data-dir', data);
    assert.deepEqual([foreign.code, /no backup of Kalends/.test(foreign.text)], [1, true], foreign.text);
    assert.ok(readFileSync(join(data, 'kalends.db')).equals(before));
    assert.equal((await run('backup', good, '--data-dir', data)).code, 1, 'a backup replaces nothing');
    // On a fresh machine: the backup and its key are enough.
    const fresh = join(folder, 'fresh');
    const lacking = await run('restore', good, '--data-dir', fresh);
    assert.deepEqual([lacking.code, /--key/.test(lacking.text)], [1, true]);
    assert.equal((await run('restore', good, '--key', `${good}.key`, '--data-dir', fresh)).code, 0);
    assert.ok(readFileSync(join(fresh, 'kalends.key')).equals(readFileSync(join(data, 'kalends.key'))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
