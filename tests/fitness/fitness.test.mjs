// SPDX-License-Identifier: Apache-2.0
// The shape of the project, held by tests: who includes whom, what the core may link to, what the module may import,
// what must not be in the repository.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { maxBuffer: 1 << 26 }).toString().split('\0').filter(Boolean);
const read = (file) => readFileSync(file, 'utf8');
const lines_of = (file) => read(file).split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));

const layers = JSON.parse(read('tests/fitness/layers.json'));
const layer_of = (path) => Object.keys(layers).filter((layer) => dirname(path) === layer || path.startsWith(`${layer}/`)).sort((a, b) => b.length - a.length)[0];

function wrong_includes(path, text) {
  const own = layer_of(path);
  const allowed = layers[own];
  return [...text.matchAll(/^#include "((?:core|wasm|worker|tests)\/[^"]+)"/gm)]
    .map(([, include]) => include)
    .filter((include) => !allowed.includes('*') && layer_of(include) !== own && !allowed.includes(layer_of(include)));
}

test('every file includes only what its layer may', () => {
  const sources = files.filter((file) => /^(core|wasm|worker)\/.*\.(h|cc)$/.test(file));
  assert.ok(sources.length > 100);
  const wrong = sources.flatMap((file) => {
    assert.ok(layer_of(file), `${file} is in no layer of layers.json`);
    return wrong_includes(file, read(file)).map((include) => `${file} includes ${include}`);
  });
  assert.deepEqual(wrong, []);
});

test('a forbidden include is noticed', () => {
  assert.deepEqual(wrong_includes('core/model/x.cc', '#include "core/api/facade.h"\n#include "core/base/id.h"\n'), ['core/api/facade.h']);
  assert.deepEqual(wrong_includes('worker/net/x.cc', '#include "worker/store/store.h"\n'), ['worker/store/store.h']);
});

test('the core includes nothing but the standard library and itself', () => {
  const banned = /^#include <(chrono|ctime|time\.h|random|thread|mutex|atomic|future|iostream|fstream|filesystem|cstdio|stdio\.h|locale|regex|unordered_map|unordered_set|unistd\.h|sys\/)/m;
  for (const file of files.filter((one) => /^core\/.*\.(h|cc)$/.test(one))) {
    assert.doesNotMatch(read(file), banned, file);
    assert.doesNotMatch(read(file), /^#include <[^>]*\/[^>]*>/m, `${file} includes a third-party header`);
    assert.doesNotMatch(read(file), /\b(float|double)\b(?![^\n]*")/, `${file} uses floating point`);
  }
});

// Clocks, entropy, environment, files, sockets, threads, exceptions.
const kBanned = /^(_?_?clock_gettime|gettimeofday|time|localtime.*|gmtime.*|rand|srand|random|getrandom|getentropy|arc4random.*|getenv|secure_getenv|setlocale|fopen.*|open64?|read|write|socket|connect|send|recv|pthread_create|pthread_mutex_lock|__cxa_throw|__cxa_begin_catch|_ZNSt6chrono.*now.*|_ZNSt13random_device.*|printf|puts|fwrite|exit)$/;
const undefined_symbols = (archive) =>
  execFileSync('nm', ['-u', archive], { maxBuffer: 1 << 26 }).toString().split('\n').map((line) => line.trim().split(/\s+/).pop()).filter(Boolean);

test('the core library needs no clock, entropy, input, output, threads or exceptions', () => {
  const symbols = undefined_symbols('build/dev/core/libkalends_core.a');
  assert.ok(symbols.length > 50);
  assert.deepEqual([...new Set(symbols.filter((symbol) => kBanned.test(symbol.replace(/@.*/, ''))))], []);
});

test('the list of banned symbols finds them where they are', () => {
  const symbols = undefined_symbols('build/dev/worker/libkalends_worker.a');
  assert.ok(symbols.some((symbol) => kBanned.test(symbol.replace(/@.*/, ''))));
});

for (const [module, prefix] of [['core', ''], ['reconcile', 'reconcile_']])
  test(`${module}.wasm imports and exports what was reviewed, and nothing else`, () => {
    const compiled = new WebAssembly.Module(readFileSync(`build/wasm/${module}.wasm`));
    assert.deepEqual(WebAssembly.Module.imports(compiled).map(({ module: from, name }) => `${from}.${name}`).sort(), lines_of(`wasm/${prefix}imports.txt`).sort());
    assert.deepEqual(WebAssembly.Module.exports(compiled).map(({ name }) => name).sort(), lines_of(`wasm/${prefix}exports.txt`).sort());
  });

const text_files = files.filter((file) => !/\.(png|svg|ico|woff2?)$/.test(file) && !file.startsWith('tests/corpus/') && file !== 'LICENSE');

test('lock files hold no download addresses', () => {
  const locks = files.filter((file) => file.endsWith('package-lock.json'));
  assert.ok(locks.length > 0);
  for (const lock of locks) assert.doesNotMatch(read(lock), /"resolved"/, lock);
});

test('the repository speaks of the product alone', () => {
  const machine = new RegExp(['/wor' + 'k/', '/ro' + 'ot/', 'registry\\.npm' + 'js', 'deb\\.deb' + 'ian'].join('|'));
  for (const file of text_files) assert.doesNotMatch(read(file), machine, file);
});

test('source files carry the licence', () => {
  for (const file of files.filter((one) => /\.(h|cc|ts|tsx|mjs|sql|py)$/.test(one) && !one.includes('/fixtures/')))
    assert.match(read(file).slice(0, 200), /SPDX-License-Identifier: Apache-2\.0/, file);
});

test('what the README names is there', () => {
  const readme = read('README.md');
  for (const [, target] of readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) assert.ok(files.includes(target), `README names ${target}`);
  for (const [, script] of readme.matchAll(/^ {4}(script\/\w+)/gm)) assert.ok(files.includes(script), `README names ${script}`);
});

test('every table but meta carries the workspace first in its key', () => {
  const schema = files.filter((file) => /worker\/store\/schema\/.*\.sql$/.test(file)).map(read).join('\n');
  const tables = [...schema.matchAll(/CREATE TABLE (\w+) \(([\s\S]*?)\n\)/g)];
  assert.ok(tables.length > 10);
  for (const [, name, body] of tables) {
    if (name === 'meta') continue;
    assert.match(body, /^\s*workspace\s+BLOB NOT NULL/, name);
    assert.match(body, /PRIMARY KEY \(workspace|workspace\s+BLOB NOT NULL PRIMARY KEY/, name);
  }
});
