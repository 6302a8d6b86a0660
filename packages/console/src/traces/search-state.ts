/** `error=true http.status_code=500` or logfmt with quotes, as Jaeger's search box takes it. */
export function parseTags(text: string): { tags: Record<string, string>; problem: string | undefined } {
  const tags: Record<string, string> = {};
  const trimmed = text.trim();
  if (trimmed === '') return { tags, problem: undefined };
  const pattern = /\s*([^\s=]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?=\s|$)/y;
  let at = 0;
  while (at < trimmed.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(trimmed);
    if (match === null) return { tags, problem: `Expected key=value at “${trimmed.slice(at, at + 20).trim()}”.` };
    tags[match[1] ?? ''] = match[2] === undefined ? (match[3] ?? '') : match[2].replace(/\\(.)/g, '$1');
    at = pattern.lastIndex;
  }
  return { tags, problem: undefined };
}

/** Jaeger's durations: `1.2s`, `100ms`, `500us`. */
export const isSearchDuration = (text: string): boolean => text === '' || /^\d+(\.\d+)?(ns|us|µs|ms|s|m|h)$/.test(text);

export const SORTS = ['newest', 'longest', 'shortest', 'spans', 'errors'] as const;
export type Sort = (typeof SORTS)[number];

export interface TraceRow {
  id: string;
  start: number;
  duration: number;
  spans: number;
  errors: number;
}

export function sortRows<T extends TraceRow>(rows: readonly T[], sort: string): T[] {
  const newest = (a: T, b: T): number => b.start - a.start;
  const orders: Record<string, (a: T, b: T) => number> = {
    newest,
    longest: (a, b) => b.duration - a.duration || newest(a, b),
    shortest: (a, b) => a.duration - b.duration || newest(a, b),
    spans: (a, b) => b.spans - a.spans || newest(a, b),
    errors: (a, b) => b.errors - a.errors || newest(a, b),
  };
  return [...rows].sort(orders[sort] ?? newest);
}

export interface Bin {
  from: number;
  to: number;
  count: number;
  errors: number;
}

/** Durations in bins whose width grows by a constant factor, so that 4 ms and 3 s are both seen. */
export function durationBins(rows: readonly TraceRow[], bins = 24): Bin[] {
  const known = rows.filter((row) => row.duration > 0);
  if (known.length === 0) return [];
  const low = Math.min(...known.map((row) => row.duration));
  const high = Math.max(...known.map((row) => row.duration)) * 1.0001;
  const from = low === high ? low * 0.9 : low;
  const factor = (Math.max(high, from * 1.05) / from) ** (1 / bins);
  const list = Array.from({ length: bins }, (_, index) => ({
    from: from * factor ** index,
    to: from * factor ** (index + 1),
    count: 0,
    errors: 0,
  }));
  for (const row of known) {
    const index = Math.min(Math.floor(Math.log(row.duration / from) / Math.log(factor) + 1e-9), bins - 1);
    const bin = list[Math.max(index, 0)];
    if (bin === undefined) continue;
    bin.count += 1;
    if (row.errors > 0) bin.errors += 1;
  }
  return list;
}
