// SPDX-License-Identifier: Apache-2.0
// The operator's side of the real worker: what breaks is told to a webhook, and what heals. `KALENDS_ALERTS=defaults`
// keeps the default timings, to see that a minute is enough.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Google, Worker, free_port } from './system.mjs';

let google, worker, folder, hook, link;
const alerts = [];
let wake = () => {};

// The next alert, or a failure after a minute.
async function next_alert() {
  const begin = performance.now();
  const timer = setTimeout(() => wake(), 60_000);
  while (alerts.length === 0 && performance.now() - begin < 59_900) await new Promise((resolve) => { wake = resolve; });
  clearTimeout(timer);
  assert.notEqual(alerts.length, 0, 'no alert within a minute');
  return { ...alerts.shift(), seconds: (performance.now() - begin) / 1000 };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kalends-health-'));
  google = await Google.start({});
  hook = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => { text += part; });
    request.on('end', () => {
      alerts.push(JSON.parse(text));
      response.end('{}');
      wake();
    });
  });
  await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const quick = process.env.KALENDS_ALERTS === 'defaults' ? {} : { KALENDS_HEALTH_SECONDS: '1', KALENDS_PROBE_SECONDS: '1' };
  worker = new Worker({
    google, data: join(folder, 'data'), port: await free_port(), poll_seconds: 60,
    environment: { KALENDS_ALERT_WEBHOOK_URL: `http://127.0.0.1:${hook.address().port}/alerts`, KALENDS_LOG_LEVEL: 'error', ...quick },
  });
  await worker.start();
  const account = await worker.connect(google);
  const board = await worker.api('POST', '/v1/boards', { title: 'Health', lists: ['Next'] });
  await worker.api('POST', `/v1/boards/${board.id}/cards`, { list: board.lists[0].id, title: 'Private words', due: { date: '2026-12-01' } });
  link = await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: 'Health' } });
});
after(async () => {
  await worker.stop();
  await google.stop();
  hook.closeAllConnections();
  hook.close();
  rmSync(folder, { recursive: true, force: true });
});

const until_healthy = async () => {
  for (;;) {
    const { healthy } = await worker.api('GET', '/v1/health');
    if (healthy) return;
  }
};

test('a link that works is healthy; the server is alive and ready; metrics name nobody', async () => {
  await until_healthy();
  for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(worker.url + path)).status, 200);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  assert.match(metrics, /^kalends_links_by_health\{health="healthy"\} 1$/m);
  assert.doesNotMatch(metrics, /Private|anna|Health"/);
});

test('a permission that ends is told within a minute, and its renewal too', async (t) => {
  await google.control('POST', 'faults', { kind: 'revoke_user', count: 1 });
  const dead = await next_alert();
  assert.deepEqual([dead.link, dead.health, dead.problems.map(({ code }) => code)], [link.id, 'unhealthy', ['token_dead']]);
  assert.doesNotMatch(JSON.stringify(dead), /Private|anna/);
  assert.equal((await worker.api('GET', '/v1/health')).healthy, false);
  await google.control('DELETE', 'faults');
  await worker.connect(google);
  const healed = await next_alert();
  assert.deepEqual([healed.health, healed.problems], ['healthy', []]);
  t.diagnostic(`told after ${dead.seconds.toFixed(1)} s, healed after ${healed.seconds.toFixed(1)} s`);
});
