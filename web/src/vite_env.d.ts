// SPDX-License-Identifier: Apache-2.0
/// <reference types="vite/client" />
declare module '@core.wasm?url' {
  const address: string;
  export default address;
}
