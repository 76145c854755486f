// SPDX-License-Identifier: Apache-2.0
// The worker under load and at rest, beside the stand-in with its default quotas. A benchmark, not a test.
//   node tests/bench/server.mjs [--cards 1000] [--seconds 60] [--rate 50] [--links 1000] [--idle-seconds 330]
//     [--only first_sync|steady_load|idle] [--json]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Google, Worker, free_port, pause } from '../check/system.mjs';

const { values: options } = parseArgs({
  options: {
    cards: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '60' }, rate: { type: 'string', default: '50' },
    links: { type: 'string', default: '1000' }, 'idle-seconds': { type: 'string', default: '330' }, only: { type: 'string', default: '' }, json: { type: 'boolean', default: false },
  },
});
const kAccounts = 20;
const kTicksPerSecond = 100; // of /proc/PID/stat on Linux
const say = (text) => process.stderr.write(`${text}\n`);

const cpu_seconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
};
const memory_mb = (pid, line) => Math.round(Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${line}:\\s+(\\d+)`))[1]) / 102.4) / 10;
const share = (times, part) => {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] * 10) / 10;
};
const calls_of = (stats) => Object.values(stats.api_calls).reduce((sum, count) => sum + count, 0);

// Runs `work` beside a fresh stand-in and a fresh worker.
async function with_system(users, work) {
  const folder = mkdtempSync(join(tmpdir(), 'kalends-bench-'));
  const google = await Google.start({ user: users[0], more_users: users.slice(1) });
  const worker = new Worker({ google, data: join(folder, 'data'), port: await free_port(), poll_seconds: 60 });
  await worker.start();
  try {
    return await work({ google, worker, pid: worker.child.pid });
  } finally {
    await worker.stop();
    await google.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function board_with_cards(worker, title, count) {
  const board = await worker.api('POST', '/v1/boards', { title, time_zone: 'Europe/Berlin', lists: ['Inbox'] });
  const list = board.lists[0].id;
  const cards = [];
  for (let i = 0; i < count; i += 1) {
    const card = await worker.api('POST', `/v1/boards/${board.id}/cards`, { list, title: `Card ${i}`, due: { date: `2026-12-${String(1 + (i % 28)).padStart(2, '0')}` } });
    cards.push(card.id);
  }
  return { id: board.id, list, cards };
}

async function first_sync() {
  const count = Number(options.cards);
  return with_system(['anna@example.org'], async ({ google, worker, pid }) => {
    const account = await worker.connect(google);
    const board = await board_with_cards(worker, 'First', count);
    await google.control('POST', 'stats/reset');
    say(`first sync of ${count} cards, within the quota`);
    const begin = performance.now();
    const cpu = cpu_seconds(pid);
    await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: 'First' } });
    while (!(await worker.api('GET', '/v1/sync')).at_rest) await pause(100);
    const stats = await google.stats();
    return {
      cards: count, seconds: Math.round((performance.now() - begin) / 100) / 10, api_calls: calls_of(stats), writes: stats.writes,
      quota_exceeded: stats.quota_exceeded, cpu_seconds: Math.round((cpu_seconds(pid) - cpu) * 100) / 100, peak_memory_mb: memory_mb(pid, 'VmHWM'),
    };
  });
}

// Half of the edits on boards, half in calendars, spread over the accounts.
async function steady_load() {
  const seconds = Number(options.seconds);
  const rate = Number(options.rate);
  const users = Array.from({ length: kAccounts }, (_, i) => `user${i}@example.org`);
  return with_system(users, async ({ google, worker, pid }) => {
    const pairs = [];
    for (const user of users) {
      const account = await worker.connect({ ...google, user });
      const board = await board_with_cards(worker, user, 10);
      const link = await worker.api('POST', '/v1/links', { board: board.id, account, create: { summary: user } });
      pairs.push({ user, board, calendar: link.calendar.id, events: new Map() });
    }
    while (!(await worker.api('GET', '/v1/sync')).at_rest) await pause(100);
    for (const pair of pairs) for (const event of await google.events(pair.calendar)) pair.events.set(event.extendedProperties.private.kalends.slice(0, 32), event.id);
    say(`${rate} edits a second for ${seconds} s over ${kAccounts} accounts; first a minute's pause, so that the quota's window is empty`);
    await pause(61_000);
    await google.control('POST', 'stats/reset');

    const to_event = [];
    const to_board = [];
    const waiting = new Map(); // event id -> when its card was edited
    let after = (await google.control('GET', 'changes?after=0')).last;
    let is_over = false;
    const watcher = (async () => {
      while (!is_over) {
        const answer = await google.control('GET', `changes?after=${after}&wait_ms=500`);
        for (const change of answer.changes) {
          after = change.seq;
          const begun = waiting.get(change.event_id);
          if (change.by !== 'api' || begun === undefined) continue;
          to_event.push(change.at_ms - begun);
          waiting.delete(change.event_id);
        }
      }
    })();
    const cpu = cpu_seconds(pid);
    const begin = performance.now();
    const running = new Set();
    for (let n = 0; n < seconds * rate; n += 1) {
      const due = begin + (n * 1000) / rate;
      if (performance.now() < due) await pause(due - performance.now());
      const pair = pairs[n % pairs.length];
      const card = pair.board.cards[Math.floor(n / pairs.length) % pair.board.cards.length];
      const event = pair.events.get(card);
      const title = `Edit ${n}`;
      const edit = async () => {
        if (Math.floor(n / pairs.length) % 2 === 0) {
          waiting.set(event, Date.now());
          await worker.api('PATCH', `/v1/boards/${pair.board.id}/cards/${card}`, { title });
        } else {
          const edited = performance.now();
          await google.control('PATCH', `people/${encodeURIComponent(pair.user)}/calendars/${encodeURIComponent(pair.calendar)}/events/${event}`, { summary: title });
          for (;;) {
            if ((await worker.api('GET', `/v1/boards/${pair.board.id}/cards/${card}`)).title === title) break;
            if (performance.now() - edited > 20_000) return;
            await pause(5);
          }
          to_board.push(performance.now() - edited);
        }
      };
      const task = edit().finally(() => running.delete(task));
      running.add(task);
    }
    await Promise.all(running);
    const used = cpu_seconds(pid) - cpu;
    const took = (performance.now() - begin) / 1000;
    await pause(2000);
    is_over = true;
    await watcher;
    const stats = await google.stats();
    return {
      edits: seconds * rate, seconds: Math.round(took), edits_per_second: Math.round((seconds * rate) / took), unseen: seconds * rate - to_event.length - to_board.length,
      to_event_ms: { p50: share(to_event, 0.5), p99: share(to_event, 0.99) }, to_board_ms: { p50: share(to_board, 0.5), p99: share(to_board, 0.99) },
      api_calls: calls_of(stats), quota_exceeded: stats.quota_exceeded, cpu_percent: Math.round((used / took) * 1000) / 10, peak_memory_mb: memory_mb(pid, 'VmHWM'),
    };
  });
}

async function idle() {
  const count = Number(options.links);
  const users = Array.from({ length: kAccounts }, (_, i) => `user${i}@example.org`);
  return with_system(users, async ({ google, worker, pid }) => {
    say(`${count} links over ${kAccounts} accounts`);
    const accounts = [];
    for (const user of users) accounts.push(await worker.connect({ ...google, user }));
    for (let n = 0; n < count; n += 1) {
      const board = await board_with_cards(worker, `Board ${n}`, 1);
      await worker.api('POST', '/v1/links', { board: board.id, account: accounts[n % kAccounts], create: { summary: `Board ${n}` } });
    }
    while (!(await worker.api('GET', '/v1/sync')).at_rest) await pause(500);
    const seconds = Number(options['idle-seconds']); // longer than the five minutes in which every link is polled once
    say(`idle for ${seconds} s`);
    await google.control('POST', 'stats/reset');
    const cpu = cpu_seconds(pid);
    await pause(seconds * 1000);
    const stats = await google.stats();
    return { links: count, seconds, cpu_percent: Math.round(((cpu_seconds(pid) - cpu) / seconds) * 10_000) / 100, memory_mb: memory_mb(pid, 'VmRSS'), api_calls: calls_of(stats), writes: stats.writes };
  });
}

const result = {};
for (const [name, part] of Object.entries({ first_sync, steady_load, idle })) if (options.only === '' || options.only === name) result[name] = await part();
if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else
  for (const [part, figures] of Object.entries(result)) {
    process.stdout.write(`${part.replace('_', ' ')}\n`);
    for (const [name, value] of Object.entries(figures)) process.stdout.write(`  ${name.padEnd(18)} ${typeof value === 'object' ? Object.entries(value).map(([k, v]) => `${k} ${v}`).join(', ') : value}\n`);
  }
