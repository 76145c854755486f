// SPDX-License-Identifier: Apache-2.0
// SQLite's own program on a database file that nobody has open.
import { execFileSync } from 'node:child_process';

export const execute = (path, sql) => execFileSync('sqlite3', [path, sql], { encoding: 'utf8' }).trim();

// "ok", or what is damaged.
export const integrity = (path) => execute(path, 'PRAGMA integrity_check; PRAGMA foreign_key_check;');
