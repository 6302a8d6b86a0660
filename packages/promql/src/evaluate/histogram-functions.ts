import { type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import {
  type ClassicBucket,
  classicFraction,
  classicQuantile,
  nativeFraction,
  nativeQuantile,
  nativeVariance,
} from '../histogram/statistics.ts';
import type { Call } from '../syntax/index.ts';
import { position, scalarArg, vectorArg } from './calls.ts';
import type { Evaluation } from './evaluation.ts';
import { type Column, dropName, type Grid, mergeColumns, newColumn } from './values.ts';

const BUCKET_LABEL = 'le';
const ONLY_BUCKET_LABEL = new Set([BUCKET_LABEL]);

const OF_NATIVE: Readonly<Record<string, (h: FloatHistogram) => number>> = {
  histogram_avg: (h) => h.sum / h.count,
  histogram_count: (h) => h.count,
  histogram_sum: (h) => h.sum,
  histogram_stddev: (h) => Math.sqrt(nativeVariance(h)),
  histogram_stdvar: nativeVariance,
};

export function isHistogramFunction(name: string): boolean {
  return name in OF_NATIVE || name === 'histogram_quantile' || name === 'histogram_fraction';
}

export async function histogramFunction(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const { name } = call.fn;
  const ofNative = OF_NATIVE[name];
  if (ofNative !== undefined) return mapHistograms(await vectorArg(evaluation, call, 0, grid), ofNative);
  if (name === 'histogram_quantile') {
    const quantiles = await scalarArg(evaluation, call, 0, grid);
    return quantile(evaluation, call, quantiles, await vectorArg(evaluation, call, 1, grid), grid);
  }
  const lowers = await scalarArg(evaluation, call, 0, grid);
  const uppers = await scalarArg(evaluation, call, 1, grid);
  return fraction(evaluation, call, lowers, uppers, await vectorArg(evaluation, call, 2, grid), grid);
}

function mapHistograms(columns: readonly Column[], map: (h: FloatHistogram) => number): readonly Column[] {
  const result: Column[] = [];
  for (const column of columns) {
    if (column.histograms === undefined) continue;
    const out = newColumn(dropName(column.labels), column.values.length);
    let found = false;
    for (let i = 0; i < out.values.length; i++) {
      const histogram = column.histograms[i];
      if (histogram === undefined || column.present[i] !== 1) continue;
      out.values[i] = map(histogram);
      out.present[i] = 1;
      found = true;
    }
    if (found) result.push(out);
  }
  return mergeColumns(result);
}

interface Histogram {
  /** Of the result. */
  readonly labels: Labels;
  readonly metricName: string;
  /** By rising bounds. */
  readonly classic: { readonly upper: number; readonly column: Column }[];
  native: Column | undefined;
}

/** Series by their labels without `le`: the buckets of a classic histogram, or a native one. */
function collect(evaluation: Evaluation, call: Call, vectorIndex: number, columns: readonly Column[]): Histogram[] {
  const byKey = new Map<string, Histogram>();
  const histogramOf = (key: string, labels: Labels, metricName: string): Histogram => {
    let histogram = byKey.get(key);
    if (histogram === undefined) {
      histogram = { labels, metricName, classic: [], native: undefined };
      byKey.set(key, histogram);
    }
    return histogram;
  };
  for (const column of columns) {
    const metricName = column.labels.get(METRIC_NAME);
    const hasFloats = column.present.some((present, i) => present === 1 && column.histograms?.[i] === undefined);
    if (column.histograms?.some((histogram) => histogram !== undefined))
      histogramOf(column.labels.key, dropName(column.labels), metricName).native = column;
    if (!hasFloats) continue;
    const text = column.labels.get(BUCKET_LABEL);
    const upper = parseBound(text);
    if (upper === undefined) {
      evaluation.annotations.badBucketLabel(metricName, text, position(call, vectorIndex));
      continue;
    }
    const labels = column.labels.without(ONLY_BUCKET_LABEL);
    histogramOf(labels.key, dropName(labels), metricName).classic.push({ upper, column });
  }
  for (const { classic } of byKey.values()) classic.sort((a, b) => a.upper - b.upper);
  return [...byKey.values()];
}

function parseBound(text: string): number | undefined {
  if (/^[+]?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? undefined : value;
}

function bucketsAt(histogram: Histogram, step: number): ClassicBucket[] {
  const buckets: ClassicBucket[] = [];
  for (const { upper, column } of histogram.classic)
    if (column.present[step] === 1 && column.histograms?.[step] === undefined)
      buckets.push({ upper, count: column.values[step] ?? 0 });
  return buckets;
}

function nativeAt({ native }: Histogram, step: number): FloatHistogram | undefined {
  return native?.present[step] === 1 ? native.histograms?.[step] : undefined;
}

/** One result for each histogram and step; a mix of both kinds at one step gives none. */
function perHistogram(
  evaluation: Evaluation,
  call: Call,
  vectorIndex: number,
  columns: readonly Column[],
  grid: Grid,
  ofClassic: (buckets: ClassicBucket[], step: number, histogram: Histogram) => number,
  ofNative: (native: FloatHistogram, step: number) => number,
): readonly Column[] {
  const result: Column[] = [];
  for (const histogram of collect(evaluation, call, vectorIndex, columns)) {
    const out = newColumn(histogram.labels, grid.steps);
    let found = false;
    for (let step = 0; step < grid.steps; step++) {
      const buckets = bucketsAt(histogram, step);
      const native = nativeAt(histogram, step);
      if (native !== undefined && buckets.length > 0) {
        evaluation.annotations.mixedClassicNative(histogram.metricName, position(call, vectorIndex));
        continue;
      }
      if (native !== undefined) out.values[step] = ofNative(native, step);
      else if (buckets.length > 0) out.values[step] = ofClassic(buckets, step, histogram);
      else continue;
      out.present[step] = 1;
      found = true;
    }
    if (found) result.push(out);
  }
  return mergeColumns(result);
}

function quantile(
  evaluation: Evaluation,
  call: Call,
  quantiles: Float64Array,
  columns: readonly Column[],
  grid: Grid,
): readonly Column[] {
  const { annotations } = evaluation;
  const at = (step: number): number => quantiles[step] ?? Number.NaN;
  const named = new Set<Histogram>();
  for (const q of quantiles) if (!(q >= 0 && q <= 1)) annotations.invalidQuantile(q, position(call, 0));
  return perHistogram(
    evaluation,
    call,
    1,
    columns,
    grid,
    (buckets, step, histogram) => {
      const { value, forced } = classicQuantile(at(step), buckets);
      // From the second result of a histogram on, Prometheus has forgotten its name.
      const name = named.has(histogram) ? '' : histogram.metricName;
      named.add(histogram);
      if (forced) annotations.forcedMonotonicity(name, position(call, 1));
      return value;
    },
    (native, step) => {
      const { value, nan } = nativeQuantile(at(step), native);
      if (nan !== undefined) annotations.histogramQuantileNaN(nan, '', position(call, 0));
      return value;
    },
  );
}

function fraction(
  evaluation: Evaluation,
  call: Call,
  lowers: Float64Array,
  uppers: Float64Array,
  columns: readonly Column[],
  grid: Grid,
): readonly Column[] {
  const at = (values: Float64Array, step: number): number => values[step] ?? Number.NaN;
  return perHistogram(
    evaluation,
    call,
    2,
    columns,
    grid,
    (buckets, step) => classicFraction(at(lowers, step), at(uppers, step), buckets),
    (native, step) => {
      const { value, hasNaN } = nativeFraction(at(lowers, step), at(uppers, step), native);
      if (hasNaN) evaluation.annotations.histogramFractionNaN('', position(call, 0));
      return value;
    },
  );
}
