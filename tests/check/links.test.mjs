// SPDX-License-Identifier: Apache-2.0
// A link through its life, with the real worker and the stand-in: settings that change, permissions that end, cards that
// move house, links that end while somebody looks.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Google, Worker, free_port, pause } from './system.mjs';

let google, worker, account, folder;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kalends-links-'));
  google = await Google.start({});
  worker = new Worker({ google, data: join(folder, 'data'), port: await free_port() });
  await worker.start();
  account = await worker.connect(google);
});
after(async () => {
  await worker.stop();
  await google.stop();
  rmSync(folder, { recursive: true, force: true });
});

const live = async (link) => (await google.events(link.calendar.id)).filter((event) => event.status !== 'cancelled');
const change = (link, body) => worker.api('PATCH', `/v1/links/${link.id}`, body);
const status_of = (promise) => promise.then(() => 200, (error) => error.status);

async function until(what, is_so) {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await is_so()) return;
    await pause(20);
  }
  assert.fail(`waited in vain: ${what}`);
}

async function linked_board(title) {
  const board = await worker.api('POST', '/v1/boards', { title, time_zone: 'Europe/Berlin', lists: ['Next'] });
  const list = board.lists[0].id;
  const card = await worker.api('POST', `/v1/boards/${board.id}/cards`, { list, title: `Card of ${title}`, description: 'words', done: true, due: { date: '2026-12-01' } });
  const link = await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: title } });
  await until('its event', async () => (await live(link)).length === 1);
  return { board: board.id, list, card: card.id, link, path: `/v1/boards/${board.id}/cards/${card.id}` };
}

test('settings that show less take away what events showed, and marks change their place', async () => {
  const { link, path } = await linked_board('Settings');
  await change(link, { settings: { details: 'busy' } });
  await until('busy', async () => (await live(link)).every((event) => event.summary === 'Busy' && (event.description ?? '') === ''));
  await change(link, { settings: { details: 'full', done_mark: 'colour' } });
  await until('full, marked by colour', async () => (await live(link)).every((event) => event.summary === 'Card of Settings' && event.description === 'words' && event.colorId === '8'));
  const card = await worker.api('GET', path);
  assert.deepEqual([card.title, card.done, card.conflicts.length], ['Card of Settings', true, 0]);
});

test('a change that is refused in part changes nothing', async () => {
  const { board, list, link, path } = await linked_board('Parts');
  assert.equal(await status_of(worker.api('PATCH', `/v1/boards/${board}/lists/${list}`, { labels: [] })), 400);
  assert.equal(await status_of(worker.api('PATCH', `/v1/boards/${board}`, { title: 'Half', archived: 'nonsense' })), 400);
  assert.equal(await status_of(change(link, { settings: { duration_minutes: 17 }, state: 'nonsense' })), 400);
  assert.equal(await status_of(change(link, { settings: { inbox_list: '0123456789abcdef0123456789abcdef' } })), 400);
  assert.equal(await status_of(worker.api('PATCH', path, { due: { at: '2026-12-01T10:00:00', zone: 'Mars/Phobos' } })), 400);
  assert.equal((await worker.api('GET', `/v1/boards/${board}`)).title, 'Parts');
  assert.equal((await worker.api('GET', `/v1/links/${link.id}`)).settings.duration_minutes, 60);
});

test('dates that are in order on the card but not as instants still have an event', async () => {
  const { link, path } = await linked_board('Zones');
  await worker.api('PATCH', path, { start: { at: '2026-12-01T10:00:00', zone: 'America/New_York' }, due: { at: '2026-12-01T12:00:00', zone: 'Europe/Berlin' } });
  await until('the end decides', async () => (await live(link)).some((event) => event.end.dateTime === '2026-12-01T12:00:00+01:00'));
  assert.equal((await worker.api('GET', `/v1/links/${link.id}`)).status.last_error, null);
});

test('a card moves to another board with its words, and back, and has one event', async () => {
  const source = await linked_board('Source');
  const target = await linked_board('Target');
  await worker.api('POST', `${source.path}/comments`, { text: 'history' });
  await worker.api('POST', `${source.path}/transfer`, { board: target.board, list: target.list });
  await until('its event has moved', async () => (await live(source.link)).length === 0 && (await live(target.link)).length === 2);
  const moved = await worker.api('GET', `/v1/boards/${target.board}/cards/${source.card}`);
  assert.deepEqual([moved.description, moved.comments.length, moved.conflicts.length], ['words', 1, 0]);
  assert.equal(await status_of(worker.api('GET', source.path)), 404);
  await worker.api('POST', `/v1/boards/${target.board}/cards/${source.card}/transfer`, { board: source.board, list: source.list });
  await until('and back', async () => (await live(source.link)).length === 1 && (await live(target.link)).length === 1);
  assert.deepEqual((await worker.api('GET', source.path)).conflicts, []);
});

test('links whose permission ended go on when it is given again', async () => {
  const { link, path } = await linked_board('Permission');
  await google.control('POST', 'faults', { kind: 'revoke_user', count: 1 });
  await worker.api('PATCH', path, { title: 'Changed meanwhile' });
  await until('broken', async () => (await worker.api('GET', `/v1/links/${link.id}`)).state === 'broken');
  await google.control('DELETE', 'faults');
  await worker.connect(google);
  await until('goes on', async () => (await live(link)).some((event) => event.summary === '✓ Changed meanwhile'));
});

test('a link that is ended while somebody looks at it ends, and its events go', async () => {
  const { link } = await linked_board('End');
  await Promise.all([status_of(worker.api('POST', `/v1/links/${link.id}/sync`, {})), worker.api('DELETE', `/v1/links/${link.id}?events=remove`)]);
  assert.equal((await live(link)).length, 0);
  assert.equal(await status_of(worker.api('GET', `/v1/links/${link.id}`)), 404);
});
