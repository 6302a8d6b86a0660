import { DatabaseSync } from 'node:sqlite';
import { LabError, messageOf } from '@kind-e2e/base';
import { type Attributes, type LogReader, type MetricReader, serviceOf, type TraceReader } from '@kind-e2e/telemetry';

export interface SqlOptions {
  readonly metrics: MetricReader;
  readonly logs: LogReader;
  readonly traces: TraceReader;
  /** What the tables hold: rows of this range, newest first, up to the limit of each. */
  readonly startMs: number;
  readonly endMs: number;
  /** Rows of each table. Default 200,000. */
  readonly maxRows?: number;
}

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Tables that hold less than there is, because of the limit. */
  readonly truncated: readonly string[];
}

/** Only these may begin a statement: what is asked changes nothing, and needs no other database. */
const READS = /^\s*(?:select|with|values|explain)\b/i;

/**
 * SQL over spans, log lines and samples of a range, read only. The tables are made for the query, in memory:
 * `spans(trace_id, span_id, parent_span_id, service, name, kind, start_ns, duration_ns, status, attributes)`,
 * `logs(time_ns, line, labels, metadata)`, `samples(time_ms, name, value, labels)`; attributes and labels are JSON, to be
 * asked with `->>`. Only the tables that the statement names are filled.
 */
export function runSql(sql: string, options: SqlOptions): SqlResult {
  if (!READS.test(sql)) throw sqlError('only SELECT, WITH, VALUES and EXPLAIN are answered');
  const db = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  try {
    const truncated: string[] = [];
    const maxRows = options.maxRows ?? 200_000;
    for (const [name, fill] of Object.entries(TABLES)) {
      if (!new RegExp(`\\b${name}\\b`, 'i').test(sql)) continue;
      db.exec('BEGIN');
      if (fill(db, options, maxRows) >= maxRows) truncated.push(name);
      db.exec('COMMIT');
    }
    db.exec('PRAGMA query_only = ON');
    const statement = db.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const columns = statement.columns().map((column) => column.name ?? '');
    const rows = (statement.all() as unknown as unknown[][]).map((row) => row.map(plain));
    return { columns, rows, truncated };
  } catch (error) {
    throw error instanceof LabError ? error : sqlError(messageOf(error), error);
  } finally {
    db.close();
  }
}

/** Numbers where they are exact, else BigInt. */
function plain(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

type Fill = (db: DatabaseSync, options: SqlOptions, maxRows: number) => number;

const TABLES: Readonly<Record<string, Fill>> = {
  spans(db, { traces, startMs, endMs }, maxRows) {
    db.exec(
      'CREATE TABLE spans (trace_id TEXT, span_id TEXT, parent_span_id TEXT, service TEXT, name TEXT, kind TEXT, start_ns INTEGER, duration_ns INTEGER, status TEXT, attributes TEXT)',
    );
    const insert = db.prepare('INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    let rows = 0;
    for (const spans of traces.search({
      startNs: nanoseconds(startMs),
      endNs: nanoseconds(endMs),
      limit: Math.ceil(maxRows / 4),
    }))
      for (const span of spans) {
        if (rows++ >= maxRows) return rows;
        insert.run(
          span.traceId,
          span.spanId,
          span.parentSpanId,
          serviceOf(span),
          span.name,
          span.kind,
          span.startTimeUnixNano,
          span.endTimeUnixNano - span.startTimeUnixNano,
          span.status.code,
          json(span.attributes),
        );
      }
    return rows;
  },
  logs(db, { logs, startMs, endMs }, maxRows) {
    db.exec('CREATE TABLE logs (time_ns INTEGER, line TEXT, labels TEXT, metadata TEXT)');
    const insert = db.prepare('INSERT INTO logs VALUES (?, ?, ?, ?)');
    let rows = 0;
    const chunks = logs.select({
      matchers: [],
      startNs: nanoseconds(startMs),
      endNs: nanoseconds(endMs),
      direction: 'backward',
    });
    for (const { labels, timestamps, ends, text, structuredMetadata } of chunks) {
      const labelText = JSON.stringify(labels.toObject());
      const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
      for (let i = timestamps.length - 1; i >= 0; i--) {
        if (rows++ >= maxRows) return rows;
        const line = bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]);
        insert.run(timestamps[i] ?? 0n, line, labelText, JSON.stringify(structuredMetadata?.[i]?.toObject() ?? {}));
      }
    }
    return rows;
  },
  samples(db, { metrics, startMs, endMs }, maxRows) {
    db.exec('CREATE TABLE samples (time_ms INTEGER, name TEXT, value REAL, labels TEXT)');
    const insert = db.prepare('INSERT INTO samples VALUES (?, ?, ?, ?)');
    let rows = 0;
    for (const name of metrics.labelValues('__name__', [], startMs, endMs)) {
      const matcher = {
        name: '__name__',
        operator: '=' as const,
        value: name,
        matches: (text: string) => text === name,
      };
      for (const { labels, timestamps, values } of metrics.select({ matchers: [matcher], startMs, endMs })) {
        const labelText = JSON.stringify(labels.without(new Set(['__name__'])).toObject());
        for (let i = timestamps.length - 1; i >= 0; i--) {
          if (rows++ >= maxRows) return rows;
          const value = values[i] ?? 0;
          insert.run(timestamps[i] ?? 0, name, Number.isNaN(value) ? null : value, labelText);
        }
      }
    }
    return rows;
  },
};

function nanoseconds(ms: number): bigint {
  return BigInt(Math.trunc(Math.max(0, Math.min(ms, 9e12)))) * 1_000_000n;
}

function json(attributes: Attributes): string {
  return JSON.stringify(attributes, (_key, value: unknown) =>
    typeof value === 'bigint'
      ? value.toString()
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('base64')
        : value,
  );
}

function sqlError(message: string, cause?: unknown): LabError {
  return new LabError(`sql: ${message}`, { code: 'SQL_INVALID', side: 'usage', cause });
}
