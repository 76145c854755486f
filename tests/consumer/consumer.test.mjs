// SPDX-License-Identifier: Apache-2.0
// The core as C++ users have it: installed into an empty folder that is moved then, found by CMake, built and run; every
// installed header alone; the core inside another project.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

const build = process.env.KALENDS_BUILD ?? 'build/dev';
const compiler = process.env.CXX ?? 'c++';
const folder = mkdtempSync(join(tmpdir(), 'kalends-consumer-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const run = (program, ...all) => {
  try {
    return execFileSync(program, all, { stdio: 'pipe' }).toString();
  } catch (error) {
    throw new Error(`${program} ${all.join(' ')}\n${error.stdout}\n${error.stderr}`);
  }
};

run('cmake', '--install', build, '--prefix', join(folder, 'installed'));
const prefix = join(folder, 'moved');
renameSync(join(folder, 'installed'), prefix);
const installed = readdirSync(prefix, { recursive: true });
const configure = (...more) => run('cmake', '-S', 'tests/consumer/app', '-B', join(folder, 'build'), '-G', 'Ninja', `-DCMAKE_PREFIX_PATH=${prefix}`, ...more);

test('a program finds the core, links it and runs', () => {
  configure();
  run('cmake', '--build', join(folder, 'build'));
  assert.equal(run(join(folder, 'build/app')), 'Call Ben, 1 conflict, the copies are equal\n');
});

test('another minor version is refused', () => {
  assert.throws(() => configure('-DKALENDS_VERSION=0.9'), /compatible with requested version\s+"0\.9"/);
});

test('what is installed is the core, its licence and how to find it, and names no folder of the machine', () => {
  const files = installed.filter((name) => /\.\w+$|LICENSE/.test(name) && !name.endsWith('.h'));
  assert.deepEqual(files.map((name) => name.split('/').at(-1)).sort(), [
    'LICENSE', 'kalends-config-version.cmake', 'kalends-config.cmake', `kalends-targets-${build_type()}.cmake`, 'kalends-targets.cmake', 'libkalends_core.a',
  ].sort());
  for (const name of files.filter((one) => one.endsWith('.cmake'))) assert.ok(!readFileSync(join(prefix, name), 'utf8').includes(resolve('.')), name);
});
const build_type = () => /CMAKE_BUILD_TYPE:\w+=(\w*)/.exec(readFileSync(join(build, 'CMakeCache.txt'), 'utf8'))[1].toLowerCase();

const include = join(prefix, 'include/kalends');

// What the compiler says of a file that includes nothing but this header, twice: it must guard itself too.
async function complaints_of(header) {
  const file = join(folder, `${header.replaceAll('/', '_')}.cc`);
  writeFileSync(file, `#include "${header}"\n#include "${header}"\n`);
  return promisify(execFile)(compiler, ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', include, file]).then(() => '', (error) => error.stderr);
}

test('every installed header compiles alone', async () => {
  const headers = installed.filter((name) => name.endsWith('.h')).map((name) => name.replace(/.*include\/kalends\//, ''));
  assert.ok(headers.length > 50 && headers.every((name) => name.startsWith('core/')), headers.join(' '));
  const wrong = [];
  const lane = async () => { for (let name; (name = headers.pop()); ) wrong.push(await complaints_of(name)); };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  assert.deepEqual(wrong.filter(Boolean), []);
});

test('a header that leans on another one is noticed', async () => {
  writeFileSync(join(include, 'core/planted.h'), '#pragma once\ninline std::string planted() { return {}; }\n');
  assert.match(await complaints_of('core/planted.h'), /string/);
});

test('inside another project the core is there alone, under the same name', () => {
  const source = join(folder, 'other');
  execFileSync('mkdir', [source]);
  writeFileSync(join(source, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.25)\nproject(other LANGUAGES C CXX)\nadd_subdirectory(${resolve('.')} kalends)\nadd_executable(other main.cc)\ntarget_link_libraries(other kalends::core)\n`);
  writeFileSync(join(source, 'main.cc'), '#include "core/base/id.h"\nint main() { return kalends::Id128{}.is_nil() ? 0 : 1; }\n');
  run('cmake', '-S', source, '-B', join(source, 'build'), '-G', 'Ninja');
  run('cmake', '--build', join(source, 'build'), '--target', 'CMakeFiles/other.dir/main.cc.o');
  const targets = run('cmake', '--build', join(source, 'build'), '--target', 'help');
  assert.doesNotMatch(targets, /kalends_worker|core_tests/);
});
