// SPDX-License-Identifier: Apache-2.0
// What src/node.ts needs of Node.
declare module 'node:fs/promises' {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}
declare module 'node:crypto' {
  export const webcrypto: Crypto;
}
