import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';

export interface DatabaseOptions {
  readonly path: string;
  /** Run once on an empty file; `user_version` tells. */
  readonly schema: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One SQLite file with sealed data. A file that is no database any more is put aside under another name, with a
 * warning; a file with damaged pages is used as far as it can be read.
 */
export class Database implements Disposable {
  readonly #options: DatabaseOptions;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #warned = false;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    mkdirSync(dirname(options.path), { recursive: true });
    this.#db = this.#open();
  }

  #open(): DatabaseSync {
    try {
      return openFile(this.#options);
    } catch (error) {
      const aside = `${this.#options.path}.damaged-${this.#options.clock.now()}`;
      this.#options.logger.warn('a telemetry file is damaged and was put aside; a new one begins', {
        path: this.#options.path,
        aside,
        error,
      });
      for (const suffix of ['', '-wal', '-shm']) {
        try {
          renameSync(this.#options.path + suffix, aside + suffix);
        } catch {
          // That one was not there.
        }
      }
      return openFile(this.#options);
    }
  }

  get path(): string {
    return this.#options.path;
  }

  /** A prepared statement, kept. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** All or nothing, on disk when it returns. Throws what SQLite throws, a full disk included. */
  transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself.
      }
      throw error;
    }
  }

  /** Rows, or none where the pages that hold them cannot be read; the first such failure is warned of. */
  read(work: () => readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
    try {
      return work();
    } catch (error) {
      if (this.#closed) throw error;
      this.warnDamage(error);
      return [];
    }
  }

  warnDamage(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.logger.warn('a part of a telemetry file cannot be read; answers leave it out', {
      path: this.#options.path,
      error: messageOf(error),
    });
  }

  /**
   * Every row of `SELECT … FROM table WHERE id > ? ORDER BY id LIMIT ?`, in pages, stepping over what is damaged.
   * `sql` must have these two parameters and give `id`.
   */
  *scan(sql: string, pageRows = 1000): Generator<Record<string, unknown>> {
    let after = -1;
    let skip = 1;
    for (let failures = 0; failures < 64; ) {
      let rows: Record<string, unknown>[];
      try {
        rows = this.statement(sql).all(after, pageRows);
        skip = 1;
      } catch (error) {
        this.warnDamage(error);
        failures++;
        after += skip;
        skip *= 4;
        continue;
      }
      yield* rows;
      if (rows.length < pageRows) return;
      after = Number(rows.at(-1)?.id ?? after);
    }
  }

  /** Bytes of pages in use. */
  get usedBytes(): number {
    const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) =>
      Number(this.statement(`PRAGMA ${name}`).get()?.[name] ?? 0),
    );
    return ((pages ?? 0) - (free ?? 0)) * (size ?? 0);
  }

  /** Gives at most this many free pages back to the file system. */
  shrink(pages: number): void {
    this.#db.exec(`PRAGMA incremental_vacuum(${pages})`);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#db.close();
  }
}

function openFile(options: DatabaseOptions): DatabaseSync {
  const db = new DatabaseSync(options.path);
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048');
    db.exec('PRAGMA wal_autocheckpoint = 512; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 2000');
    if (version === 0) db.exec(`BEGIN; ${options.schema}; PRAGMA user_version = 1; COMMIT`);
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
