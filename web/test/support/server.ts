// SPDX-License-Identifier: Apache-2.0
// A server for browser tests of the page alone: the built page, the hub in memory and as much of the REST API as the
// page calls. The whole system is tested elsewhere, with the real worker.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoreDocument, type Command } from '@kalends/core';
import { WebSocketServer } from 'ws';
import type { Account } from '../../src/replica/messages';
import { real_core } from './core';
import { Hub } from './hub';

const kTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

export interface TestServer {
  address: string;
  hub: Hub;
  // Everything that the page asked for by REST: "METHOD path body".
  calls: string[];
  // What a member other than those in browsers does to a document.
  edit(document: string, kind: 'board' | 'workspace', commands: Command[]): void;
  close(): Promise<void>;
}

interface Fake {
  accounts: unknown[];
  links: Record<string, unknown>[];
  has_undone: boolean;
}

const kEntry = {
  id: '7.1',
  run: 7,
  entry: 1,
  at_ms: Date.UTC(2026, 10, 24, 9),
  card: 'c'.repeat(32),
  title: 'Call the printer',
  kind: 'patch_event',
  outcome: 'done',
  by: 'calendar',
  member: null,
  text: 'The card was changed: title "Call the printer" → "Call them". Why: the title was changed in the calendar.',
};

function a_run(fake: Fake): Record<string, unknown> {
  return {
    id: '7',
    run: 7,
    started_ms: Date.UTC(2026, 10, 24, 9),
    finished_ms: Date.UTC(2026, 10, 24, 9),
    inserts: 0,
    patches: 1,
    deletes: 0,
    card_edits: 2,
    cards_created: 0,
    undone_run: null,
    undone_by: fake.has_undone ? 8 : null,
    guard: null,
    error: null,
  };
}

export async function start_server(people: ReadonlyMap<string, Account>): Promise<TestServer> {
  const core = await real_core();
  const hub = new Hub(core, people, () => Date.now());
  const writers = new Map<string, CoreDocument>();
  const edit: TestServer['edit'] = (document, kind, commands) => {
    const writer =
      writers.get(document) ??
      CoreDocument.open(core, { document, kind, replica: 'd'.repeat(32), author: 'd'.repeat(32) });
    writers.set(document, writer);
    writer.merge(Date.now(), hub.document(document, kind).core.since(new Uint8Array()));
    hub.append(document, kind, writer.edit(Date.now(), commands).ops);
  };
  const fake: Fake = { accounts: [], links: [], has_undone: false };
  const calls: string[] = [];

  const http = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!pathname.startsWith('/v1/')) return serve_file(pathname, response);
    let text = '';
    for await (const part of request) text += String(part);
    calls.push(`${request.method} ${pathname}${text && ` ${text}`}`);
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const person = people.get(token);
    const say = (status: number, body?: unknown): void => {
      const type = status >= 400 ? 'application/problem+json' : 'application/json';
      response.writeHead(status, { 'content-type': type }).end(body === undefined ? '' : JSON.stringify(body));
    };
    if (person === undefined) return say(401, { code: 'unauthenticated', title: 'Unknown token' });
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    rest(`${request.method} ${pathname}`, body, searchParams, person, say);
  }

  function rest(
    what: string,
    body: Record<string, unknown>,
    query: URLSearchParams,
    person: Account,
    say: (status: number, body?: unknown) => void,
  ): void {
    const link = fake.links.find((one) => what.includes(String(one['id'])));
    if (what === 'GET /v1/session') {
      const { member, name, ...rest_of } = person;
      return say(200, { member: { id: member, name }, ...rest_of });
    }
    if (what === 'GET /v1/members') {
      return say(200, { items: [...people.values()].map(({ member, name }) => ({ id: member, name })) });
    }
    if (what === 'POST /v1/boards') {
      const id = `${Date.now().toString(16)}`.padStart(32, '9');
      const title = String(body['title']);
      edit(person.workspace_document, 'workspace', [{ do: 'create', type: 'board', id, fields: { title } }]);
      edit(id, 'board', [
        { do: 'set', entity: id, field: 'title', value: title },
        { do: 'set', entity: id, field: 'time_zone', value: String(body['time_zone']) },
      ]);
      return say(201, { id });
    }
    if (what === 'GET /v1/google/accounts') return say(200, { items: fake.accounts });
    if (what === 'POST /v1/google/connect') {
      // Google's page would be here; the person says yes at once.
      fake.accounts = [
        { id: 'a1', email: 'anna@example.org', state: 'connected', scopes: [], can_pick_calendar: body['pick'] === true },
      ];
      return say(200, { url: `${new URL(String(body['return_to']), address()).href}?google=connected` });
    }
    if (what === 'GET /v1/google/accounts/a1/calendars') {
      return say(200, {
        items: [
          { id: 'c1', summary: 'Anna', access_role: 'owner', primary: true },
          { id: 'c2', summary: 'Holidays', access_role: 'reader', primary: false },
        ],
      });
    }
    if (what === 'GET /v1/links') return say(200, { items: fake.links.filter((one) => one['board'] === query.get('board')) });
    if (what === 'POST /v1/links') {
      fake.links.push(new_link(body));
      return say(201, fake.links.at(-1));
    }
    if (link !== undefined && what.endsWith('/sync')) {
      return say(200, {
        writes: 1,
        steps: [
          {
            kind: 'deleted_event',
            card: null,
            title: 'Write the text',
            changes: [{ field: 'dates', before: '2026-12-24', after: 'none' }],
            why: 'its card was archived',
          },
        ],
        deletions: 'abc123',
      });
    }
    if (link !== undefined && what.endsWith('/undo')) {
      if (body['dry_run'] !== true) fake.has_undone = true;
      return say(200, {
        writes: 0,
        run: fake.has_undone ? 8 : null,
        steps: [
          {
            kind: 'changed_event',
            card: null,
            title: 'Call the printer',
            changes: [{ field: 'title', before: '"Call them"', after: '"Call the printer"' }],
            why: 'card and event are as they were',
          },
        ],
        left: [{ kind: 'left_alone', card: null, title: 'Book the room', changes: [], why: 'run 8 has changed it since' }],
      });
    }
    if (link !== undefined && what.endsWith('/runs/7')) return say(200, { ...a_run(fake), entries: [kEntry] });
    if (link !== undefined && what.endsWith('/runs')) return say(200, { items: [a_run(fake)] });
    if (what.startsWith('PATCH') && link !== undefined) {
      Object.assign(link, body['state'] && { state: body['state'] });
      Object.assign(link['settings'] as object, body['settings']);
      return say(200, link);
    }
    if (what.startsWith('POST') && what.endsWith('/approve') && link !== undefined) {
      (link['status'] as Record<string, unknown>)['guard'] = null;
      return say(200, link);
    }
    if (what.startsWith('DELETE') && link !== undefined) {
      fake.links = fake.links.filter((one) => one !== link);
      return say(204);
    }
    if (what.endsWith('/explain')) {
      return say(200, {
        links: [
          {
            link: 'l1',
            calendar: 'Launch',
            event: { start: '2026-12-24', end: '2026-12-25', presence: 'live' },
            last_plan: { reasons: ['the title was changed on the card'] },
            history: [kEntry],
          },
        ],
      });
    }
    return say(404, { code: 'not_found', title: 'There is no such thing' });
  }

  function address(): string {
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  }

  const sockets = new WebSocketServer({ server: http, path: '/v1/live' });
  sockets.on('connection', (socket) => {
    const line = hub.connect((frame) => socket.send(frame));
    socket.on('message', (data: Buffer) => line.receive(new Uint8Array(data)));
    socket.on('close', () => line.close());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    address: address(),
    hub,
    calls,
    edit,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function serve_file(pathname: string, response: ServerResponse): Promise<void> {
  const path = pathname === '/' ? '/index.html' : pathname;
  try {
    const data = await readFile(fileURLToPath(new URL(`../../dist${path}`, import.meta.url)));
    response.writeHead(200, { 'content-type': kTypes[extname(path)] ?? 'application/octet-stream' }).end(data);
  } catch {
    response.writeHead(404).end();
  }
}

function new_link(body: Record<string, unknown>): Record<string, unknown> {
  const create = body['create'] as { summary: string } | undefined;
  return {
    id: `${'7'.repeat(31)}1`,
    board: body['board'],
    account: body['account'],
    calendar: { id: 'c9', summary: create?.summary ?? body['calendar'] },
    state: 'active',
    settings: {
      which: 'all',
      done: 'flag',
      done_mark: 'title',
      duration_minutes: 30,
      details: 'full',
      on_event_deleted: 'unschedule',
      time_zone: 'Europe/Berlin',
      ...(body['settings'] as object),
    },
    status: {
      last_verified_ms: Date.UTC(2026, 10, 24, 9),
      dirty: 0,
      last_error: {
        code: 'forbidden',
        message: 'Google did not let us write to this calendar.',
        what_to_do: 'Connect the account again.',
      },
      guard: {
        deletes: 12,
        cards_losing_date: 0,
        listing_doubted: false,
        plan: 'abc123',
        reason: 'This run would remove 12 events. That is more than a fifth of the calendar.',
      },
      push: true,
      health: 'unhealthy',
      problems: ['guard_stopped', 'pair_stuck'],
    },
  };
}
