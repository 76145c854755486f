// SPDX-License-Identifier: Apache-2.0
// Makes seeds for the targets of the worker: node tests/fuzz/make_worker_corpus.mjs. Each target reads texts or stored
// bytes whose forms are known, so a few of each are enough; `script/fuzz --minimise` keeps those that reach something.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

function keep(target, input) {
  const bytes = Buffer.from(typeof input === 'object' && !Buffer.isBuffer(input) ? JSON.stringify(input) : input);
  mkdirSync(`tests/corpus/${target}`, { recursive: true });
  writeFileSync(`tests/corpus/${target}/${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`, bytes);
}

// Events as the Calendar API shows them: timed, all-day, of a series, moved, private, dead.
const timed = {
  kind: 'calendar#event', id: 'k1', etag: '"1"', status: 'confirmed', summary: '✓ Review', description: 'a\nb', location: 'Room 1',
  colorId: '8', start: { dateTime: '2026-03-29T02:30:00+02:00', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-10-25T02:30:00+01:00', timeZone: 'Europe/Berlin' }, eventType: 'default', sequence: 1,
  extendedProperties: { private: { kalends: 'v1' }, shared: { a: 'b' } }, organizer: { self: true },
};
const events = [
  timed,
  { id: 'k2', summary: 'Fair', colorId: '11', start: { date: '2026-12-01' }, end: { date: '2026-12-03' } },
  { id: 'k3', status: 'cancelled' },
  { id: 'k4', recurrence: ['RRULE:FREQ=DAILY'], start: { date: '2026-12-01' }, end: { date: '2026-12-02' } },
  { id: 'k5', recurringEventId: 'k4', start: { date: '2026-12-01' }, end: { date: '2026-12-02' } },
  { id: 'k6', visibility: 'private', start: { dateTime: '2026-12-01T09:00:00.000Z' }, end: { dateTime: '2026-12-01T10:00:00-08:00' } },
  { id: 'k7', eventType: 'birthday', locked: 'true', sequence: '7', start: { dateTime: '2026-12-01T09:00:00', timeZone: 'No/Where' }, end: { date: '2026-12-01' } },
  { id: 'k8', summary: 'Busy', start: { dateTime: '2026-12-01T23:00:00Z', timeZone: 'Asia/Kolkata' }, end: { dateTime: '2026-12-01T09:00:00Z', timeZone: 'America/New_York' } },
];
for (const event of events) keep('event', event);
keep('event', { kind: 'calendar#events', timeZone: 'America/New_York', accessRole: 'owner', items: [...events, {}, null], nextPageToken: 'p', nextSyncToken: 's' });

for (const text of ['2026-12-01', '2026-12-01T09:00:00Z', '2026-03-29T02:30:00', '2026-10-25T02:30:00.123+01:00', '9999-12-31T23:59:60-23:59', '0001-01-01T00:00:00+14:00'])
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Etc/GMT+12', 'UTC', 'No/Where']) keep('moment', `${text}\n${zone}`);

// Refusals: status, Retry-After, body.
const refused = (reason) => JSON.stringify({ error: { code: 1, errors: [{ domain: 'global', reason }] } });
for (const [status, reason] of [[400, 'invalid'], [400, 'channelIdNotUnique'], [401, 'authError'], [403, 'rateLimitExceeded'], [403, 'quotaExceeded'],
  [404, 'notFound'], [409, 'duplicate'], [409, 'conflict'], [410, 'deleted'], [410, 'fullSyncRequired'], [412, 'conditionNotMet'], [429, 'quotaExceeded']])
  keep('refusal', `${status}\n\n${refused(reason)}`);
const scope = { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }, 7] } };
for (const text of [`403\n\n${JSON.stringify(scope)}`, '503\n120\n<html>', '500\n99999999999999999999\n', '429\nWed, 25 Nov 2026 07:28:00 GMT\n{"error":"x"}', '204\n-1\n']) keep('refusal', text);

keep('oauth', 'state=s&code=4%2Fa&scope=x+y&authuser=0');
keep('oauth', 'error=access_denied&state=s');
keep('oauth', 'state=%C3%BC&code=c%0A&&=');
keep('oauth', { access_token: 'a', expires_in: 3599, token_type: 'Bearer', refresh_token: 'r', id_token: 'i.i.i', scope: 'openid email https://www.googleapis.com/auth/calendar.app.created' });
keep('oauth', { access_token: 'a', expires_in: '99999999' });
for (const error of ['invalid_grant', 'invalid_client', 'redirect_uri_mismatch', 'other']) keep('oauth', { error });

const base64url = (text) => Buffer.from(text).toString('base64url');
const head = JSON.stringify({ alg: 'RS256', kid: 'k1', typ: 'JWT' });
const claims = { iss: 'https://accounts.google.com', aud: 'client', nonce: 'nonce', sub: '1', exp: 1796003600, iat: 1796000000, email: 'a@example.com', email_verified: true };
keep('id_token', `${head}\n${JSON.stringify(claims)}`);
keep('id_token', `${head}\n${JSON.stringify({ ...claims, aud: ['client'], exp: '1796003600', email_verified: 'true' })}`);
keep('id_token', `{"alg":"none","crit":[]}\n${JSON.stringify(claims)}`);
keep('id_token', `${base64url(head)}.${base64url(JSON.stringify(claims))}.AA`);
keep('id_token', { keys: [{ kty: 'RSA', use: 'sig', alg: 'RS256', kid: 'k1', n: base64url(Buffer.alloc(256, 0xc3)), e: 'AQAB' }, { kty: 'EC', kid: 'k2' }, 3] });

for (const text of ['https://www.googleapis.com', 'HTTP://127.0.0.1:8787/a%20b?c=d', 'https://[::1]:8443/', 'http://[::ffff:127.0.0.1]?q', 'https://u@h/#f', 'https://h:0',
  'a=1&b=%C3%A9+x&c', '=&&=%00', '%zz', 'q-_A', '0v', 'deadbeef']) keep('url', text);

for (const text of ['GET /v1/boards?cursor=a%2Fb&limit=5\nBearer t', 'HEAD /v1/boards/b', 'OPTIONS /v1/boards/b', 'PUT /v1/boards', 'POST /v1/boards/b/cards/c/comments',
  'GET /v1/boards/b/cards/c/history', 'GET /v1/boards/%2e%2e', 'GET /v1/boards/%zz', 'GET //', 'GET /?\nbearer ']) keep('route', text);

const [nobody, somebody] = ['0', 'a'].map((digit) => digit.repeat(32));
for (const text of [`${somebody}\n${nobody}.${somebody}.c2VjcmV0`, `${somebody}\n${nobody}.${somebody}.`, `${nobody}\n${nobody}-${somebody}.x`, '\n']) keep('ring', text);

// The whole demo board is slow to mutate: few of each thing will do.
const demo = JSON.parse(readFileSync('tests/fixtures/trello/demo-board.json'));
const actions = demo.actions.slice(0, 3);
const cards = demo.cards.slice(0, 3);
const checklists = demo.checklists.filter(({ idCard }) => cards.some(({ id }) => id === idCard)).slice(0, 1);
keep('trello', { id: demo.id, name: demo.name, lists: [], cards: [] });
keep('trello', { ...demo, cards, checklists, actions });
for (const card of demo.cards.filter((one) => one.attachments?.length || one.customFieldItems?.length || one.dueReminder > 0).slice(0, 4))
  keep('trello', { id: demo.id, name: demo.name, lists: demo.lists, labels: demo.labels, members: demo.members, customFields: demo.customFields, cards: [card] });

const kStored = 'tests/fixtures/bytes/v2';
for (const name of ['pair.observation', 'pair.shadow', 'pair.policy']) keep('pair', readFileSync(`${kStored}/${name}`));

// The entry of tests/worker/engine/run_ledger_test.cc, and what is left alone.
const facet = '0443616c6c010500c0b8020500c2b8020164016c05626173696c';
keep('entry', Buffer.from(`01010102030405060708090a0b0c0d0e0f100443616c6c0101076265636175736501${facet}01${facet.replace('43616c6c', '52696e67')}03223722` +
  `01${facet}${facet}01${facet}01040500c0b8020001000000`, 'hex'));
keep('pair', Buffer.from(`0101${facet}`, 'hex'));

keep('report', { inserts: 1, patches: 2, deletes: 3, card_edits: 4, cards_created: 5 });
keep('report', { inserts: 0, error: { code: 9, message: 'Later.' }, undone_run: 7, asked_by: '0102030405060708090a0b0c0d0e0f10', left: 1 });
keep('report', { deletes: '12', guard: { event_deletions: 12, card_deletions: 0, recent_event_deletions: 3, pairs: 20, reason: 'many', plan: 'p', listing_doubted: true } });

keep('settings', 'poll-seconds = 20\nlisten = "127.0.0.1:2000"\n');
keep('settings', '# all of the server\ndata-dir="data"\nlisten="0.0.0.0:80"\npublic-url="https://example.com/"\nlog-level=debug\nopen-boards=7\n');
keep('settings', 'google-client-id=a\ngoogle-client-secret="b"\ngoogle-api-url=http://localhost:9000/\nbackoff-min-ms=1\nbackoff-max-ms=2\n');
keep('settings', 'listen = "[::1]:0"\nalert-webhook-url="http://[::1]/a?b"\nno-such=1\n[serve]\n');
keep('settings', 'probe-seconds=0\nhealth-seconds=["1"]\nchannel-life-seconds=1e9\n');

// A file of kalends export without and with documents.
const empty_export = { kalends_export: 1, made_by: 'kalends', exported_at: '2026-11-24T10:00:00Z', workspace: { labels: [], members: [], document: null }, boards: [] };
const id = (digit) => digit.repeat(32);
const people = { labels: [{ id: id('1'), name: 'Red', colour: 'tomato' }], members: [{ id: id('2'), name: 'A' }], document: null };
const board_of = (name) => {
  const view = JSON.parse(readFileSync(`${kStored}/board.json`));
  return { id: view.view.id, kind: 'board', state_hash: view.hash, snapshot: '', operations: readFileSync(`${kStored}/${name}.chunk`).toString('base64url'), title: 'Shop', view: {} };
};
keep('export', empty_export);
keep('export', { ...empty_export, workspace: people, boards: [board_of('board')] });
keep('export', { ...empty_export, kalends_export: 2 });
