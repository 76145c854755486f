// SPDX-License-Identifier: Apache-2.0
// Makes the seeds of tests/corpus from recorded conversations: node tests/fuzz/make_corpus.mjs [SEED] [TRACES]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';

const [seed = '77', traces = '6'] = process.argv.slice(2);
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
const end_of_trace = () => {
  const requests = conversation.map((one) => one.request).filter((one) => one.length < 65536 && !one.includes('open'));
  keep('facade', Buffer.concat(requests.slice(0, 12).flatMap((one) => [Buffer.from([one.length & 255, one.length >> 8]), one])));
  const merges = conversation.filter((one) => one.request.includes('merge'));
  if (merges.length > 0) keep('chunk', byte_string(merges[merges.length - 1].request, 'ops'));
  const last = conversation[conversation.length - 1];
  if (last) {
    keep('snapshot', byte_string(last.answer, 'ok'));
    keep('cbor', conversation[conversation.length - 2].answer);
  }
  conversation = [];
};
while (at < recorded.length) {
  const request = take();
  if (request.length === 0) end_of_trace();
  else conversation.push({ request, answer: take() });
}
end_of_trace();

// Requests for plans, each alone.
recorded = execFileSync('build/dev/tests/differential/kalends-plans', [seed, '1000000', traces], { maxBuffer: 1 << 30 });
at = 0;
while (at < recorded.length) {
  const request = take();
  if (request.length === 0) continue;
  keep('preview', request);
  take();
}
