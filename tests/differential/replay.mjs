// SPDX-License-Identifier: Apache-2.0
// Gives recorded requests (kalends-trace, kalends-plans) to a module and compares every answer byte for byte. For Node and
// for pages alike.

export class Core {
  constructor(module) {
    this.exports = new WebAssembly.Instance(module, {
      env: { emscripten_notify_memory_growth: () => {} },
      wasi_snapshot_preview1: {
        proc_exit: (code) => {
          throw new Error(`the module ended with ${code}`);
        },
      },
    }).exports;
    this.exports._initialize?.();
  }
  call(request) {
    const { kalends_alloc, kalends_call, kalends_free } = this.exports;
    const pointer = kalends_alloc(request.length);
    new Uint8Array(this.exports.memory.buffer).set(request, pointer);
    const result = kalends_call(pointer, request.length);
    kalends_free(pointer, request.length);
    const length = new DataView(this.exports.memory.buffer).getUint32(result, true);
    const answer = new Uint8Array(this.exports.memory.buffer, result + 4, length).slice();
    kalends_free(result, 4 + length);
    return answer;
  }
}

function are_equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; ++i) if (a[i] !== b[i]) return false;
  return true;
}

const kHash = [0x64, 0x63, 0x61, 0x6c, 0x6c, 0x64, 0x68, 0x61, 0x73, 0x68]; // "call": "hash"
const asks_for_hash = (request) => kHash.every((byte, i) => request[i + 1] === byte);

/**
 * Every request of the record with its answer; `spoil` changes an answer, to see that it is noticed.
 * Gives the number of answers, how many of them are hashes of states, and the first that differs, or null.
 */
export function compare(recorded, module, spoil = (answer) => answer) {
  const view = new DataView(recorded.buffer, recorded.byteOffset, recorded.byteLength);
  let core;
  let at = 0;
  let calls = 0;
  let hashes = 0;
  const take = () => {
    const length = view.getUint32(at, true);
    at += 4 + length;
    return recorded.subarray(at - length, at);
  };
  while (at < recorded.length) {
    const request = take();
    if (request.length === 0) {
      core = new Core(module);
      continue;
    }
    const native_answer = spoil(take(), calls);
    if (!are_equal(core.call(request), native_answer)) return { calls, hashes, differs_at: calls };
    calls += 1;
    if (asks_for_hash(request)) hashes += 1;
  }
  return { calls, hashes, differs_at: null };
}

/** For `spoil`: another last byte in the answer `call`. */
export const spoil_answer = (call) => (answer, at) => {
  if (at !== call) return answer;
  const changed = answer.slice();
  changed[changed.length - 1] ^= 1;
  return changed;
};
