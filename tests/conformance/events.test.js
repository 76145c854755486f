// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kBob, refusal, start_stand_in, timed } from './support.js';

let google, api, calendarId;
before(async () => {
  google = await start_stand_in('--quota-user', '0');
  ({ api, calendarId } = await google.board());
});
after(async () => {
  const { contract_violations } = await google.control('GET', 'stats');
  await google.stop();
  assert.deepEqual(contract_violations, [], 'Google\'s own client sends nothing that the contract does not know');
});

const insert = (id, body = {}, parameters = {}) => api.events.insert({ calendarId, requestBody: { ...timed('Write docs', id), ...body }, ...parameters });

test('insert, get, patch and delete, with etags in body and header', async () => {
  const { data: made, headers } = await insert('crud100', { colorId: '5' }, { sendUpdates: 'none' });
  assert.equal(headers.get('etag'), made.etag);
  const eventId = made.id;
  const { data: patched } = await api.events.patch({ calendarId, eventId, requestBody: { summary: 'Read docs', colorId: null } }, { headers: { 'If-Match': made.etag } });
  assert.equal(patched.summary, 'Read docs');
  assert.equal(patched.colorId, undefined);
  assert.deepEqual((await refusal(api.events.patch({ calendarId, eventId, requestBody: { summary: 'x' } }, { headers: { 'If-Match': made.etag } }))).reason, 'conditionNotMet');
  const removal = await api.events.delete({ calendarId, eventId });
  assert.equal(removal.status, 204);
  assert.deepEqual((({ status, reason }) => ({ status, reason }))(await refusal(api.events.delete({ calendarId, eventId }))), { status: 410, reason: 'deleted' });
  assert.equal((await api.events.get({ calendarId, eventId })).data.status, 'cancelled');
  assert.equal((await refusal(insert('crud100'))).status, 409);
  assert.equal((await refusal(api.events.get({ calendarId, eventId: 'never100' }))).status, 404);
});

test('a read with the current etag is 304', async () => {
  const { data } = await insert('cached100');
  const answer = await api.events.get({ calendarId, eventId: data.id }, { headers: { 'If-None-Match': data.etag }, validateStatus: (status) => status === 304 });
  assert.equal(answer.status, 304);
});

test('an update replaces the whole event', async () => {
  await insert('holes100', { description: 'long', location: 'here' });
  const { data } = await api.events.update({ calendarId, eventId: 'holes100', requestBody: timed('Bare') });
  assert.equal(data.description, undefined);
  assert.equal(data.summary, 'Bare');
});

test('bad ids and times are refused with Google\'s words', async () => {
  assert.equal((await refusal(insert('UPPER100'))).message, 'Invalid resource id value.');
  assert.equal((await refusal(insert('nozone100', { start: { dateTime: '2026-12-01T10:00:00', timeZone: 'Mars/Base' } }))).status, 400);
  assert.equal((await refusal(insert('range100', timed('x', 'range100', 10) && { end: { dateTime: '2026-12-01T09:00:00+01:00' } }))).reason, 'timeRangeEmpty');
});

test('extended properties: long keys vanish, long values are cut, private ones filter lists', async () => {
  const { data } = await insert('props100', { extendedProperties: { private: { card: '42', ['k'.repeat(45)]: 'x', long: 'y'.repeat(2000) } } });
  assert.deepEqual(Object.keys(data.extendedProperties.private).sort(), ['card', 'long']);
  assert.equal(data.extendedProperties.private.long.length, 1024);
  const { data: found } = await api.events.list({ calendarId, privateExtendedProperty: ['card=42'] });
  assert.deepEqual(found.items.map((one) => one.id), ['props100']);
});

test('a series expands, an instance becomes an exception, a cancelled one a hole', async () => {
  const { data: series } = await api.calendars.insert({ requestBody: { summary: 'Series', timeZone: 'Europe/Zurich' } });
  const where = { calendarId: series.id };
  await api.events.insert({
    ...where, requestBody: {
      id: 'serie100', summary: 'Stand-up', recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4', 'EXDATE;TZID=Europe/Zurich:20261222T090000'],
      start: { dateTime: '2026-12-01T09:00:00', timeZone: 'Europe/Zurich' }, end: { dateTime: '2026-12-01T09:15:00', timeZone: 'Europe/Zurich' },
    },
  });
  const instances = async (more = {}) => (await api.events.instances({ ...where, eventId: 'serie100', ...more })).data.items;
  assert.deepEqual((await instances()).map((one) => one.id), ['serie100_20261201T080000Z', 'serie100_20261208T080000Z', 'serie100_20261215T080000Z']);
  await api.events.patch({ ...where, eventId: 'serie100_20261208T080000Z', requestBody: { summary: 'Retro' } });
  await api.events.delete({ ...where, eventId: 'serie100_20261215T080000Z' });
  assert.deepEqual((await instances()).map((one) => one.summary), ['Stand-up', 'Retro']);
  assert.equal((await instances({ showDeleted: true })).length, 3);
  const { data: raw } = await api.events.list(where);
  assert.deepEqual(raw.items.map((one) => [one.id, one.status]), [
    ['serie100', 'confirmed'], ['serie100_20261208T080000Z', 'confirmed'], ['serie100_20261215T080000Z', 'cancelled'],
  ]);
});

test('move, import and quickAdd', async () => {
  await insert('mover100');
  const { data: other } = await api.calendars.insert({ requestBody: { summary: 'Other' } });
  const { data: moved } = await api.events.move({ calendarId, eventId: 'mover100', destination: other.id });
  assert.equal(moved.organizer.email, other.id);
  assert.equal((await api.events.get({ calendarId, eventId: 'mover100' })).data.status, 'cancelled');
  const { data: imported } = await api.events.import({ calendarId, requestBody: { ...timed('From elsewhere'), iCalUID: 'abc@example.net' } });
  assert.match(imported.id, /^_[0-9a-v]+$/);
  const { data: quick } = await api.events.quickAdd({ calendarId, text: 'Lunch 2026-12-24 12:30' });
  assert.equal(quick.summary, 'Lunch');
  assert.equal(quick.start.dateTime, '2026-12-24T12:30:00+01:00');
});

test('calendars, calendar list, rights, colours, settings and free/busy', async () => {
  const { data: made } = await api.calendars.insert({ requestBody: { summary: 'Shared', timeZone: 'Asia/Tokyo' } });
  await api.calendars.patch({ calendarId: made.id, requestBody: { description: 'Team' } });
  await api.calendarList.patch({ calendarId: made.id, colorRgbFormat: true, requestBody: { backgroundColor: '#112233', foregroundColor: '#ffffff' } });
  const { data: entry } = await api.calendarList.get({ calendarId: made.id });
  assert.equal(entry.backgroundColor, '#112233');
  assert.equal(entry.accessRole, 'owner');
  await api.acl.insert({ calendarId: made.id, requestBody: { role: 'reader', scope: { type: 'user', value: kBob } } });
  const bob = google.api(await google.sign_in({ scopes: ['calendar'], mail: kBob }));
  await bob.calendarList.insert({ requestBody: { id: made.id } });
  assert.equal((await refusal(bob.events.insert({ calendarId: made.id, requestBody: timed('No') }))).reason, 'requiredAccessLevel');
  assert.equal((await api.colors.get()).data.event['11'].background, '#dc2127');
  assert.ok((await api.settings.list()).data.items.some((one) => one.id === 'timezone'));
  const { data: busy } = await api.freebusy.query({ requestBody: { timeMin: '2026-12-01T00:00:00Z', timeMax: '2026-12-02T00:00:00Z', items: [{ id: made.id }] } });
  assert.deepEqual(busy.calendars[made.id].busy, []);
  await api.calendars.delete({ calendarId: made.id });
  assert.equal((await refusal(api.events.list({ calendarId: made.id }))).status, 404);
});

test('fields selects, and a person\'s own page shows what the API wrote', async () => {
  const { data } = await api.events.list({ calendarId, fields: 'items(id,summary),nextPageToken', maxResults: 1 });
  assert.deepEqual(Object.keys(data).sort(), ['items', 'nextPageToken']);
  assert.deepEqual(Object.keys(data.items[0]).sort(), ['id', 'summary']);
  const { calendars } = await google.control('GET', `state?calendar=${encodeURIComponent(calendarId)}`);
  assert.ok(calendars[0].events.some((one) => one.id === 'holes100' && one.summary === 'Bare'));
});

test('a batch runs its parts and answers in their order', async () => {
  const token = (await api.context._options.auth.getAccessToken()).token;
  const part = (name, line, body = '') => `--edge\r\nContent-Type: application/http\r\nContent-ID: <${name}>\r\n\r\n${line}\r\n${body ? 'Content-Type: application/json\r\n' : ''}\r\n${body}\r\n`;
  const events = `/calendar/v3/calendars/${encodeURIComponent(calendarId)}/events`;
  const body = `${part('a', `POST ${events}`, JSON.stringify(timed('In a batch', 'batch100')))}${part('b', `GET ${events}/nothing100`)}${part('c', 'GET /calendar/v3/colors?fields=kind')}--edge--`;
  const answer = await fetch(`${google.base_url}/batch/calendar/v3`, { method: 'POST', body, headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/mixed; boundary=edge' } });
  const parts = (await answer.text()).split(`--${answer.headers.get('content-type').split('boundary=')[1]}`).slice(1, -1);
  assert.deepEqual(parts.map((one) => one.match(/<response-(.)>/)[1]), ['a', 'b', 'c']);
  assert.deepEqual(parts.map((one) => Number(one.match(/HTTP\/1\.1 (\d+)/)[1])), [200, 404, 200]);
});
