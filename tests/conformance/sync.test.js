// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kAnn, refusal, start_receiver, start_stand_in, timed } from './support.js';

let google, api, calendarId, events;
before(async () => {
  google = await start_stand_in();
  ({ api, calendarId } = await google.board());
  events = `people/${kAnn}/calendars/${encodeURIComponent(calendarId)}/events`;
});
after(() => google.stop());

async function read_all(parameters) {
  const items = [];
  let pageToken, pages = 0;
  for (;;) {
    const { data } = await api.events.list({ calendarId, showDeleted: true, pageToken, ...parameters });
    items.push(...data.items);
    pages += 1;
    if (data.nextSyncToken) return { items, pages, token: data.nextSyncToken };
    pageToken = data.nextPageToken;
  }
}

test('pages end in a sync token, and the token gives what a person and the API changed', async () => {
  for (let i = 0; i < 9; i += 1) await api.events.insert({ calendarId, requestBody: timed(`Card ${i}`, `card10${i}`) });
  await google.control('POST', 'switches', { page_size_max: 4, empty_pages: true });
  const full = await read_all({ maxResults: 2500 });
  assert.equal(full.items.length, 9);
  assert.ok(full.pages >= 3);
  await google.control('PATCH', `${events}/card103`, { summary: 'Edited by hand' });
  await google.control('DELETE', `${events}/card104`);
  await api.events.patch({ calendarId, eventId: 'card105', requestBody: { location: 'Room 4' } });
  const changed = await read_all({ syncToken: full.token });
  assert.deepEqual(changed.items.map((one) => [one.id, one.status]), [['card103', 'confirmed'], ['card104', 'cancelled'], ['card105', 'confirmed']]);
  assert.equal((await read_all({ syncToken: changed.token })).items.length, 0);
});

test('a dead token is 410, a foreign one 400, and a forbidden companion 400', async () => {
  const { token } = await read_all({});
  assert.equal((await refusal(api.events.list({ calendarId, showDeleted: true, syncToken: token, q: 'x' }))).status, 400);
  assert.equal((await refusal(api.events.list({ calendarId, showDeleted: true, syncToken: 'garbled' }))).reason, 'invalid');
  await google.control('POST', 'faults', { kind: 'expire_sync_tokens' });
  const { status, reason } = await refusal(api.events.list({ calendarId, showDeleted: true, syncToken: token }));
  assert.deepEqual({ status, reason }, { status: 410, reason: 'fullSyncRequired' });
});

test('a channel posts sync, then exists for a person\'s edit, until it is stopped', async () => {
  const receiver = await start_receiver();
  try {
    const { data: channel } = await api.events.watch({ calendarId, requestBody: { id: 'channel-1', type: 'web_hook', address: receiver.url, token: 'shared secret' } });
    const first = await receiver.next();
    assert.equal(first.method, 'POST');
    assert.equal(first.headers['x-goog-resource-state'], 'sync');
    assert.equal(first.headers['x-goog-message-number'], '1');
    assert.equal(first.headers['x-goog-channel-token'], 'shared secret');
    assert.equal(first.headers['x-goog-resource-id'], channel.resourceId);
    await google.control('PATCH', `${events}/card100`, { summary: 'Moved by hand' });
    const second = await receiver.next();
    assert.equal(second.headers['x-goog-resource-state'], 'exists');
    assert.ok(Number(second.headers['x-goog-message-number']) > 1);
    assert.equal((await refusal(api.events.watch({ calendarId, requestBody: { id: 'channel-1', type: 'web_hook', address: receiver.url } }))).reason, 'channelIdNotUnique');
    await api.channels.stop({ requestBody: { id: 'channel-1', resourceId: channel.resourceId } });
    assert.equal((await refusal(api.channels.stop({ requestBody: { id: 'channel-1', resourceId: channel.resourceId } }))).status, 404);
    const count = receiver.messages.length;
    await google.control('PATCH', `${events}/card100`, { summary: 'Moved again' });
    await api.events.get({ calendarId, eventId: 'card100' });
    assert.equal(receiver.messages.length, count);
  } finally {
    await receiver.stop();
  }
});

test('a receiver that answers 503 is asked again', async () => {
  const receiver = await start_receiver((number) => (number === 1 ? 503 : 200));
  try {
    await google.control('POST', 'switches', { push_retry_ms: 20 });
    await api.events.watch({ calendarId, requestBody: { id: 'channel-2', type: 'web_hook', address: receiver.url } });
    const first = await receiver.next(), again = await receiver.next();
    assert.equal(again.headers['x-goog-message-number'], first.headers['x-goog-message-number']);
  } finally {
    await receiver.stop();
  }
});

test('plain http beyond this machine is refused', async () => {
  const { status, reason } = await refusal(api.events.watch({ calendarId, requestBody: { id: 'channel-3', type: 'web_hook', address: 'http://example.org/hook' } }));
  assert.deepEqual({ status, reason }, { status: 400, reason: 'push.webhookUrlNotHttps' });
});

test('changes can be waited for', async () => {
  const { last } = await google.control('GET', 'changes?after=1000000');
  const waiting = google.control('GET', `changes?after=${last}&wait_ms=20000`);
  await api.events.patch({ calendarId, eventId: 'card101', requestBody: { summary: 'Seen' } });
  const { changes } = await waiting;
  assert.deepEqual(changes.map(({ event_id, by, kind }) => ({ event_id, by, kind })), [{ event_id: 'card101', by: 'api', kind: 'update' }]);
});

test('an answer can be lost after the commit', async () => {
  await google.control('POST', 'faults', { kind: 'drop_after_commit', match: { method: 'events.insert' } });
  const lost = await refusal(api.events.insert({ calendarId, requestBody: timed('Lost answer', 'lost100') }));
  assert.equal(lost.status, undefined);
  assert.equal((await refusal(api.events.insert({ calendarId, requestBody: timed('Lost answer', 'lost100') }))).status, 409);
});

test('an answer can be held and released, or dropped', async () => {
  await google.control('POST', 'faults', { kind: 'hold_after_commit', match: { method: 'events.insert' }, count: 2 });
  const released = api.events.insert({ calendarId, requestBody: timed('Held', 'held100') });
  const [held] = await google.control('GET', 'held?wait_ms=10000');
  assert.equal(held.method, 'events.insert');
  assert.equal(held.event_id, 'held100');
  assert.equal((await api.events.get({ calendarId, eventId: 'held100' })).data.summary, 'Held');
  await google.control('POST', 'release', { id: held.id });
  assert.equal((await released).data.id, 'held100');
  const dropped = refusal(api.events.insert({ calendarId, requestBody: timed('Held', 'held101') }));
  await google.control('GET', 'held?wait_ms=10000');
  await google.control('POST', 'release', { drop: true });
  assert.equal((await dropped).status, undefined);
  assert.deepEqual(await google.control('GET', 'held'), []);
});

test('a client that goes away ends a held answer', async () => {
  await google.control('POST', 'faults', { kind: 'hold_after_commit', match: { event_id: 'card102' } });
  const gone = new AbortController();
  const waiting = refusal(api.events.patch({ calendarId, eventId: 'card102', requestBody: { summary: 'Nobody waits' } }, { signal: gone.signal }));
  await google.control('GET', 'held?wait_ms=10000');
  gone.abort();
  await waiting;
  for (let i = 0; i < 100 && (await google.control('GET', 'held')).length > 0; i += 1) await google.control('GET', 'changes?after=1000000&wait_ms=100');
  assert.deepEqual(await google.control('GET', 'held'), []);
  assert.equal((await api.events.get({ calendarId, eventId: 'card102' })).data.summary, 'Nobody waits');
});

test('a truncated answer does not parse and an error can come before the write', async () => {
  await google.control('POST', 'faults', { kind: 'truncate', match: { method: 'events.list' } });
  await assert.rejects(api.events.list({ calendarId }));
  await google.control('POST', 'faults', { kind: 'error_before', status: 429, reason: 'rateLimitExceeded', retry_after: 3 });
  const error = await api.events.list({ calendarId }).catch((problem) => problem);
  assert.equal(error.response.headers.get('retry-after'), '3');
});

test('quotas refuse with 403 and slide with the clock', async () => {
  await google.control('POST', 'clock', { advance_ms: 61_000 });
  await google.control('POST', 'switches', { quota_per_user: 3 });
  for (let i = 0; i < 3; i += 1) await api.colors.get();
  const { status, reason } = await refusal(api.colors.get());
  assert.deepEqual({ status, reason }, { status: 403, reason: 'userRateLimitExceeded' });
  await google.control('POST', 'clock', { advance_ms: 61_000 });
  assert.equal((await api.colors.get()).status, 200);
  await google.control('POST', 'switches', { quota_per_user: 600 });
});

test('the app scope reaches only calendars that the app made', async () => {
  const app = google.api(await google.sign_in({ scopes: ['openid', 'calendar.app.created'] }));
  const { data: made } = await app.calendars.insert({ requestBody: { summary: 'Made by the app' } });
  await app.events.insert({ calendarId: made.id, requestBody: timed('Card', 'app100') });
  await app.events.watch({ calendarId: made.id, requestBody: { id: 'channel-app', type: 'web_hook', address: 'http://127.0.0.1:9/' } });
  assert.equal((await refusal(app.events.list({ calendarId: 'primary' }))).reason, 'insufficientPermissions');
  assert.equal((await refusal(app.events.move({ calendarId: made.id, eventId: 'app100', destination: 'primary' }))).status, 403);
  const { id } = await google.control('POST', `people/${kAnn}/calendars`, { summary: 'Made by hand' });
  assert.equal((await refusal(app.events.list({ calendarId: id }))).status, 403);
});

test('what is outside the contract is refused and reported', async () => {
  const token = (await api.context._options.auth.getAccessToken()).token;
  const answer = await fetch(`${google.base_url}/calendar/v3/calendars/primary/events?maxResult=1`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 400);
  const { contract_violations } = await google.control('GET', 'stats');
  assert.match(contract_violations.at(-1).problem, /maxResult/);
});
