// SPDX-License-Identifier: Apache-2.0
// The replica on disk: IndexedDB. Operations and snapshots are core's bytes and are stored as they came. A promise
// that resolves means that the data is in the database.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Cursor, DocumentKind, Id, OpId } from '@kalends/core';
import type { RefusedItem } from './messages';

export interface StoredDocument {
  document: Id;
  kind: DocumentKind;
  snapshot: Uint8Array | null;
  cursor: Cursor;
}

export interface StoredOps {
  document: Id;
  ops: Uint8Array;
  // How many edits in it were made here and are not yet confirmed by the server.
  pending: number;
  // The request of the page that asked for this edit, and what it was answered: an edit that is asked for twice,
  // because its first answer got lost with the tab that ran the replica, is made once.
  request?: string;
  created?: readonly (Id | OpId | null)[];
}

interface Schema extends DBSchema {
  identity: { key: Id; value: { replica: Id } };
  documents: { key: Id; value: StoredDocument };
  operations: {
    key: number;
    value: StoredOps;
    indexes: { by_document: Id; by_request: string; by_pending: [number, Id] };
  };
  tray: { key: OpId; value: RefusedItem };
}

export interface LoadedDocument {
  stored: StoredDocument;
  chunks: StoredOps[];
}

// One step of a document, stored whole or not at all.
export interface DocumentChange {
  document: StoredDocument;
  // Forget the operations that are stored: those of this step take their place.
  is_rewritten: boolean;
  append: StoredOps[];
  // The server has all edits that were stored before this step.
  all_confirmed: boolean;
  tray: RefusedItem[];
}

const kSchemaVersion = 1;

export class Storage {
  private constructor(private readonly database_: IDBPDatabase<Schema>) {}

  static async open(name: string): Promise<Storage> {
    const database = await openDB<Schema>(name, kSchemaVersion, {
      upgrade(upgraded) {
        upgraded.createObjectStore('identity');
        upgraded.createObjectStore('documents', { keyPath: 'document' });
        const operations = upgraded.createObjectStore('operations', { autoIncrement: true });
        operations.createIndex('by_document', 'document');
        operations.createIndex('by_request', 'request');
        operations.createIndex('by_pending', ['pending', 'document']);
        upgraded.createObjectStore('tray', { keyPath: 'op' });
      },
    });
    return new Storage(database);
  }

  close(): void {
    this.database_.close();
  }

  // This browser's replica id for `document`; `make` is asked for a new one at first. Each document has its own: a card
  // that moves to another document takes its operations along under their ids.
  async replica_id(document: Id, make: () => Id): Promise<Id> {
    const transaction = this.database_.transaction('identity', 'readwrite');
    const known = await transaction.store.get(document);
    const replica = known?.replica ?? make();
    if (known === undefined) await transaction.store.put({ replica }, document);
    await transaction.done;
    return replica;
  }

  async load(document: Id, kind: DocumentKind): Promise<LoadedDocument> {
    const transaction = this.database_.transaction(['documents', 'operations']);
    const stored = await transaction.objectStore('documents').get(document);
    const chunks = await transaction.objectStore('operations').index('by_document').getAll(document);
    await transaction.done;
    return { stored: stored ?? { document, kind, snapshot: null, cursor: { epoch: 0, seq: 0 } }, chunks };
  }

  // Documents with edits that the server has not confirmed.
  async pending_documents(): Promise<StoredDocument[]> {
    const transaction = this.database_.transaction(['documents', 'operations']);
    const range = IDBKeyRange.lowerBound([1, '']);
    const pending = await transaction.objectStore('operations').index('by_pending').getAll(range);
    const documents = await transaction.objectStore('documents').getAll();
    await transaction.done;
    const ids = new Set(pending.map((chunk) => chunk.document));
    return documents.filter((stored) => ids.has(stored.document));
  }

  async answered(request: string): Promise<readonly (Id | OpId | null)[] | null> {
    const found = await this.database_.getFromIndex('operations', 'by_request', request);
    return found?.created ?? null;
  }

  async apply(change: DocumentChange): Promise<void> {
    const transaction = this.database_.transaction(['documents', 'operations', 'tray'], 'readwrite', {
      durability: 'strict',
    });
    const operations = transaction.objectStore('operations');
    if (change.is_rewritten || change.all_confirmed) {
      let cursor = await operations.index('by_document').openCursor(change.document.document);
      while (cursor !== null) {
        if (change.is_rewritten) await cursor.delete();
        else if (cursor.value.pending > 0) await cursor.update({ ...cursor.value, pending: 0 });
        cursor = await cursor.continue();
      }
    }
    for (const chunk of change.append) await operations.add(chunk);
    await transaction.objectStore('documents').put(change.document);
    for (const item of change.tray) await transaction.objectStore('tray').put(item);
    await transaction.done;
  }

  tray(): Promise<RefusedItem[]> {
    return this.database_.getAll('tray');
  }

  async dismiss(op: OpId): Promise<void> {
    await this.database_.delete('tray', op);
  }
}
