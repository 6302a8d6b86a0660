import {
  compareStrings,
  type ExemplarSeries,
  type LabelMatcher,
  type Labels,
  type MetricMetadata,
  type MetricReader,
  markStaleAt,
  matchesAll,
  type NativeHistogram,
  type SampleSeries,
  type SeriesSelection,
} from '@kind-e2e/telemetry';

export interface Point {
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram?: NativeHistogram;
  readonly stale?: boolean;
}

/** A MetricReader over series in memory, for the tests of the engine alone. */
export class MemoryReader implements MetricReader {
  readonly #series = new Map<string, { labels: Labels; points: Point[] }>();
  #built: SampleSeries[] | undefined;

  add(labels: Labels, point: Point): void {
    this.#built = undefined;
    const known = this.#series.get(labels.key);
    if (known === undefined) this.#series.set(labels.key, { labels, points: [point] });
    else known.points.push(point);
  }

  clear(): void {
    this.#built = undefined;
    this.#series.clear();
  }

  #all(): SampleSeries[] {
    this.#built ??= [...this.#series.values()]
      .sort((a, b) => compareStrings([...a.labels].flat().join('\x01'), [...b.labels].flat().join('\x01')))
      .map(({ labels, points }) => {
        points.sort((a, b) => a.timestampMs - b.timestampMs);
        const values = Float64Array.from(points, (point) => point.value);
        points.forEach((point, i) => {
          if (point.stale) markStaleAt(values, i);
        });
        return {
          labels,
          timestamps: Float64Array.from(points, (point) => point.timestampMs),
          values,
          ...(points.some((point) => point.histogram) ? { histograms: points.map((point) => point.histogram) } : {}),
        };
      });
    return this.#built;
  }

  select({ matchers, startMs, endMs }: SeriesSelection): readonly SampleSeries[] {
    return this.#all()
      .filter((series) => matchesAll(series.labels, matchers))
      .map((series) => {
        let from = 0;
        while (from < series.timestamps.length && (series.timestamps[from] ?? 0) < startMs) from++;
        let to = from;
        while (to < series.timestamps.length && (series.timestamps[to] ?? 0) <= endMs) to++;
        return {
          labels: series.labels,
          timestamps: series.timestamps.subarray(from, to),
          values: series.values.subarray(from, to),
          ...(series.histograms ? { histograms: series.histograms.slice(from, to) } : {}),
        };
      })
      .filter((series) => series.timestamps.length > 0);
  }

  scan(selection: SeriesSelection): Iterable<SampleSeries> {
    return this.select(selection);
  }

  series(selectors: readonly (readonly LabelMatcher[])[], startMs: number, endMs: number): readonly Labels[] {
    return selectors.flatMap((matchers) => this.select({ matchers, startMs, endMs }).map((series) => series.labels));
  }

  labelNames(): readonly string[] {
    return [...new Set(this.#all().flatMap((series) => [...series.labels].map(([name]) => name)))].sort();
  }

  labelValues(name: string): readonly string[] {
    return [...new Set(this.#all().map((series) => series.labels.get(name)))].filter(Boolean).sort();
  }

  exemplars(): readonly ExemplarSeries[] {
    return [];
  }

  metadata(): ReadonlyMap<string, readonly MetricMetadata[]> {
    return new Map();
  }
}
