// SPDX-License-Identifier: Apache-2.0
// Makes seeds for tests/corpus from recorded conversations and from the fixtures of the present format:
// node tests/fuzz/make_corpus.mjs [SEED] [TRACES]. `script/fuzz --minimise` keeps those of them that reach something.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [seed = '77', traces = '12'] = process.argv.slice(2);
const kFixtures = 'tests/fixtures/bytes/v2';
let recorded = execFileSync('build/dev/tests/differential/kalends-trace', [seed, traces], { maxBuffer: 1 << 30 });

function keep(target, bytes) {
  if (bytes.length === 0 || bytes.length > 16384) return;
  mkdirSync(`tests/corpus/${target}`, { recursive: true });
  writeFileSync(`tests/corpus/${target}/${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`, bytes);
}

// The byte string behind a text key of a CBOR map, or nothing.
function byte_string(message, key) {
  const at = message.indexOf(Buffer.concat([Buffer.from([0x60 + key.length]), Buffer.from(key)]));
  if (at < 0) return Buffer.alloc(0);
  let head = at + 1 + key.length;
  const lead = message[head++];
  if (lead >> 5 !== 2) return Buffer.alloc(0);
  const info = lead & 31;
  let length = info;
  if (info >= 24) {
    const width = 1 << (info - 24);
    length = message.readUIntBE(head, width);
    head += width;
  }
  return message.subarray(head, head + length);
}

let at = 0;
let conversation = [];
const take = () => {
  const length = recorded.readUInt32LE(at);
  at += 4 + length;
  return recorded.subarray(at - length, at);
};
const pair_of = (first, second) => Buffer.concat([Buffer.from([first.length & 255, first.length >> 8]), first, second]);
const asks = (call) => ({ request }) => request.includes(Buffer.from(call));
const end_of_trace = () => {
  let size = 0;
  const requests = conversation.map((one) => one.request).filter((one) => (size += one.length) < 4096);
  keep('facade', Buffer.concat(requests.flatMap((one) => [Buffer.from([one.length & 255, one.length >> 8]), one])));
  const chunks = conversation.filter(asks('since')).map((one) => byte_string(one.answer, 'ops')).filter((one) => one.length > 0);
  for (const chunk of chunks.slice(-2)) keep('chunk', chunk);
  for (const one of conversation.filter(asks('save')).slice(0, 2)) keep('snapshot', byte_string(one.answer, 'ok'));
  const last = conversation.at(-1);
  if (last) {
    keep('snapshot', byte_string(last.answer, 'ok'));
    keep('cbor', conversation.at(-2).answer);
    for (const call of ['conflicts', 'history', 'blame']) for (const one of conversation.filter(asks(call)).slice(0, 1)) keep('cbor', one.answer);
  }
  conversation = [];
};
while (at < recorded.length) {
  const request = take();
  if (request.length === 0) end_of_trace();
  else conversation.push({ request, answer: take() });
}
end_of_trace();

// What every version must read for ever.
for (const name of readdirSync(kFixtures)) {
  const bytes = readFileSync(`${kFixtures}/${name}`);
  if (name.endsWith('.chunk')) keep('chunk', bytes);
  if (name.endsWith('.saved') || name.endsWith('.snapshot')) keep('snapshot', bytes);
}
const [whole, since, rows] = ['board.chunk', 'board.since.chunk', 'board.rows.chunk'].map((name) => readFileSync(`${kFixtures}/${name}`));
keep('merge', pair_of(whole, Buffer.alloc(0)));
keep('merge', pair_of(since, rows));
keep('merge', pair_of(whole, whole));
keep('merge', pair_of(rows, Buffer.alloc(0)));

// Requests for plans, each alone.
recorded = execFileSync('build/dev/tests/differential/kalends-plans', [seed, '1000000', traces], { maxBuffer: 1 << 30 });
at = 0;
while (at < recorded.length) {
  const request = take();
  if (request.length === 0) continue;
  keep('preview', request);
  take();
}
