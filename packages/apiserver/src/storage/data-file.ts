import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LabError, messageOf } from '@kind-e2e/base';

/** A row as it is written; `body` is the object's JSON. */
export interface StoredRow {
  readonly id: number;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly body: string;
}

/** What the data file holds at start. */
export interface DataFileContent {
  /** The last revision that was given out. */
  readonly revision: number;
  /** All deletions after this revision are in `deletions`. */
  readonly historyStart: number;
  readonly objects: readonly StoredRow[];
  readonly deletions: readonly StoredRow[];
}

/** How many deletions are kept, so that watches resume after a restart without a new list. */
export const KEPT_DELETIONS = 2_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  id INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  revision INTEGER NOT NULL, create_revision INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deletions (
  revision INTEGER PRIMARY KEY, id INTEGER NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, create_revision INTEGER NOT NULL, body TEXT NOT NULL);
`;

/**
 * Makes the file if it is not there, brings back what was committed, and reads all of it. Throws a `LabError` where
 * the file is not a data file, or another server has it open.
 */
export function readDataFile(path: string): DataFileContent {
  mkdirSync(dirname(path), { recursive: true });
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
    database.exec(SCHEMA);
    const meta = new Map(
      database
        .prepare('SELECT key, value FROM meta')
        .all()
        .map((row) => [String(row.key), Number(row.value)]),
    );
    const objects = rowsOf(database, 'SELECT * FROM objects ORDER BY revision');
    const deletions = rowsOf(database, 'SELECT * FROM deletions ORDER BY revision');
    return {
      // Files of before have it as a number of its own. The last change is always among the rows.
      revision: Math.max(meta.get('revision') ?? 0, objects.at(-1)?.revision ?? 0, deletions.at(-1)?.revision ?? 0),
      historyStart: meta.get('history_start') ?? 0,
      objects,
      deletions,
    };
  } catch (error) {
    const locked = /locked|busy/i.test(messageOf(error));
    throw new LabError(
      locked
        ? `another API server has ${path} open`
        : `cannot open the API server's data file ${path}: ${messageOf(error)}`,
      {
        code: locked ? 'DATA_FILE_IN_USE' : 'DATA_FILE_UNREADABLE',
        side: 'user',
        remedy: locked ? 'end the other lab, or choose another data directory' : 'choose another data directory',
        cause: error,
      },
    );
  } finally {
    database?.close();
  }
}

function rowsOf(database: DatabaseSync, query: string): StoredRow[] {
  const rows: StoredRow[] = [];
  for (const row of database.prepare(query).iterate())
    rows.push({
      id: Number(row.id),
      resource: String(row.resource),
      namespace: String(row.namespace),
      name: String(row.name),
      revision: Number(row.revision),
      createRevision: Number(row.create_revision),
      body: String(row.body),
    });
  return rows;
}
