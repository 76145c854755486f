// SPDX-License-Identifier: Apache-2.0
// The main job for a person: the stand-in and the worker, a demo board linked to a new calendar, two addresses.
//   node tests/check/server.mjs [--port N] [--data DIR] [--import FILE]
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Google, Worker } from './system.mjs';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '8787' }, data: { type: 'string', default: 'data/demo' }, import: { type: 'string', default: 'tests/fixtures/trello/demo-board.json' } },
});
const port = Number(options.port);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

mkdirSync(options.data, { recursive: true });
const google = await Google.start({ port: port + 1, quiet: false });
const worker = new Worker({ google, data: options.data, port, web: 'web/dist', environment: { KALENDS_LOG_LEVEL: 'warning' } });
await worker.start();

let is_stopping = false;
async function stop() {
  if (is_stopping) return;
  is_stopping = true;
  await worker.stop();
  await google.stop();
  process.exit(0);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

// The stand-in forgets everything when it ends, so a calendar of an earlier day is gone: link the board anew.
const account = await worker.connect(google);
let [board] = await worker.all('/v1/boards');
if (!board) {
  const { readFileSync } = await import('node:fs');
  const imported = await worker.api('POST', `/v1/import/trello?time_zone=${encodeURIComponent(zone)}`, readFileSync(options.import, 'utf8'));
  board = { id: imported.board, title: imported.title };
}
for (const link of await worker.all(`/v1/links?board=${board.id}`)) await worker.api('DELETE', `/v1/links/${link.id}`).catch(() => {});
const [inbox] = (await worker.all(`/v1/boards/${board.id}/lists`)).filter((list) => !list.archived);
const link = await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: board.title }, settings: { inbox_list: inbox.id, time_zone: zone } });

process.stdout.write(`
  Board      ${worker.url}/#token=${worker.token}
  Calendar   ${google.base_url}/?person=${encodeURIComponent(google.user)}&calendar=${encodeURIComponent(link.calendar.id)}&view=month

Change either and watch the other follow. Ctrl-C ends both.
`);
