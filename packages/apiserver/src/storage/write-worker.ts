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
  worker.on('message', (problem: string) => settle(problem === '' ? undefined : new Error(problem)));
  worker.on('error', (error: Error) => {
    dead = error;
    settle(error);
  });
  worker.on('exit', () => {
    dead ??= new Error('the storage thread ended');
    settle(dead);
  });
  const send = (message: (string | number)[] | 'open' | 'close'): Promise<void> =>
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
    write: (batch) => send(flatten(batch)),
    async [Symbol.asyncDispose]() {
      if (!dead) await send('close');
      await worker.terminate();
    },
  };
}

/** Fields of a row in a batch as it goes to the thread: one flat array is the cheapest to hand over. */
const FIELDS_PER_CHANGE = 8;

function flatten({ changes }: WriteBatch): (string | number)[] {
  const flat: (string | number)[] = [];
  for (const { type, row } of changes)
    flat.push(type, row.id, row.resource, row.namespace, row.name, row.revision, row.createRevision, row.body);
  return flat;
}

/**
 * The write-ahead log is written through with zeros before it is used: a sync of blocks that exist need not wait for the
 * file system's journal, and with it for everybody else's data (a tenth of the tail where others write too). SQLite
 * takes a log whose header it does not know for an empty one, and goes round in it after a checkpoint. Checkpoints are
 * made when nothing is asked for a while, and only with much in the log under load.
 */
const WORKER_SOURCE = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { closeSync, fstatSync, openSync, writeSync } = require('node:fs');
const { DatabaseSync } = require('node:sqlite');
const LOG_BYTES = 8 << 20;
const IDLE_MS = 100;
const CHECKPOINT_BYTES = 6 << 20;
const PAGE_BYTES = 4096;
let database, begin, commit, put, remove, bury, setMeta, prune, oldest;
let deletions = 0;
let logged = 0;
let idle;
function open() {
  database = new DatabaseSync(workerData.path);
  database.exec('PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -4000;');
  begin = database.prepare('BEGIN IMMEDIATE');
  commit = database.prepare('COMMIT');
  put = database.prepare('INSERT INTO objects (id, resource, namespace, name, revision, create_revision, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body');
  remove = database.prepare('DELETE FROM objects WHERE id = ?');
  bury = database.prepare('INSERT INTO deletions (revision, id, resource, namespace, name, create_revision, body) VALUES (?, ?, ?, ?, ?, ?, ?)');
  setMeta = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  oldest = database.prepare('SELECT revision FROM deletions ORDER BY revision DESC LIMIT 1 OFFSET ?');
  prune = database.prepare('DELETE FROM deletions WHERE revision <= ?');
  deletions = workerData.keptDeletions;
  fillLog();
}
function fillLog() {
  const file = openSync(workerData.path + '-wal', 'r+');
  try {
    const zeros = Buffer.alloc(1 << 20);
    for (let at = fstatSync(file).size; at < LOG_BYTES; at += zeros.length)
      writeSync(file, zeros, 0, Math.min(zeros.length, LOG_BYTES - at), at);
  } finally {
    closeSync(file);
  }
}
function write(batch) {
  begin.run();
  try {
    for (let i = 0; i < batch.length; i += ${FIELDS_PER_CHANGE}) {
      const id = batch[i + 1];
      if (batch[i] === 'put') {
        put.run(id, batch[i + 2], batch[i + 3], batch[i + 4], batch[i + 5], batch[i + 6], batch[i + 7]);
      } else {
        remove.run(id);
        bury.run(batch[i + 5], id, batch[i + 2], batch[i + 3], batch[i + 4], batch[i + 6], batch[i + 7]);
        deletions++;
      }
      logged += batch[i + 7].length;
    }
    if (deletions >= 1.5 * workerData.keptDeletions) {
      const last = oldest.get(workerData.keptDeletions);
      if (last) {
        prune.run(last.revision);
        setMeta.run('history_start', last.revision);
      }
      deletions = workerData.keptDeletions;
    }
    commit.run();
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  logged += 2 * PAGE_BYTES;
  if (logged < CHECKPOINT_BYTES) return;
  clearTimeout(idle);
  idle = setTimeout(checkpoint, IDLE_MS);
}
function checkpoint() {
  database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  logged = 0;
}
parentPort.on('message', (message) => {
  try {
    if (message === 'open') open();
    else if (message === 'close') {
      clearTimeout(idle);
      database.close();
    } else write(message);
    parentPort.postMessage('');
  } catch (error) {
    parentPort.postMessage(String(error && error.message || error));
  }
});
`;
