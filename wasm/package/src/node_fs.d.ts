// SPDX-License-Identifier: Apache-2.0
// The one thing that src/node.ts needs of Node.
declare module 'node:fs/promises' {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}
