// SPDX-License-Identifier: Apache-2.0
// What the build adds to Vite: the content security policy of the page, and the service worker with the list of
// files that make the page work offline.
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { transformWithOxc, type Plugin } from 'vite';

// `wasm-unsafe-eval` lets WebAssembly compile and nothing else. Websockets to the page's own host count as 'self'.
const kPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

// Only in the build: the development server injects scripts of its own.
export function content_security_policy(): Plugin {
  return {
    name: 'kalends-content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: kPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

// Writes dist/service_worker.js: the script at `source` with kShell (addresses to keep) and kVersion (their hash).
export function service_worker(source: string): Plugin {
  let folder = '';
  return {
    name: 'kalends-service-worker',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async writeBundle() {
      const files = (await files_in(folder)).filter((file) => file !== 'service_worker.js').sort();
      const hash = createHash('sha256');
      for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
      const shell = files.map((file) => (file === 'index.html' ? './' : `./${file}`));
      const head =
        `const kVersion = ${JSON.stringify(hash.digest('hex').slice(0, 16))};\n` +
        `const kShell = ${JSON.stringify(shell)};\n`;
      const { code } = await transformWithOxc(await readFile(source, 'utf8'), source);
      await writeFile(join(folder, 'service_worker.js'), head + code);
    },
  };
}

async function files_in(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}
