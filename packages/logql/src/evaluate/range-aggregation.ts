import { Labels } from '@kind-e2e/telemetry';
import type { LogqlError } from '../results.ts';
import type { Grouping, RangeAggregation, RangeOperation } from '../syntax/ast.ts';
import { type Column, type Grid, newColumn, setAt } from './columns.ts';
import { CountedSeries, type Windows } from './counted-series.ts';
import type { Evaluation } from './evaluation.ts';
import { kernelOf } from './range-operations.ts';
import { SampleSeries } from './sample-series.ts';
import { extractSamples, pipelineErrorOf, type SamplesQuery } from './samples.ts';

const ORDERED: readonly RangeOperation[] = ['first_over_time', 'last_over_time', 'rate_counter'];

/** Operations that need no more than how many lines a window has, and how many bytes. */
const COUNTING: readonly RangeOperation[] = [
  'rate',
  'count_over_time',
  'bytes_rate',
  'bytes_over_time',
  'absent_over_time',
];

/** Windows are open at their start and closed at their end, as in Loki's range vector iterator. */
export async function evaluateRangeAggregation(
  evaluation: Evaluation,
  node: RangeAggregation,
  grid: Grid,
  outer: Grouping | undefined,
): Promise<readonly Column[]> {
  const { rangeNs, offsetNs, operation } = node;
  const query = {
    startNs: grid.startNs - offsetNs - rangeNs,
    endNs: grid.startNs + BigInt(grid.steps - 1) * grid.stepNs - offsetNs,
    steps: grid.steps,
    outer,
  };
  const windows: Windows = { steps: grid.steps, step: Number(grid.stepNs), range: Number(rangeNs) };
  const all =
    node.unwrap === undefined && COUNTING.includes(operation)
      ? await countedColumns(evaluation, node, grid, query, windows)
      : await sampledColumns(evaluation, node, grid, query, windows);
  const columns: Column[] = [];
  let failure: { readonly step: number; readonly error: LogqlError } | undefined;
  for (const column of all) {
    const first = column.present.indexOf(1);
    if (first < 0) continue;
    columns.push(column);
    const error = pipelineErrorOf(column.labels);
    if (error !== undefined && (failure === undefined || first < failure.step)) failure = { step: first, error };
  }
  if (failure !== undefined) throw failure.error;
  return operation === 'absent_over_time' ? absent(node, columns, grid) : columns;
}

type Query = Omit<SamplesQuery<never>, 'makeSeries'>;

async function countedColumns(
  evaluation: Evaluation,
  node: RangeAggregation,
  grid: Grid,
  query: Query,
  windows: Windows,
): Promise<readonly Column[]> {
  const makeSeries = (labels: Labels): CountedSeries => new CountedSeries(labels, windows);
  const series = await extractSamples(evaluation, node, { ...query, makeSeries });
  const perSecond = node.operation === 'rate' || node.operation === 'bytes_rate' ? windows.range / 1e9 : 1;
  return series.map((one) => one.column(grid, (sum) => sum / perSecond));
}

async function sampledColumns(
  evaluation: Evaluation,
  node: RangeAggregation,
  grid: Grid,
  query: Query,
  { step: stepLength, range }: Windows,
): Promise<readonly Column[]> {
  const makeSeries = (labels: Labels): SampleSeries => new SampleSeries(labels);
  const series = await extractSamples(evaluation, node, { ...query, makeSeries });
  const kernel = kernelOf(node);
  const columns: Column[] = [];
  for (const one of series) {
    // In a single window all samples count, and mostly in any order.
    if (grid.steps > 1 || ORDERED.includes(node.operation)) one.sort();
    const { times, values } = one;
    const column = newColumn(one.labels, grid.steps);
    let lo = 0;
    let hi = 0;
    for (let step = 0; step < grid.steps; step++) {
      const start = step * stepLength;
      const end = start + range;
      if (grid.steps === 1) hi = times.length;
      else while (hi < times.length && (times[hi] ?? 0) <= end) hi++;
      while (grid.steps > 1 && lo < hi && (times[lo] ?? 0) <= start) lo++;
      if (lo === hi) continue;
      const value = kernel(times, values, lo, hi);
      if (value !== undefined) setAt(column, step, value);
    }
    columns.push(column);
    if (evaluation.needsPause) await evaluation.pause();
  }
  return columns;
}

/** 1 where no series has a sample, with the labels that the selector says by `=`. */
function absent(node: RangeAggregation, columns: readonly Column[], grid: Grid): readonly Column[] {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of node.log.matchers) {
    if (operator === '=' && !seen.has(name)) values.set(name, value);
    else values.delete(name);
    seen.add(name);
  }
  const column = newColumn(Labels.from(values), grid.steps);
  for (let step = 0; step < grid.steps; step++)
    if (!columns.some(({ present }) => present[step] === 1)) setAt(column, step, 1);
  return column.present.includes(1) ? [column] : [];
}
