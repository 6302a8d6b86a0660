import { Labels, type MetricMetadata } from '@kind-e2e/telemetry';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Database } from '../database.ts';
import type { ClosedChunk } from './join-chunks.ts';

export const METRICS_SCHEMA = `
  CREATE TABLE series (id INTEGER PRIMARY KEY, labels BLOB NOT NULL, min_t INTEGER, max_t INTEGER, seq INTEGER);
  CREATE TABLE chunks (series INTEGER, max_t INTEGER, min_t INTEGER, n INTEGER, kind INTEGER, data BLOB,
    PRIMARY KEY (series, max_t, min_t, kind)) WITHOUT ROWID;
  CREATE TABLE exemplars (id INTEGER PRIMARY KEY, series INTEGER, t INTEGER, value REAL, labels BLOB);
  CREATE TABLE metadata (metric TEXT PRIMARY KEY, type TEXT, help TEXT, unit TEXT);
  CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER)
`;

export function encodeLabels(labels: Labels): Buffer {
  const out = new ByteWriter(256);
  for (const [name, value] of labels) {
    out.string(name);
    out.string(value);
  }
  return out.copy();
}

export function decodeLabels(bytes: Uint8Array, intern: (text: string) => string = (text) => text): Labels {
  const reader = new ByteReader(bytes);
  const pairs: [string, string][] = [];
  while (!reader.done) pairs.push([intern(reader.string()), intern(reader.string())]);
  return Labels.from(pairs);
}

export interface StoredSeries {
  readonly id: number;
  readonly labels: Labels;
  readonly minTime: number;
  readonly maxTime: number;
  readonly sequence: number;
}

/** The statements of the metrics file. */
export class MetricsFile {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  *series(intern: (text: string) => string): Generator<StoredSeries> {
    const sql = 'SELECT id, labels, min_t, max_t, seq FROM series WHERE id > ? ORDER BY id LIMIT ?';
    for (const row of this.#db.scan(sql)) {
      try {
        yield {
          id: Number(row.id),
          labels: decodeLabels(row.labels as Uint8Array, intern),
          minTime: Number(row.min_t),
          maxTime: Number(row.max_t),
          sequence: Number(row.seq),
        };
      } catch (error) {
        this.#db.warnDamage(error);
      }
    }
  }

  chunks(series: number, startMs: number, endMs: number): ClosedChunk[] {
    const rows = this.#db.read(() =>
      this.#db
        .statement(
          'SELECT min_t, max_t, n, kind, data FROM chunks WHERE series = ? AND max_t >= ? AND min_t <= ? ORDER BY max_t',
        )
        .all(series, Math.max(startMs, -8e15), Math.min(endMs, 8e15)),
    );
    return rows.map((row) => ({
      kind: Number(row.kind),
      minTime: Number(row.min_t),
      maxTime: Number(row.max_t),
      count: Number(row.n),
      data: row.data as Uint8Array,
    }));
  }

  writeSeries(series: StoredSeries, isNew: boolean): void {
    if (isNew)
      this.#db
        .statement('INSERT OR REPLACE INTO series (id, labels, min_t, max_t, seq) VALUES (?, ?, ?, ?, ?)')
        .run(series.id, encodeLabels(series.labels), series.minTime, series.maxTime, series.sequence);
    else
      this.#db
        .statement('UPDATE series SET min_t = ?, max_t = ?, seq = ? WHERE id = ?')
        .run(series.minTime, series.maxTime, series.sequence, series.id);
  }

  writeChunk(series: number, chunk: ClosedChunk): void {
    this.#db
      .statement('INSERT OR REPLACE INTO chunks (series, max_t, min_t, n, kind, data) VALUES (?, ?, ?, ?, ?, ?)')
      .run(series, chunk.maxTime, chunk.minTime, chunk.count, chunk.kind, chunk.data);
  }

  deleteSeries(id: number): void {
    this.#db.statement('DELETE FROM chunks WHERE series = ?').run(id);
    this.#db.statement('DELETE FROM series WHERE id = ?').run(id);
  }

  /** Deletes chunks of a series that end before; gives the oldest time left. */
  deleteChunksBefore(series: number, timeMs: number): number {
    this.#db.statement('DELETE FROM chunks WHERE series = ? AND max_t < ?').run(series, timeMs);
    const oldest = this.#db.statement('SELECT min(min_t) AS t FROM chunks WHERE series = ?').get(series)?.t;
    const minTime = oldest === null || oldest === undefined ? timeMs : Number(oldest);
    this.#db.statement('UPDATE series SET min_t = ? WHERE id = ?').run(minTime, series);
    return minTime;
  }

  exemplars(limit: number): { series: number; timestampMs: number; value: number; labels: Labels }[] {
    const rows = this.#db.read(() =>
      this.#db.statement('SELECT series, t, value, labels FROM exemplars ORDER BY id DESC LIMIT ?').all(limit),
    );
    return rows.toReversed().map((row) => ({
      series: Number(row.series),
      timestampMs: Number(row.t),
      value: Number(row.value),
      labels: decodeLabels(row.labels as Uint8Array),
    }));
  }

  writeExemplar(series: number, timestampMs: number, value: number, labels: Labels): void {
    this.#db
      .statement('INSERT INTO exemplars (series, t, value, labels) VALUES (?, ?, ?, ?)')
      .run(series, timestampMs, value, encodeLabels(labels));
  }

  deleteOldExemplars(keep: number): void {
    this.#db.statement('DELETE FROM exemplars WHERE id <= (SELECT max(id) FROM exemplars) - ?').run(keep);
  }

  metadata(): [string, MetricMetadata][] {
    const rows = this.#db.read(() => this.#db.statement('SELECT metric, type, help, unit FROM metadata').all());
    return rows.map((row) => [
      String(row.metric),
      { type: String(row.type) as MetricMetadata['type'], help: String(row.help), unit: String(row.unit) },
    ]);
  }

  writeMetadata(metric: string, metadata: MetricMetadata): void {
    this.#db
      .statement('INSERT OR REPLACE INTO metadata (metric, type, help, unit) VALUES (?, ?, ?, ?)')
      .run(metric, metadata.type, metadata.help, metadata.unit);
  }

  state(key: string): number {
    return Number(this.#db.statement('SELECT value FROM state WHERE key = ?').get(key)?.value ?? 0);
  }

  setState(key: string, value: number): void {
    this.#db.statement('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)').run(key, value);
  }

  /** Newest record number of the write-ahead log that any series has sealed. */
  newestSequence(): number {
    const rows = this.#db.read(() => [this.#db.statement('SELECT max(seq) AS seq FROM series').get() ?? {}]);
    return Number(rows[0]?.seq ?? 0);
  }

  transaction(work: () => void): void {
    this.#db.transaction(work);
  }
}
