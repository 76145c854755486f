// SPDX-License-Identifier: Apache-2.0
// Bundles src into dist: one file for each entry and one for what they share, minified, with source maps. Says how
// large they are.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from '../../web/node_modules/rolldown/dist/index.mjs';

const entries = ['index', 'node', 'low_level', 'react', 'indexeddb', 'broadcast'];
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  external: [/^node:/, 'react'],
  platform: 'neutral',
  logLevel: 'warn',
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  minify: true,
  sourcemap: true,
  chunkFileNames: '[name].js',
  // All that the entries share, in one file beside core.wasm.
  codeSplitting: { groups: [{ name: 'core', test: /src.(?!(?:index|node|low_level|react|indexeddb|broadcast)\.ts)/ }] },
});

// A plain string, as the search of every bundler knows it.
for (const file of ['dist/core.js', 'dist/node.js']) {
  const code = readFileSync(file, 'utf8');
  if (!/[`"]\.\/core\.wasm[`"],import\.meta\.url/.test(code)) throw new Error(`${file} does not name core.wasm`);
  writeFileSync(file, code.replace('`./core.wasm`,', '"./core.wasm",'));
}

let sum = 0;
for (const file of readdirSync('dist').filter((name) => name.endsWith('.js'))) {
  const size = brotliCompressSync(readFileSync(`dist/${file}`)).length;
  sum += size;
  console.log(`${file}: ${size} bytes with brotli`);
}
console.log(`all JavaScript: ${sum} bytes with brotli`);
