// SPDX-License-Identifier: Apache-2.0
// node limits/limits.mjs     what the work itself costs on this machine; prints one JSON object
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { pack } from './pack.mjs';
import { live_state } from './livestate.mjs';
import { crossings } from './boundary.mjs';

const columns = pack('base10k'), state = live_state('base10k');
const source = new URL('./limits.cpp', import.meta.url).pathname, program = new URL('../results/limits', import.meta.url).pathname;
if (!fs.existsSync(program) || fs.statSync(program).mtimeMs < fs.statSync(source).mtimeMs) execFileSync(process.env.CXX || 'g++', ['-std=c++20', '-O2', '-w', '-o', program, source]);
const store = JSON.parse(execFileSync(program, [columns.file, '9'], { encoding: 'utf8' }));
console.log(JSON.stringify({ columns, state, store, crossings }));
