// SPDX-License-Identifier: Apache-2.0
// Keeps the page itself for offline use: the shell, the scripts and core.wasm, all of one build. What people wrote
// never passes here; it lives in IndexedDB. The build puts kVersion and kShell before this text.
declare const kVersion: string;
declare const kShell: readonly string[];

const kCacheName = `kalends-${kVersion}`;
const worker = self as unknown as ServiceWorkerGlobalScope;

// A new build waits until no page of the old one is open, or until a page says so: files of two builds never mix.
worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(kCacheName).then((cache) => cache.addAll(kShell.map(uncached))));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(drop_other_caches().then(() => worker.clients.claim()));
});

worker.addEventListener('message', (event) => {
  if ((event.data as { kind?: string }).kind === 'take_over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  const scope = new URL(worker.registration.scope);
  if (url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const key = `./${url.pathname.slice(scope.pathname.length)}`;
  // Everything that is not of the page (the API, the OAuth callback) goes to the network untouched.
  if (kShell.includes(key)) event.respondWith(from_cache(key, request));
});

async function from_cache(key: string, request: Request): Promise<Response> {
  const cache = await caches.open(kCacheName);
  return (await cache.match(key)) ?? fetch(request);
}

async function drop_other_caches(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('kalends-') && name !== kCacheName) await caches.delete(name);
  }
}

function uncached(address: string): Request {
  return new Request(address, { cache: 'reload' });
}
