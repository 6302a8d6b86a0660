import { Worker } from 'node:worker_threads';
import type { StoredRow } from './data-file.ts';

/** One change of the data file. */
export type RowChange =
  | { readonly type: 'put'; readonly row: StoredRow }
  /** Takes the row away and keeps its last state (with the revision of the deletion) as a deletion. */
  | { readonly type: 'delete'; readonly row: StoredRow };

/** Changes that become durable together. */
export interface WriteBatch {
  readonly changes: readonly RowChange[];
  /** The last revision of the batch. */
  readonly revision: number;
}

/** Makes batches durable, one after the other. */
export interface BatchWriter extends AsyncDisposable {
  /** Resolves when the batch is on disk; rejects when none of it is. */
  write(batch: WriteBatch): Promise<void>;
}

/** For a server that keeps nothing: done on the next turn of the event loop. */
export function createVolatileWriter(): BatchWriter {
  return {
    write: () => new Promise((resolve) => setImmediate(resolve)),
    [Symbol.asyncDispose]: async () => {},
  };
}

/**
 * Writes to SQLite (WAL, synchronous FULL) in a thread of its own, so that the event loop works on while the disk
 * syncs. The thread's source is a string, because a bundle has no second file to load.
 */
export async function createSqliteWriter(path: string, keptDeletions: number): Promise<BatchWriter> {
  const worker = new Worker(WORKER_SOURCE, {
    eval: true,
    workerData: { path, keptDeletions },
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
  });
  worker.unref();
  let waiting: { resolve(): void; reject(error: Error): void } | undefined;
  const settle = (failure: Error | undefined): void => {
    const current = waiting;
    waiting = undefined;
    worker.unref();
    if (failure) current?.reject(failure);
    else current?.resolve();
  };
  let dead: Error | undefined;
  worker.on('message', (answer: { error?: string }) => settle(answer.error ? new Error(answer.error) : undefined));
  worker.on('error', (error: Error) => {
    dead = error;
    settle(error);
  });
  worker.on('exit', () => {
    dead ??= new Error('the storage thread ended');
    settle(dead);
  });
  const send = (message: WriteBatch | 'open' | 'close'): Promise<void> =>
    new Promise((resolve, reject) => {
      if (dead) {
        reject(dead);
        return;
      }
      waiting = { resolve, reject };
      worker.ref();
      worker.postMessage(message);
    });
  await send('open');
  return {
    write: (batch) => send(batch),
    async [Symbol.asyncDispose]() {
      if (!dead) await send('close');
      await worker.terminate();
    },
  };
}

const WORKER_SOURCE = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { DatabaseSync } = require('node:sqlite');
let database, put, remove, bury, setMeta, prune, oldest;
let deletions = 0;
function open() {
  database = new DatabaseSync(workerData.path);
  database.exec('PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -4000;');
  put = database.prepare('INSERT INTO objects (id, resource, namespace, name, revision, create_revision, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body');
  remove = database.prepare('DELETE FROM objects WHERE id = ?');
  bury = database.prepare('INSERT INTO deletions (revision, id, resource, namespace, name, create_revision, body) VALUES (?, ?, ?, ?, ?, ?, ?)');
  setMeta = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  oldest = database.prepare('SELECT revision FROM deletions ORDER BY revision DESC LIMIT 1 OFFSET ?');
  prune = database.prepare('DELETE FROM deletions WHERE revision <= ?');
  deletions = workerData.keptDeletions;
}
function write(batch) {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const { type, row } of batch.changes) {
      if (type === 'put') {
        put.run(row.id, row.resource, row.namespace, row.name, row.revision, row.createRevision, row.body);
      } else {
        remove.run(row.id);
        bury.run(row.revision, row.id, row.resource, row.namespace, row.name, row.createRevision, row.body);
        deletions++;
      }
    }
    if (deletions >= 1.5 * workerData.keptDeletions) {
      const last = oldest.get(workerData.keptDeletions);
      if (last) {
        prune.run(last.revision);
        setMeta.run('history_start', last.revision);
      }
      deletions = workerData.keptDeletions;
    }
    setMeta.run('revision', batch.revision);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
parentPort.on('message', (message) => {
  try {
    if (message === 'open') open();
    else if (message === 'close') database.close();
    else write(message);
    parentPort.postMessage({});
  } catch (error) {
    parentPort.postMessage({ error: String(error && error.message || error) });
  }
});
`;
