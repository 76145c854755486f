// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps a workspace in IndexedDB: every transaction is appended as it is made; now and then all is written anew.
 *
 * @packageDocumentation
 */
import type { WorkspaceOptions } from './api_types.js';
import { Workspace } from './workspace.js';

const kStore = 'bytes';
const kCompactAfter = 500;

/** What {@link openPersisted} takes. */
export interface PersistOptions extends WorkspaceOptions {
  /** Of the database; one for each workspace and person. */
  readonly name: string;
  /** How many appended pieces make it write all anew; default 500. */
  readonly compactAfter?: number;
  /** Hears of writes that failed (a full disk, a database that was deleted); the workspace goes on in memory. */
  readonly onError?: (error: unknown) => void;
}

/** A workspace that is kept in IndexedDB. */
export class PersistedWorkspace {
  // The last row that is in the workspace.
  private seen_: number;
  private rows_: number;
  private writes_: Promise<unknown> = Promise.resolve();
  private error_: unknown;
  private readonly stops_: (() => void)[];

  /** @internal */
  constructor(
    /** The workspace itself. */
    readonly workspace: Workspace,
    private readonly database_: IDBDatabase,
    private readonly options_: PersistOptions,
    read: { seen: number; rows: number },
  ) {
    this.seen_ = read.seen;
    this.rows_ = read.rows;
    this.stops_ = [
      workspace.onUpdate((bytes) => this.append(bytes)),
      workspace.onMerge((bytes, from) => {
        if (from !== this) this.append(bytes);
      }),
    ];
  }

  /**
   * Waits until everything that was done before is on the disk.
   *
   * @throws what a write before it failed with, once.
   */
  async flush(): Promise<void> {
    await this.writes_;
    const error = this.error_;
    this.error_ = undefined;
    if (error !== undefined) throw error;
  }

  /** Writes all in one piece, what other tabs have appended meanwhile too. By itself after `compactAfter` appends. */
  compact(): Promise<void> {
    this.write((store) => {
      const range = IDBKeyRange.lowerBound(this.seen_, true);
      const keys = store.getAllKeys(range);
      const rows = store.getAll(range) as IDBRequest<Uint8Array[]>;
      rows.onsuccess = () => {
        try {
          // Own rows are among them: to merge those again does nothing.
          for (const bytes of rows.result) this.workspace.merge(bytes, this);
          const last = (keys.result.at(-1) as number | undefined) ?? this.seen_;
          store.delete(IDBKeyRange.upperBound(last));
          const put = store.add(this.workspace.save());
          put.onsuccess = () => (this.seen_ = put.result as number);
          this.rows_ = 1;
        } catch (error) {
          this.fail(error);
          store.transaction.abort();
        }
      };
    });
    return this.flush();
  }

  /** Waits for the disk and closes the database; the workspace stays open. */
  async close(): Promise<void> {
    for (const stop of this.stops_) stop();
    try {
      await this.flush();
    } finally {
      this.database_.close();
    }
  }

  private append(bytes: Uint8Array): void {
    this.write((store) => void store.add(bytes));
    if (++this.rows_ > (this.options_.compactAfter ?? kCompactAfter)) void this.compact().catch(() => undefined);
  }

  private write(act: (store: IDBObjectStore) => void): void {
    try {
      const transaction = this.database_.transaction(kStore, 'readwrite');
      const done = new Promise<void>((resolve) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => {
          this.fail(transaction.error ?? new Error('The write was given up.'));
          resolve();
        };
      });
      // Transactions of one store come one after the other: the last one to end is the last one begun.
      this.writes_ = done;
      act(transaction.objectStore(kStore));
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.error_ ??= error;
    this.options_.onError?.(error);
  }
}

/**
 * Opens the workspace that the database holds, or begins one in it. Every tab that does so is a copy of its own, with
 * its own replica ids: connect them with `@kalends/core/broadcast`.
 *
 * @throws what IndexedDB throws; KalendsError `corrupt` when the database holds something else.
 */
export async function openPersisted(options: PersistOptions): Promise<PersistedWorkspace> {
  const request = indexedDB.open(options.name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(kStore, { autoIncrement: true });
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  // Somebody deletes the database: let them; writes from then on are told to `onError`.
  database.onversionchange = () => database.close();
  try {
    return await new Promise<PersistedWorkspace>((resolve, reject) => {
      // One transaction: of two tabs that begin at once, the second finds what the first has begun.
      const transaction = database.transaction(kStore, 'readwrite');
      const store = transaction.objectStore(kStore);
      const keys = store.getAllKeys();
      const rows = store.getAll() as IDBRequest<Uint8Array[]>;
      let persisted: PersistedWorkspace | undefined;
      rows.onsuccess = () => {
        try {
          const workspace = Workspace.open(rows.result, options);
          if (rows.result.length === 0) store.add(workspace.save());
          const seen = (keys.result.at(-1) as number | undefined) ?? 0;
          persisted = new PersistedWorkspace(workspace, database, options, { seen, rows: rows.result.length });
        } catch (error) {
          reject(error as Error);
          transaction.abort();
        }
      };
      transaction.oncomplete = () => resolve(persisted!);
      transaction.onabort = () => reject(transaction.error ?? new Error('The database cannot be written.'));
    });
  } catch (error) {
    database.close();
    throw error;
  }
}
