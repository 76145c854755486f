// SPDX-License-Identifier: Apache-2.0
// Starts a stand-in of its own for a test file and signs people in through Google's client.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { calendar } from '@googleapis/calendar';
import { OAuth2Client } from 'google-auth-library';

const kProgram = process.env.KALENDS_GOOGLE_PROGRAM
  ?? fileURLToPath(new URL('../../build/dev/tests/emulator/kalends-google', import.meta.url));
export const kRedirect = 'http://127.0.0.1:7999/oauth/google/callback';
export const kScopePrefix = 'https://www.googleapis.com/auth/';
export const kAnn = 'ann@example.org';
export const kBob = 'bob@example.org';

export async function start_stand_in(...options) {
  const child = spawn(kProgram, ['--port', '0', '--seed', '7', '--user', kAnn, '--user', kBob, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const first_line = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`kalends-google ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  const { base_url, client_id, client_secret } = JSON.parse(first_line);
  const stand_in = { base_url, client_id, client_secret };

  stand_in.stop = () => new Promise((resolve) => { child.once('exit', resolve); child.kill('SIGTERM'); });

  stand_in.control = async (method, path, body) => {
    const answer = await fetch(`${base_url}/control/${path}`, { method, body: body && JSON.stringify(body) });
    const value = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(value)}`);
    return value;
  };

  stand_in.oauth_client = () => new OAuth2Client({
    clientId: client_id, clientSecret: client_secret, redirectUri: kRedirect,
    endpoints: {
      oauth2AuthBaseUrl: `${base_url}/o/oauth2/v2/auth`, oauth2TokenUrl: `${base_url}/token`,
      oauth2RevokeUrl: `${base_url}/revoke`, tokenInfoUrl: `${base_url}/tokeninfo`,
    },
  });

  // Follows the consent redirect without a browser. The client keeps the tokens.
  stand_in.consent = async (client, { scopes, mail = kAnn, consent = 'all', ...extra }) => {
    const verifier = randomBytes(48).toString('base64url');
    const url = client.generateAuthUrl({
      access_type: 'offline', scope: scopes.map((scope) => (/^(openid|email|profile)$/.test(scope) ? scope : kScopePrefix + scope)),
      login_hint: mail, code_challenge_method: 'S256', code_challenge: createHash('sha256').update(verifier).digest('base64url'), ...extra,
    });
    const answer = await fetch(`${url}&test_consent=${encodeURIComponent(consent)}`, { redirect: 'manual' });
    const location = new URL(answer.headers.get('location'));
    return { code: location.searchParams.get('code'), verifier, location };
  };

  stand_in.sign_in = async (options) => {
    const client = stand_in.oauth_client();
    const { code, verifier } = await stand_in.consent(client, options);
    const { tokens } = await client.getToken({ code, codeVerifier: verifier });
    client.setCredentials(tokens);
    return client;
  };

  stand_in.api = (auth) => calendar({ version: 'v3', auth, rootUrl: `${base_url}/`, retryConfig: { retry: 0, noResponseRetries: 0 } });

  // An API client with full rights and a calendar of its own.
  stand_in.board = async (options = {}) => {
    const auth = await stand_in.sign_in({ scopes: ['openid', 'email', 'calendar'], ...options });
    const api = stand_in.api(auth);
    const { data } = await api.calendars.insert({ requestBody: { summary: 'Board', timeZone: 'Europe/Zurich' } });
    return { auth, api, calendarId: data.id };
  };
  return stand_in;
}

export function timed(summary, id, hour = 10) {
  return {
    ...(id ? { id } : {}), summary,
    start: { dateTime: `2026-12-01T${hour}:00:00+01:00` }, end: { dateTime: `2026-12-01T${hour + 1}:00:00+01:00` },
  };
}

// What an API call was refused with: status and Google's reason.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const body = error.response?.data?.error;
    return { status: error.response?.status ?? error.status, reason: body?.errors?.[0]?.reason ?? body, message: body?.message, code: error.code };
  }
  return { status: 200 };
}

// A webhook receiver; next() gives the message after the last one asked for.
export async function start_receiver(status_of = () => 204) {
  const messages = [], waiting = [];
  const server = http.createServer((request, response) => {
    messages.push({ headers: request.headers, method: request.method, path: request.url });
    response.writeHead(status_of(messages.length)).end();
    waiting.shift()?.();
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  let taken = 0;
  return {
    url: `http://127.0.0.1:${server.address().port}/webhooks/google/calendar`, messages,
    next: async () => {
      while (messages.length <= taken) await new Promise((resolve) => { waiting.push(resolve); });
      taken += 1;
      return messages[taken - 1];
    },
    stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
