// SPDX-License-Identifier: Apache-2.0
// The whole system for end-to-end tests: the real worker and the Google stand-in, each on a free port of this
// machine, with a data folder that goes away afterwards.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const kWorker = process.env['KALENDS_BIN'] ?? at('build/dev/worker/kalends');
const kStandIn = process.env['KALENDS_GOOGLE_BIN'] ?? at('build/dev/tests/emulator/kalends-google');
const kStartMs = 20_000;

export interface System {
  // The page's address, and that of the calendar page.
  address: string;
  google: string;
  token(member: string): Promise<string>;
  // What people see in Google: the events of all calendars, dead ones too.
  events(): Promise<GoogleEvent[]>;
  stop(): Promise<void>;
}

export interface GoogleEvent {
  id: string;
  calendar: string;
  status: string;
  summary?: string;
  start: { date?: string; dateTime?: string };
}

export async function start_system(people: readonly string[]): Promise<System> {
  const data = await mkdtemp(join(tmpdir(), 'kalends-e2e-'));
  const started: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(end));
    await rm(data, { recursive: true, force: true });
  };
  try {
    const stand_in = start(started, kStandIn, ['--port', '0', ...people.flatMap((mail) => ['--user', mail])]);
    const google = JSON.parse(await first_line(stand_in)) as Record<'base_url' | 'client_id' | 'client_secret', string>;
    const environment = {
      ...process.env,
      KALENDS_DATA_DIR: data,
      KALENDS_LISTEN: '127.0.0.1:0',
      KALENDS_WEB_DIR: at('web/dist'),
      KALENDS_POLL_SECONDS: '5',
      KALENDS_GOOGLE_API_URL: google.base_url,
      KALENDS_GOOGLE_AUTH_URL: `${google.base_url}/o/oauth2/v2/auth`,
      KALENDS_GOOGLE_TOKEN_URL: `${google.base_url}/token`,
      KALENDS_GOOGLE_REVOKE_URL: `${google.base_url}/revoke`,
      KALENDS_GOOGLE_CERTS_URL: `${google.base_url}/oauth2/v3/certs`,
      KALENDS_GOOGLE_CLIENT_ID: google.client_id,
      KALENDS_GOOGLE_CLIENT_SECRET: google.client_secret,
    };
    const worker = start(started, kWorker, ['serve'], environment);
    const address = await worker_address(worker, join(data, 'local-server.json'));
    return {
      address,
      google: `${google.base_url}/`,
      token: async (member) => {
        const made = await promisify(execFile)(kWorker, ['token', 'create', '--member', member], { env: environment });
        return made.stdout.trim();
      },
      events: async () => {
        const answer = await fetch(`${google.base_url}/control/state`);
        const { calendars } = (await answer.json()) as { calendars: { id: string; events: GoogleEvent[] }[] };
        return calendars.flatMap(({ id, events }) => events.map((event) => ({ ...event, calendar: id })));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(started: ChildProcess[], program: string, options: string[], env = process.env): ChildProcess {
  const child = spawn(program, options, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.once('error', () => undefined);
  started.push(child);
  return child;
}

function first_line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code} before it said anything`)));
  });
}

// The worker writes where it is reached once it listens.
async function worker_address(worker: ChildProcess, file: string): Promise<string> {
  let said = '';
  worker.stdout!.on('data', (part: Buffer) => (said += part.toString()));
  worker.stderr!.on('data', (part: Buffer) => (said += part.toString()));
  const until = Date.now() + kStartMs;
  while (worker.exitCode === null && Date.now() < until) {
    try {
      const { url } = JSON.parse(await readFile(file, 'utf8')) as { url: string };
      if ((await fetch(`${url}/`)).ok) return `${url}/`;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the worker did not start: ${said.slice(-2000)}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
