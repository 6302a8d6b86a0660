import type { Labels } from '@kind-e2e/telemetry';
import type { Database } from '../database.ts';
import { decodeLabels, encodeLabels } from '../metrics/file.ts';
import type { ShapedText } from './shaped-encode.ts';

export const LOGS_SCHEMA = `
  CREATE TABLE streams (id INTEGER PRIMARY KEY, labels BLOB NOT NULL, min_ts INTEGER, max_ts INTEGER, seq INTEGER);
  CREATE TABLE chunks (id INTEGER PRIMARY KEY, stream INTEGER, min_ts INTEGER, max_ts INTEGER, lines INTEGER,
    bytes INTEGER, line_table BLOB, text BLOB);
  CREATE INDEX chunks_by_stream ON chunks (stream, max_ts, min_ts, lines, bytes);
  CREATE INDEX chunks_by_time ON chunks (max_ts);
  CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER)
`;

/** Added to files of earlier versions too: what is not in a chunk, so that it need not be read. */
const ADDITIONS = [
  'CREATE TABLE IF NOT EXISTS grams (id INTEGER PRIMARY KEY, filter BLOB)',
  'CREATE TRIGGER IF NOT EXISTS chunks_gone AFTER DELETE ON chunks BEGIN DELETE FROM grams WHERE id = old.id; END',
];

/** Parts of a shaped text, which have numbers of their own. */
const PARTS_PER_CHUNK = 8;

/** Texts by shapes, in place of the column `text`, which earlier versions filled; the parts are read one by one. */
const SHAPED = [
  'CREATE TABLE IF NOT EXISTS shaped (id INTEGER PRIMARY KEY, shapes BLOB, line_order BLOB)',
  'CREATE TABLE IF NOT EXISTS shaped_words (id INTEGER PRIMARY KEY, filter BLOB)',
  'CREATE TABLE IF NOT EXISTS shaped_parts (id INTEGER PRIMARY KEY, data BLOB)',
  `CREATE TRIGGER IF NOT EXISTS shaped_gone AFTER DELETE ON chunks BEGIN
    DELETE FROM shaped WHERE id = old.id;
    DELETE FROM shaped_words WHERE id = old.id;
    DELETE FROM shaped_parts WHERE id BETWEEN old.id * ${PARTS_PER_CHUNK} AND old.id * ${PARTS_PER_CHUNK} + ${PARTS_PER_CHUNK - 1};
  END`,
];

export interface StoredStream {
  readonly id: number;
  readonly labels: Labels;
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly sequence: number;
}

/** A chunk as the index knows it, without its lines. */
export interface StoredChunk {
  readonly id: number;
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly lines: number;
  readonly bytes: number;
}

/** What is written of a chunk. */
export interface StoredChunkContent {
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly lines: number;
  readonly bytes: number;
  readonly lineTable: Uint8Array;
  readonly text: ShapedText;
}

const EMPTY = new Uint8Array(0);

/** The statements of the logs file. Times are nanoseconds and come as BigInt. */
export class LogsFile {
  readonly #db: Database;
  #hasGrams = true;
  #hasShaped = false;

  constructor(db: Database) {
    this.#db = db;
    try {
      this.#makeShaped();
    } catch (error) {
      // A full disk, say. It is tried again before the first chunk is written; until then there is none to read.
      db.warnDamage(error);
    }
    try {
      for (const sql of ADDITIONS) db.statement(sql).run();
    } catch (error) {
      // Without it queries read every chunk.
      this.#hasGrams = false;
      db.warnDamage(error);
    }
    // Nanoseconds do not fit a JavaScript number.
    db.statement(SELECT_STREAMS).setReadBigInts(true);
    db.statement(SELECT_CHUNKS).setReadBigInts(true);
    db.statement(SELECT_OLDEST).setReadBigInts(true);
    db.statement(SELECT_MIN_OF_STREAM).setReadBigInts(true);
  }

  #makeShaped(): void {
    if (this.#hasShaped) return;
    for (const sql of SHAPED) this.#db.statement(sql).run();
    this.#hasShaped = true;
  }

  *streams(): Generator<StoredStream> {
    for (const row of this.#db.scan(SELECT_STREAMS)) {
      try {
        yield {
          id: Number(row.id),
          labels: decodeLabels(row.labels as Uint8Array),
          minTime: row.min_ts as bigint,
          maxTime: row.max_ts as bigint,
          sequence: Number(row.seq),
        };
      } catch (error) {
        this.#db.warnDamage(error);
      }
    }
  }

  chunks(stream: number, startNs: bigint, endNs: bigint): StoredChunk[] {
    const rows = this.#db.read(() => this.#db.statement(SELECT_CHUNKS).all(stream, clamp(startNs), clamp(endNs)));
    return rows.map((row) => ({
      id: Number(row.id),
      minTime: row.min_ts as bigint,
      maxTime: row.max_ts as bigint,
      lines: Number(row.lines),
      bytes: Number(row.bytes),
    }));
  }

  lineTable(chunk: number): Uint8Array | undefined {
    return this.#blob('SELECT line_table AS data FROM chunks WHERE id = ?', chunk);
  }

  /** The text of a chunk of an earlier version, compressed. */
  text(chunk: number): Uint8Array | undefined {
    return this.#blob('SELECT text AS data FROM chunks WHERE id = ?', chunk);
  }

  /** The shapes of a chunk's text; undefined for chunks of earlier versions. */
  shapes(chunk: number): Uint8Array | undefined {
    return this.#hasShaped ? this.#blob('SELECT shapes AS data FROM shaped WHERE id = ?', chunk) : undefined;
  }

  lineOrder(chunk: number): Uint8Array | undefined {
    return this.#blob('SELECT line_order AS data FROM shaped WHERE id = ?', chunk);
  }

  part(chunk: number, part: number): Uint8Array | undefined {
    return this.#blob('SELECT data FROM shaped_parts WHERE id = ?', chunk * PARTS_PER_CHUNK + part);
  }

  wordFilter(chunk: number): Uint8Array | undefined {
    return this.#blob('SELECT filter AS data FROM shaped_words WHERE id = ?', chunk);
  }

  /** Of chunks of an earlier version. */
  gramFilter(chunk: number): Uint8Array | undefined {
    return this.#hasGrams ? this.#blob('SELECT filter AS data FROM grams WHERE id = ?', chunk) : undefined;
  }

  #blob(sql: string, chunk: number): Uint8Array | undefined {
    const rows = this.#db.read(() => {
      const row = this.#db.statement(sql).get(chunk);
      return row ? [row] : [];
    });
    return rows[0]?.data as Uint8Array | undefined;
  }

  writeStream(stream: StoredStream, isNew: boolean): void {
    if (isNew)
      this.#db
        .statement('INSERT OR REPLACE INTO streams (id, labels, min_ts, max_ts, seq) VALUES (?, ?, ?, ?, ?)')
        .run(stream.id, encodeLabels(stream.labels), stream.minTime, stream.maxTime, stream.sequence);
    else
      this.#db
        .statement('UPDATE streams SET min_ts = ?, max_ts = ?, seq = ? WHERE id = ?')
        .run(stream.minTime, stream.maxTime, stream.sequence, stream.id);
  }

  writeChunk(stream: number, chunk: StoredChunkContent): void {
    this.#makeShaped();
    const { lastInsertRowid } = this.#db
      .statement(
        'INSERT INTO chunks (stream, min_ts, max_ts, lines, bytes, line_table, text) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(stream, chunk.minTime, chunk.maxTime, chunk.lines, chunk.bytes, chunk.lineTable, EMPTY);
    const id = Number(lastInsertRowid);
    const { index, order, parts, words } = chunk.text;
    this.#db.statement('INSERT INTO shaped (id, shapes, line_order) VALUES (?, ?, ?)').run(id, index, order);
    for (const [part, data] of parts.entries())
      if (data.length > 0)
        this.#db.statement('INSERT INTO shaped_parts (id, data) VALUES (?, ?)').run(id * PARTS_PER_CHUNK + part, data);
    this.#db.statement('INSERT INTO shaped_words (id, filter) VALUES (?, ?)').run(id, words);
  }

  /** Deletes up to `limit` chunks that end before; gives how many went. */
  deleteChunksBefore(timeNs: bigint, limit: number): number {
    const sql = 'DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE max_ts < ? ORDER BY max_ts LIMIT ?)';
    return Number(this.#db.statement(sql).run(timeNs, limit).changes);
  }

  /** Newest time of the oldest `count` chunks. */
  timeOfOldest(count: number): bigint | undefined {
    const row = this.#db.statement(SELECT_OLDEST).get(count);
    return row?.max_ts as bigint | undefined;
  }

  deleteStream(id: number): void {
    this.#db.statement('DELETE FROM streams WHERE id = ?').run(id);
  }

  minTimeOf(stream: number): bigint | undefined {
    const value = this.#db.statement(SELECT_MIN_OF_STREAM).get(stream)?.t;
    return typeof value === 'bigint' ? value : undefined;
  }

  chunkCount(): number {
    return Number(this.#db.statement('SELECT count(*) AS n FROM chunks').get()?.n ?? 0);
  }

  newestSequence(): number {
    const rows = this.#db.read(() => [this.#db.statement('SELECT max(seq) AS seq FROM streams').get() ?? {}]);
    return Number(rows[0]?.seq ?? 0);
  }

  state(key: string): number {
    return Number(this.#db.statement('SELECT value FROM state WHERE key = ?').get(key)?.value ?? 0);
  }

  setState(key: string, value: number): void {
    this.#db.statement('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)').run(key, value);
  }

  transaction(work: () => void): void {
    this.#db.transaction(work);
  }
}

const SELECT_STREAMS = 'SELECT id, labels, min_ts, max_ts, seq FROM streams WHERE id > ? ORDER BY id LIMIT ?';
const SELECT_CHUNKS =
  'SELECT id, min_ts, max_ts, lines, bytes FROM chunks WHERE stream = ? AND max_ts >= ? AND min_ts < ? ORDER BY min_ts';
const SELECT_OLDEST = 'SELECT max_ts FROM chunks ORDER BY max_ts LIMIT 1 OFFSET ?';
const SELECT_MIN_OF_STREAM = 'SELECT min(min_ts) AS t FROM chunks WHERE stream = ?';

function clamp(time: bigint): bigint {
  const limit = (1n << 63n) - 1n;
  return time > limit ? limit : time < -limit ? -limit : time;
}
