// SPDX-License-Identifier: Apache-2.0
// The service worker's life as the page sees it: registered once, and told to take over when a person wants the new
// version.
import { useSyncExternalStore } from 'react';

let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

export function register_service_worker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker
    .register('./service_worker.js')
    .then((registration) => {
      const look = (): void => {
        waiting = registration.waiting;
        for (const listener of listeners) listener();
      };
      look();
      registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
    })
    // Without it the page works all the same while there is a network.
    .catch((error: unknown) => console.warn('kalends: no offline start in this browser', error));
}

export function use_update(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting !== null,
  );
}

// Reloads, with the new version when one is waiting.
export function reload(): void {
  if (waiting === null) return location.reload();
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());
  waiting.postMessage({ kind: 'take_over' });
}
