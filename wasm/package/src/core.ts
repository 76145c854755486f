// SPDX-License-Identifier: Apache-2.0
// Loads core.wasm without any generated glue and calls it: bytes in, bytes out. The module may ask only for the
// imports listed here; none of them lets it see a clock, entropy, a file or the network.

import { decode_cbor, encode_cbor, type CborMap, type CborValue } from './cbor.js';
import { Room } from './room.js';

export type ErrorCode =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'corrupt'
  | 'unsupported_version'
  | 'clock_skew'
  | 'unauthenticated'
  | 'forbidden'
  | 'rate_limited'
  | 'unavailable'
  | 'cancelled';

/** What core answered instead of a result. The code names the caller's next move; core itself is unharmed. */
export class CoreError extends Error {
  override name = 'CoreError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly retry_after_ms: number,
  ) {
    super(message);
  }
}

/** Core has stopped in the middle of a call by a bug of its own. Its memory cannot be trusted any more: load it anew. */
export class CoreTrap extends Error {
  override name = 'CoreTrap';
}

export interface CoreExports {
  memory: WebAssembly.Memory;
  kalends_room?(numbers: number, text_bytes: number): number;
  kalends_answer?(): number;
  kalends_edit?(handle: number, numbers: number, text_bytes: number): number;
  kalends_merge?(handle: number, text_bytes: number, now_low: number, now_high: number): number;
  kalends_card?(handle: number, ref: number): number;
  kalends_cards?(handle: number): number;
  kalends_ref?(handle: number): number;
  kalends_id?(handle: number, ref: number): number;
  kalends_replica?(handle: number, number: number): number;
  kalends_error?(): number;
  kalends_take?(pointer: number, size: number): void;
  kalends_alloc(size: number): number;
  kalends_free(pointer: number, size: number): void;
  kalends_call(pointer: number, size: number): number;
  _initialize?(): void;
}

export type CoreSource = Response | PromiseLike<Response> | BufferSource | WebAssembly.Module;

// "Bad file descriptor" of WASI: core has no files, so whatever it would print goes nowhere.
const kErrnoBadFile = 8;

const kAllowedImports: Record<string, Record<string, WebAssembly.ImportValue>> = {
  wasi_snapshot_preview1: {
    proc_exit: (code: number) => {
      throw new CoreTrap(`core stopped with code ${code}`);
    },
    fd_close: () => kErrnoBadFile,
    fd_seek: () => kErrnoBadFile,
    fd_write: () => kErrnoBadFile,
  },
  env: {
    emscripten_notify_memory_growth: () => undefined,
  },
};

/**
 * Errors: CoreTrap when the module is not core.wasm or asks for an import that is not allowed; whatever the
 * fetch or the compiler throws otherwise.
 */
export async function load_core(source: CoreSource): Promise<Core> {
  const module = await compile_core(source);
  return core_of(await WebAssembly.instantiate(module, imports_of(module)));
}

/** The same without waiting, from a module that was compiled before: for a fresh start after a CoreTrap. */
export function restart_core(module: WebAssembly.Module): Core {
  return core_of(new WebAssembly.Instance(module, imports_of(module)));
}

function imports_of(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: WebAssembly.Imports = {};
  for (const { module: space, name } of WebAssembly.Module.imports(module)) {
    const value = kAllowedImports[space]?.[name];
    if (value === undefined) throw new CoreTrap(`core asks for the import ${space}.${name}, which is not allowed`);
    (imports[space] ??= {})[name] = value;
  }
  return imports;
}

function core_of(instance: WebAssembly.Instance): Core {
  const exports = instance.exports as unknown as Partial<CoreExports>;
  for (const name of ['memory', 'kalends_alloc', 'kalends_free', 'kalends_call'] as const) {
    if (exports[name] === undefined) throw new CoreTrap(`core does not export ${name}`);
  }
  exports._initialize?.();
  // A plain object: its properties are found faster than those of a module's exports.
  return new Core({ ...exports } as CoreExports);
}

export async function compile_core(source: CoreSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
  const response = await source;
  if (!response.ok) throw new Error(`it could not be fetched: status ${response.status}`);
  const type = response.headers.get('content-type')?.split(';')[0]?.trim();
  if (type === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** A running core.wasm. */
export class Core {
  private stopped_: string | null = null;
  /** @internal Where messages of fast calls are written. */
  readonly room_: Room;

  constructor(
    /** @internal */
    readonly exports_: CoreExports,
  ) {
    this.room_ = new Room(exports_);
  }

  /** One call: the request map must hold "call". Errors: CoreError (an answer), CoreTrap (core is gone). */
  call(request: CborMap): CborValue {
    return this.answer_of(this.exchange(encode_cbor(request)));
  }

  private answer_of(answer: Uint8Array): CborValue {
    const decoded = decode_answer(answer);
    if (!is_map(decoded)) throw new CoreTrap('core answered something that is not a map');
    if (decoded['ok'] !== undefined) return decoded['ok'];
    const error = decoded['error'];
    if (error === undefined || !is_map(error)) throw new CoreTrap('core answered neither ok nor error');
    const retry_after_ms = typeof error['retry_after_ms'] === 'number' ? error['retry_after_ms'] : 0;
    throw new CoreError(String(error['code'] ?? 'invalid') as ErrorCode, String(error['message'] ?? ''), retry_after_ms);
  }

  /** @internal The exports of the fast calls; undefined when this core.wasm has none. */
  get fast_(): CoreExports | undefined {
    return this.exports_.kalends_edit === undefined ? undefined : this.exports_;
  }

  /** @internal One fast call. Errors: CoreTrap. */
  fast_call_(call: () => number): number {
    if (this.stopped_ !== null) throw new CoreTrap(this.stopped_);
    try {
      return call();
    } catch (error) {
      throw this.stop(error);
    }
  }

  /** @internal Throws what the last fast call that gave 0 had to say. */
  fail_(): never {
    this.answer_of(this.take_answer(this.fast_call_(() => this.exports_.kalends_error!())));
    throw new CoreTrap('core failed without a reason');
  }

  /** @internal Gives bytes away to the next `open` that says `taken`. */
  give_(bytes: Uint8Array): void {
    const pointer = this.fast_call_(() => this.exports_.kalends_alloc(bytes.length)) >>> 0;
    if (pointer === 0) throw this.stop(new CoreTrap('core is out of memory'));
    new Uint8Array(this.exports_.memory.buffer).set(bytes, pointer);
    this.exports_.kalends_take!(pointer, bytes.length);
  }

  private stop(error: unknown): CoreTrap {
    this.stopped_ = error instanceof Error ? error.message : String(error);
    return error instanceof CoreTrap ? error : new CoreTrap(this.stopped_, { cause: error });
  }

  private take_answer(result: number): Uint8Array {
    // The memory may have grown and its buffer been replaced during the call: look at it only now.
    const length = new DataView(this.exports_.memory.buffer).getUint32(result, true);
    const answer = new Uint8Array(this.exports_.memory.buffer, result + 4, length).slice();
    this.exports_.kalends_free(result, 4 + length);
    return answer;
  }

  /** Bytes of memory that core has taken from the machine. */
  memory_bytes(): number {
    return this.exports_.memory.buffer.byteLength;
  }

  private exchange(request: Uint8Array): Uint8Array {
    if (this.stopped_ !== null) throw new CoreTrap(this.stopped_);
    try {
      const pointer = this.exports_.kalends_alloc(request.length) >>> 0;
      if (pointer === 0) throw new CoreTrap('core is out of memory');
      new Uint8Array(this.exports_.memory.buffer).set(request, pointer);
      const result = this.exports_.kalends_call(pointer, request.length) >>> 0;
      this.exports_.kalends_free(pointer, request.length);
      if (result === 0) throw new CoreTrap('core gave no answer');
      return this.take_answer(result);
    } catch (error) {
      throw this.stop(error);
    }
  }
}

function decode_answer(answer: Uint8Array): CborValue {
  try {
    return decode_cbor(answer);
  } catch (error) {
    throw new CoreTrap('core answered something that cannot be read', { cause: error });
  }
}

function is_map(value: CborValue): value is CborMap {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}
