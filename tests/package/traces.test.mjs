// SPDX-License-Identifier: Apache-2.0
// core.wasm as it was packed answers in Chromium as the native core does, byte for byte: the random conversations of
// tests/differential, recorded natively and fed to a page; KALENDS_TRACES=100000 for more than 500 of them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kPolicy, launch, make_project, open_page, repository } from './support.mjs';

const traces = Number(process.env.KALENDS_TRACES ?? 500);
const seed = Number(process.env.KALENDS_SEED ?? 1);
// So many traces are recorded at once, and so many are replayed by one page: memory stays bounded.
const kAtOnce = 500;
const kByOnePage = 5000;

const project = await make_project();
const files = {
  '/': ['text/html', '<!doctype html><meta charset="utf-8"><title>Traces</title><script type="module" src="/page.js"></script>'],
  '/page.js': ['text/javascript', `
import { compare, spoil_answer } from './replay.mjs';
const module = await WebAssembly.compileStreaming(fetch('/core.wasm'));
const bytes_of = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
globalThis.replay = async (seed, count, spoilt) =>
  compare(await bytes_of('/traces?' + new URLSearchParams({ seed, count })), module, spoilt === undefined ? undefined : spoil_answer(spoilt));
`],
  '/replay.mjs': ['text/javascript', await readFile(join(repository, 'tests/differential/replay.mjs'))],
  '/core.wasm': ['application/wasm', await readFile(join(project.installed, 'dist/core.wasm'))],
};
const program = process.env.KALENDS_TRACE ?? join(repository, 'build/dev/tests/differential/kalends-trace');
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://here');
  const file = files[pathname];
  const is_record = pathname === '/traces';
  response.writeHead(file || is_record ? 200 : 204, { 'content-type': file?.[0] ?? 'application/octet-stream', 'content-security-policy': kPolicy });
  if (!is_record) return response.end(file?.[1]);
  const recorder = spawn(program, [searchParams.get('seed'), searchParams.get('count')], { stdio: ['ignore', 'pipe', 'inherit'] });
  recorder.on('error', (error) => response.destroy(error));
  recorder.on('exit', (code) => { if (code !== 0) response.destroy(new Error(`kalends-trace ended with ${code}`)); });
  recorder.stdout.pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await launch();
after(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
  await project.remove();
});

const complaints = [];
async function with_page(use) {
  const context = await browser.newContext();
  try {
    const page = await open_page(context, `http://127.0.0.1:${server.address().port}/`, complaints);
    await page.waitForFunction(() => globalThis.replay !== undefined);
    return await use((...call) => page.evaluate((all) => globalThis.replay(...all), call));
  } finally {
    await context.close();
  }
}

test('the native core and core.wasm in Chromium answer alike', async () => {
  let calls = 0;
  let hashes = 0;
  for (let first = 0; first < traces; first += kByOnePage)
    await with_page(async (replay) => {
      for (let done = first; done < Math.min(first + kByOnePage, traces); done += kAtOnce) {
        const record = [seed + done, Math.min(kAtOnce, traces - done)];
        const found = await replay(...record);
        assert.equal(found.differs_at, null, `answer ${found.differs_at} differs: kalends-trace ${record.join(' ')}`);
        calls += found.calls;
        hashes += found.hashes;
      }
    });
  assert.ok(calls > traces * 80, `only ${calls} answers were compared`);
  assert.ok(hashes >= traces * 30, `only ${hashes} hashes were compared`);
  assert.deepEqual(complaints, []);
  console.log(`${traces} traces in Chromium ${browser.version()}, ${calls} answers compared, ${hashes} of them hashes of states`);
});

test('a changed byte in one answer is noticed in Chromium', async () => {
  await with_page(async (replay) => assert.equal((await replay(seed, 1, 20)).differs_at, 20));
});
