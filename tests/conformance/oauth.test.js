// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, test } from 'node:test';
import { kAnn, kScopePrefix, refusal, start_stand_in } from './support.js';

let google;
before(async () => { google = await start_stand_in(); });
after(() => google.stop());

test('the code flow with PKCE gives tokens that work, and a code works once', async () => {
  const client = google.oauth_client();
  const { code, verifier, location } = await google.consent(client, { scopes: ['openid', 'email', 'calendar'], state: 'a b&c' });
  assert.equal(location.searchParams.get('state'), 'a b&c');
  const { tokens } = await client.getToken({ code, codeVerifier: verifier });
  assert.ok(tokens.refresh_token);
  assert.ok(tokens.expiry_date > Date.now());
  client.setCredentials(tokens);
  const { data } = await google.api(client).calendarList.list();
  assert.equal(data.items[0].primary, true);
  assert.deepEqual((await refusal(client.getToken({ code, codeVerifier: verifier }))).reason, 'invalid_grant');
});

test('a wrong verifier is refused', async () => {
  const client = google.oauth_client();
  const { code } = await google.consent(client, { scopes: ['openid'] });
  assert.equal((await refusal(client.getToken({ code, codeVerifier: 'w'.repeat(60) }))).reason, 'invalid_grant');
});

test('the id_token verifies against the published keys, with our nonce', async () => {
  const client = await google.sign_in({ scopes: ['openid', 'email', 'profile'], nonce: 'n-0S6_WzA2Mj' });
  const { keys } = await (await fetch(`${google.base_url}/oauth2/v3/certs`)).json();
  const certs = Object.fromEntries(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })]));
  const ticket = await client.verifySignedJwtWithCertsAsync(client.credentials.id_token, certs, google.client_id, ['https://accounts.google.com', 'accounts.google.com']);
  const claims = ticket.getPayload();
  assert.equal(claims.email, kAnn);
  assert.equal(claims.nonce, 'n-0S6_WzA2Mj');
  assert.match(claims.sub, /^\d{21}$/);
  const info = await (await fetch(`${google.base_url}/v1/userinfo`, { headers: { authorization: `Bearer ${client.credentials.access_token}` } })).json();
  assert.equal(info.sub, claims.sub);
});

test('old keys stay published when keys rotate', async () => {
  const read = async () => (await (await fetch(`${google.base_url}/oauth2/v3/certs`)).json()).keys.map((key) => key.kid);
  const before_rotation = await read();
  await google.control('POST', 'faults', { kind: 'rotate_keys' });
  const after_rotation = await read();
  assert.equal(after_rotation.length, before_rotation.length + 1);
  assert.ok(before_rotation.every((kid) => after_rotation.includes(kid)));
});

test('the discovery document names endpoints under this address', async () => {
  const document = await (await fetch(`${google.base_url}/.well-known/openid-configuration`)).json();
  assert.equal(document.token_endpoint, `${google.base_url}/token`);
  assert.equal(document.jwks_uri, `${google.base_url}/oauth2/v3/certs`);
});

test('a partial grant shows in the scope string and in the refusals', async () => {
  const client = await google.sign_in({ scopes: ['openid', 'calendar.app.created', 'calendar.calendarlist.readonly'], consent: 'calendar.app.created' });
  const info = await client.getTokenInfo(client.credentials.access_token);
  assert.deepEqual(new Set(info.scopes), new Set(['openid', `${kScopePrefix}calendar.app.created`]));
  assert.deepEqual(await refusal(google.api(client).calendarList.list()), {
    status: 403, reason: 'insufficientPermissions', message: 'Request had insufficient authentication scopes.', code: 403,
  });
});

test('an expired access token is refreshed by the client on its own', async () => {
  const client = await google.sign_in({ scopes: ['calendar'], prompt: 'consent' });
  client.forceRefreshOnFailure = true;
  const old_token = client.credentials.access_token;
  await google.control('POST', 'faults', { kind: 'expire_access_tokens' });
  const { data } = await google.api(client).calendarList.list();
  assert.ok(data.items.length >= 1);
  assert.notEqual(client.credentials.access_token, old_token);
});

test('revoking kills every token of the person', async () => {
  const client = await google.sign_in({ scopes: ['calendar'], prompt: 'consent' });
  const other = await google.sign_in({ scopes: ['calendar'] });
  await client.revokeToken(client.credentials.refresh_token);
  assert.equal((await refusal(client.getAccessToken().then(() => client.refreshAccessToken()))).reason, 'invalid_grant');
  other.credentials.refresh_token = undefined;
  assert.equal((await refusal(google.api(other).calendarList.list())).status, 401);
});

test('the consent page lists people and a box for each scope, and its form completes the flow', async () => {
  const client = google.oauth_client();
  const url = client.generateAuthUrl({ access_type: 'offline', scope: ['openid', `${kScopePrefix}calendar.app.created`, `${kScopePrefix}calendar.events`], state: 's1' });
  const page = await (await fetch(url)).text();
  assert.equal(page.match(/type="checkbox"/g).length, 2);
  const fields = new URLSearchParams([...page.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value.replaceAll('&amp;', '&')]));
  fields.append('user', kAnn);
  fields.append('grant', `${kScopePrefix}calendar.app.created`);
  fields.append('decision', 'allow');
  const answer = await fetch(`${google.base_url}/o/oauth2/v2/auth`, { method: 'POST', body: fields, redirect: 'manual' });
  const location = new URL(answer.headers.get('location'));
  assert.equal(location.searchParams.get('state'), 's1');
  const { tokens } = await client.getToken(location.searchParams.get('code'));
  assert.ok(!tokens.scope.includes('calendar.events'));
});
