// SPDX-License-Identifier: Apache-2.0
// Bundles src into dist: one file for each entry and one for what they share, minified, with source maps. Says how
// large they and the modules are.
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { rolldown } from '../../web/node_modules/rolldown/dist/index.mjs';

const entries = ['index', 'node', 'low_level', 'preview', 'preview_node', 'react', 'indexeddb', 'broadcast'];
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
  codeSplitting: { groups: [{ name: 'core', test: /src.(?!(?:index|node|low_level|preview|preview_node|react|indexeddb|broadcast)\.ts)/ }] },
});

// A plain string, as the search of every bundler knows it.
const modules = { core: ['core', 'node'], reconcile: ['preview', 'preview_node'] };
for (const [module, files] of Object.entries(modules))
  for (const file of files.map((name) => `dist/${name}.js`)) {
    const code = readFileSync(file, 'utf8');
    if (!new RegExp(`[\`"]\\./${module}\\.wasm[\`"],import\\.meta\\.url`).test(code)) throw new Error(`${file} does not name ${module}.wasm`);
    writeFileSync(file, code.replace(`\`./${module}.wasm\`,`, `"./${module}.wasm",`));
  }

let sum = 0;
for (const file of readdirSync('dist').filter((name) => name.endsWith('.js'))) {
  const size = brotliCompressSync(readFileSync(`dist/${file}`)).length;
  sum += size;
  console.log(`${file}: ${size} bytes with brotli`);
}
console.log(`all JavaScript: ${sum} bytes with brotli`);
for (const module of Object.keys(modules)) {
  copyFileSync(`../../build/wasm/${module}.wasm`, `dist/${module}.wasm`);
  console.log(`${module}.wasm: ${brotliCompressSync(readFileSync(`dist/${module}.wasm`)).length} bytes with brotli`);
}
