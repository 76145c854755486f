// SPDX-License-Identifier: Apache-2.0
// The main job for a person: the stand-in and the worker, boards linked to new calendars, two addresses.
//   node tests/check/server.mjs [--port N] [--data DIR] [--import FILE]
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Google, Worker, free_port, pause } from './system.mjs';

const { values: options } = parseArgs({
  options: { port: { type: 'string' }, data: { type: 'string', default: 'data/demo' }, import: { type: 'string', default: 'tests/fixtures/trello/demo-board.json' } },
});
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const fail = (text) => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

// A port that was asked for is taken or refused; without one, the usual ports if they are free.
if (options.port !== undefined && !(Number(options.port) > 0 && Number(options.port) < 65_536)) fail(`--port is a number from 1 to 65535, not ${options.port}.`);
const port = options.port === undefined ? await free_port(8787) : Number(options.port);

mkdirSync(options.data, { recursive: true });
const google = await Google.start({ port: await free_port(port + 1), quiet: false });
// What needs a person's eye is shown in the page; that yesterday's calendars are gone does not.
const worker = new Worker({ google, data: options.data, port, web: 'web/dist', environment: { KALENDS_LOG_LEVEL: 'error' } });

let is_stopping = false;
async function stop(code) {
  if (is_stopping) return;
  is_stopping = true;
  await worker.stop();
  await google.stop();
  process.exit(code);
}
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

// The stand-in forgets everything when it ends, so the calendars of an earlier day are gone: boards are linked anew,
// with the settings that they had.
async function link_boards() {
  const account = await worker.connect(google);
  const settings_of = new Map();
  for (const link of await worker.all('/v1/links')) {
    settings_of.set(link.board, link.settings);
    await worker.api('DELETE', `/v1/links/${link.id}`);
  }
  if ((await worker.all('/v1/boards')).length === 0)
    await worker.api('POST', `/v1/import/trello?time_zone=${encodeURIComponent(zone)}`, readFileSync(options.import, 'utf8'));
  const boards = await worker.all('/v1/boards');
  const links = [];
  for (const board of boards) {
    const is_linked_anew = settings_of.has(board.id) || boards.length === 1;
    if (!is_linked_anew || board.archived) continue;
    const [inbox] = (await worker.all(`/v1/boards/${board.id}/lists`)).filter((list) => !list.archived);
    const settings = settings_of.get(board.id) ?? { time_zone: zone, ...(inbox && { inbox_list: inbox.id }) };
    links.push(await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: board.title }, settings }));
  }
  return links;
}

try {
  await worker.start();
  const [link] = await link_boards();
  const calendar = link === undefined ? '' : `?person=${encodeURIComponent(google.user)}&calendar=${encodeURIComponent(link.calendar.id)}&view=month`;
  process.stdout.write(`
  Board      ${worker.url}/#token=${worker.token}
  Calendar   ${google.base_url}/${calendar}

Change either and watch the other follow. Ctrl-C ends both; the boards stay in ${options.data}.
`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  await stop(1);
}
// Ctrl-C reaches all three at once: only who ends without it has ended by itself.
for (const child of [worker.child, google.child])
  child.once('exit', async () => {
    await pause(200);
    if (!is_stopping) process.stderr.write(`${child.spawnfile} has ended by itself.\n`);
    void stop(1);
  });
