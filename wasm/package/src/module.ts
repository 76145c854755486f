// SPDX-License-Identifier: Apache-2.0
// A module of this package that was loaded, and is started anew after a trap. What it is called with is its caller's.

import type { CborMap, CborValue } from './cbor.js';
import { compile_core, CoreError, CoreTrap, load_core, restart_core, type Core, type CoreSource } from './core.js';
import { KalendsError, type KalendsErrorCode } from './errors.js';

/** @internal The module's file and what loads it, for errors. */
export interface ModuleFile {
  readonly name: string;
  readonly loader: string;
}

/** @internal */
export type ModuleSource = CoreSource | PromiseLike<Response | BufferSource>;

/** What all modules of this package have. */
export abstract class LoadedModule {
  /** @internal Rises when the module had to be started anew: what was open in an older one is gone. */
  generation_ = 1;

  /** @internal */
  constructor(
    private readonly file_: ModuleFile,
    private readonly compiled_: WebAssembly.Module,
    /** @internal */
    public core_: Core,
  ) {}

  /** Bytes of memory that it has taken from the machine. */
  get memoryBytes(): number {
    return this.core_.memory_bytes();
  }

  /** @internal Errors: KalendsError only. After a trap the module is fresh and empty, and `generation_` is another. */
  call_(request: CborMap): CborValue {
    try {
      return this.core_.call(request);
    } catch (error) {
      throw this.failed_(error, request['call']);
    }
  }

  /** @internal What a call threw, as the public API says it. After a trap the module is started anew. */
  failed_(error: unknown, call: unknown): KalendsError {
    const { name } = this.file_;
    const { message } = error as Error;
    // RangeError: its stack was used up.
    if (error instanceof CoreTrap || error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      this.core_ = restart_core(this.compiled_);
      ++this.generation_;
      return new KalendsError('trap', `${name} stopped (${message}); nothing was changed. Please report this.`, {
        cause: error,
      });
    }
    if (!(error instanceof CoreError)) return new KalendsError('invalid', message, { cause: error });
    if (message === 'There is no such call.')
      return new KalendsError('unsupported', `This ${name} has no call "${String(call)}": update it.`);
    return new KalendsError(error.code as KalendsErrorCode, message, { cause: error });
  }
}

/** @internal */
export async function start_module<M>(
  { name, loader }: ModuleFile,
  source: ModuleSource,
  make: (compiled: WebAssembly.Module, core: Core) => M,
): Promise<M> {
  try {
    const compiled = await compile_core(await source);
    return make(compiled, await load_core(compiled));
  } catch (error) {
    const message = `${name} could not be loaded (${(error as Error).message}). Give ${loader}() its address or its bytes.`;
    throw new KalendsError('unavailable', message, { cause: error });
  }
}
