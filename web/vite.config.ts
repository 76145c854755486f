// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { content_security_policy, service_worker } from './vite_plugins.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react(), content_security_policy(), service_worker(at('src/service_worker.ts'))],
  resolve: {
    alias: [
      // The page holds its documents itself, so it takes the low level alone.
      { find: '@kalends/core', replacement: at('../wasm/package/src/low_level.ts') },
      // Followed by ?url: the file's address in the build, with its hash in the name.
      { find: /^@core\.wasm/, replacement: at('../build/wasm/core.wasm') },
    ],
  },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // Nothing is inlined as a data: address, which the content security policy would refuse.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    fs: { allow: ['..'] },
    // While developing, the worker answers on its usual port.
    proxy: {
      '/v1': { target: process.env['KALENDS_URL'] ?? 'http://127.0.0.1:8787', ws: true },
      '/oauth': process.env['KALENDS_URL'] ?? 'http://127.0.0.1:8787',
    },
  },
  test: {
    environment: 'node',
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/{core,replica,ui}/**/*.test.ts'] } },
      // Needs the built page and a Chromium.
      { extends: true, test: { name: 'browser', include: ['test/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      // Needs the worker and the Google stand-in as well.
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 } },
    ],
  },
});
