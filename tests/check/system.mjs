// SPDX-License-Identifier: Apache-2.0
// The two programs of the main job, started and stopped, and a person's way to each of them.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const kWorker = process.env.KALENDS_BIN ?? 'build/dev/worker/kalends';
const kStandIn = process.env.KALENDS_GOOGLE_BIN ?? 'build/dev/tests/emulator/kalends-google';

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// `wanted` when it is free, else any free port.
export async function free_port(wanted = 0) {
  const server = createServer();
  const is_open = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(wanted, '127.0.0.1', () => resolve(true)));
  if (!is_open) return free_port();
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// The first line of a program's standard output, as JSON.
function first_line(child, name) {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`${name} ended (${code ?? signal}) before it was ready`)));
    child.once('error', reject);
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
  });
}

function ended(child) {
  if (child === undefined || child.pid === undefined) return Promise.resolve();
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', resolve));
}

async function json_call(method, url, body, headers = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  });
  const text = await response.text();
  const answer = text === '' ? null : JSON.parse(text);
  if (response.status >= 300) {
    const error = new Error(`${method} ${new URL(url).pathname}: ${response.status} ${answer?.detail ?? text.slice(0, 200)}`);
    error.status = response.status;
    throw error;
  }
  return answer;
}

export class Google {
  static async start({ port = 0, user = 'anna@example.org', more_users = [], seed = 1, quiet = true } = {}) {
    const google = new Google();
    google.user = user;
    google.child = spawn(kStandIn, ['--port', String(port), '--seed', String(seed), ...[user, ...more_users].flatMap((one) => ['--user', one])], {
      stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
    });
    Object.assign(google, await first_line(google.child, 'kalends-google'));
    return google;
  }
  control(method, path, body) {
    return json_call(method, `${this.base_url}/control/${path}`, body);
  }
  events_path(calendar) {
    return `people/${encodeURIComponent(this.user)}/calendars/${encodeURIComponent(calendar)}/events`;
  }
  // A person's hand in Google's page.
  make(calendar, event) {
    return this.control('POST', this.events_path(calendar), event);
  }
  change(calendar, id, fields) {
    return this.control('PATCH', `${this.events_path(calendar)}/${id}`, fields);
  }
  remove(calendar, id) {
    return this.control('DELETE', `${this.events_path(calendar)}/${id}`);
  }
  // Every event of the calendar, deleted ones too.
  async events(calendar) {
    const state = await this.control('GET', `state?calendar=${encodeURIComponent(calendar)}`);
    return state.calendars.find((one) => one.id === calendar)?.events ?? [];
  }
  stats() {
    return this.control('GET', 'stats');
  }
  async stop() {
    this.child?.kill('SIGTERM');
    await ended(this.child);
  }
}

export class Worker {
  constructor({ google, data, port, web, poll_seconds = 2, environment = {} }) {
    this.environment = {
      ...process.env,
      KALENDS_DATA_DIR: data,
      KALENDS_LISTEN: `127.0.0.1:${port}`,
      KALENDS_POLL_SECONDS: String(poll_seconds),
      KALENDS_LOG_LEVEL: 'warning',
      KALENDS_GOOGLE_API_URL: google.base_url,
      KALENDS_GOOGLE_AUTH_URL: `${google.base_url}/o/oauth2/v2/auth`,
      KALENDS_GOOGLE_TOKEN_URL: `${google.base_url}/token`,
      KALENDS_GOOGLE_REVOKE_URL: `${google.base_url}/revoke`,
      KALENDS_GOOGLE_CERTS_URL: `${google.base_url}/oauth2/v3/certs`,
      KALENDS_GOOGLE_CLIENT_ID: google.client_id,
      KALENDS_GOOGLE_CLIENT_SECRET: google.client_secret,
      ...(web && existsSync(`${web}/index.html`) ? { KALENDS_WEB_DIR: web } : {}),
      ...environment,
    };
    this.data = data;
    this.kills = 0;
  }
  async start() {
    this.child = spawn(kWorker, ['serve'], { env: this.environment, stdio: ['ignore', 'pipe', 'inherit'] });
    this.url = (await first_line(this.child, 'kalends')).url;
    this.token = readFileSync(`${this.data}/local-token`, 'utf8').trim();
  }
  // The power goes, and comes back.
  async kill_and_restart() {
    this.kills += 1;
    this.child.kill('SIGKILL');
    await ended(this.child);
    await this.start();
  }
  async stop() {
    this.child?.kill('SIGTERM');
    await ended(this.child);
  }
  // Repeated while the worker is away. Repeating is safe: what the check sends sets values or names the new id itself.
  async api(method, path, body) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await json_call(method, this.url + path, body, { Authorization: `Bearer ${this.token}` });
      } catch (error) {
        const had_arrived = attempt > 0 && ((method === 'POST' && error.status === 409) || (method === 'DELETE' && error.status === 404));
        if (had_arrived) return null;
        if (error.status !== undefined) throw error;
        if (attempt > 100) throw new Error(`${method} ${path}: no answer; the worker ${this.child.exitCode ?? this.child.signalCode ?? 'runs'}`);
        await pause(50);
      }
    }
  }
  async all(path) {
    const items = [];
    let cursor = '';
    do {
      const page = await this.api('GET', `${path}${path.includes('?') ? '&' : '?'}limit=500${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next_cursor ?? '';
    } while (cursor !== '');
    return items;
  }
  // Connects the stand-in's person without one: consent is given in the address.
  async connect(google) {
    const { url } = await this.api('POST', '/v1/google/connect', { login_hint: google.user });
    const consent = await fetch(`${url}&test_consent=all`, { redirect: 'manual' });
    await fetch(consent.headers.get('location'), { redirect: 'manual' });
    const account = (await this.api('GET', '/v1/google/accounts')).items.find((one) => one.email === google.user);
    if (!account) throw new Error('The account was not connected.');
    return account.id;
  }
}
