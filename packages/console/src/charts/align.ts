/** A line of a chart before it is laid on the common time axis. Times in seconds. */
export interface Line {
  times: readonly number[];
  values: readonly number[];
}

export interface Aligned {
  times: number[];
  columns: (number | null)[][];
}

/** Puts all lines on one axis; where a line has no point (or NaN, Inf) stands null, which the chart shows as a gap. */
export function alignLines(lines: readonly Line[]): Aligned {
  const times = [...new Set(lines.flatMap((line) => line.times))].sort((a, b) => a - b);
  const place = new Map(times.map((time, index) => [time, index]));
  const columns = lines.map((line) => {
    const column = new Array<number | null>(times.length).fill(null);
    line.times.forEach((time, index) => {
      const value = line.values[index];
      const at = place.get(time);
      if (at !== undefined && value !== undefined && Number.isFinite(value)) column[at] = value;
    });
    return column;
  });
  return { times, columns };
}

/**
 * Query results leave out the steps without a sample. Inserts one hole where two points are further apart than `gapSeconds`,
 * so that a line does not run across an outage.
 */
export function withGaps(aligned: Aligned, gapSeconds: number): Aligned {
  const times: number[] = [];
  const columns = aligned.columns.map((): (number | null)[] => []);
  aligned.times.forEach((time, index) => {
    const before = aligned.times[index - 1];
    if (before !== undefined && time - before > gapSeconds) {
      times.push(before + gapSeconds / 2);
      for (const column of columns) column.push(null);
    }
    times.push(time);
    columns.forEach((column, place) => {
      column.push(aligned.columns[place]?.[index] ?? null);
    });
  });
  return { times, columns };
}

/**
 * Running sums from the last column to the first, so that the first, drawn first, is the tallest. A hole counts as
 * nothing where another column has a value.
 */
export function stackColumns(columns: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const base = new Array<number>(columns[0]?.length ?? 0).fill(0);
  return columns
    .toReversed()
    .map((column) =>
      column.map((value, index) => {
        if (value === null) return null;
        base[index] = (base[index] ?? 0) + value;
        return base[index] ?? null;
      }),
    )
    .reverse();
}

export interface Reduced {
  last: number | null;
  lastNotNull: number | null;
  min: number | null;
  max: number | null;
  mean: number | null;
  sum: number | null;
  count: number;
  first: number | null;
  range: number | null;
  delta: number | null;
}

/** The figures of a legend or a stat (grafana: packages/grafana-data/src/transformations/fieldReducer.ts). */
export function reduceValues(values: readonly (number | null)[]): Reduced {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const first = known[0] ?? null;
  const lastNotNull = known.at(-1) ?? null;
  const sum = known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
  let min: number | null = null;
  let max: number | null = null;
  for (const value of known) {
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
  }
  return {
    first,
    last: values.at(-1) ?? null,
    lastNotNull,
    min,
    max,
    sum,
    mean: sum === null ? null : sum / known.length,
    count: known.length,
    range: min === null || max === null ? null : max - min,
    delta: first === null || lastNotNull === null ? null : lastNotNull - first,
  };
}

export function pickReduced(reduced: Reduced, calc: string): number | null {
  const key =
    calc === 'lastNotNull'
      ? 'lastNotNull'
      : calc === 'avg'
        ? 'mean'
        : calc === 'total'
          ? 'sum'
          : calc === 'diff'
            ? 'delta'
            : calc;
  return key in reduced ? reduced[key as keyof Reduced] : reduced.lastNotNull;
}
