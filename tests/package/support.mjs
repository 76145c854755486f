// SPDX-License-Identifier: Apache-2.0
// What was packed, installed into an empty project, and a Chromium that runs what is made of it under a strict policy.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
export const repository = join(here, '../..');

// An empty project with the tarball installed in it; `files`: name → text; `linked`: packages of these tests.
export async function make_project(files = {}, linked = []) {
  const folder = await mkdtemp(join(tmpdir(), 'kalends-package-'));
  const packed = join(repository, 'build/package');
  const tarballs = (await readdir(packed)).filter((name) => name.endsWith('.tgz'));
  if (tarballs.length !== 1) throw new Error('Run script/build-package first.');
  await writeFile(join(folder, 'package.json'), '{"name":"empty","private":true,"type":"module"}');
  execFileSync('npm', ['install', '--offline', '--no-fund', '--no-audit', '--silent', '--omit=peer', join(packed, tarballs[0])], { cwd: folder, stdio: 'pipe' });
  for (const name of linked) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(join(here, 'node_modules', name), join(folder, 'node_modules', name));
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return {
    folder,
    installed: join(folder, 'node_modules/@kalends/core'),
    import: (name) => import(pathToFileURL(join(folder, 'node_modules/@kalends/core/dist', `${name}.js`))),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

// The examples of the README by what they import: the first is of the main entry.
export async function readme_example(entry = '@kalends/core') {
  const readme = await readFile(join(repository, 'wasm/package/README.md'), 'utf8');
  const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text);
  const code = examples.find((text) => text.includes(`from '${entry}';`));
  // What the comments beside console.log promise.
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  return { code, promised };
}

const kTypes = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
export const kPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";

export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://here').pathname;
    try {
      const body = await readFile(join(folder, path === '/' ? 'index.html' : path));
      response.writeHead(200, { 'content-type': kTypes[extname(path) || '.html'] ?? 'application/octet-stream', 'content-security-policy': kPolicy });
      response.end(body);
    } catch {
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => { server.closeAllConnections(); server.close(); } };
}

export async function launch() {
  return chromium.launch({
    executablePath: process.env['KALENDS_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// A page whose complaints are collected.
export async function open_page(context, address, complaints) {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto(address);
  return page;
}
