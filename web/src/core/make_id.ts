// SPDX-License-Identifier: Apache-2.0
import type { Id } from '@kalends/core';

// A new id: 128 bits of the browser's entropy as 32 hex digits.
export function make_id(): Id {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
