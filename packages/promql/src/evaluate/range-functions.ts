import { type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { OVER_TIME } from '../functions/over-time.ts';
import { extrapolated, instantaneous, type KernelContext } from '../functions/rate.ts';
import { PromqlError } from '../results.ts';
import { type Call, type Expr, type Position, unwrapParens } from '../syntax/index.ts';
import { absentOverTime } from './absent.ts';
import { argument, position, scalarArg } from './calls.ts';
import { ColumnList, type ColumnSink } from './column-sink.ts';
import type { Evaluation } from './evaluation.ts';
import { applyRangeFunction, evaluateRangeVector, type Kernel, type RangeFunction } from './range-vectors.ts';
import { type Column, dropName, type Grid, type RangeSeries, SAME_LABELSET } from './values.ts';

const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/;

/** Whether the function takes a range of samples. */
export function isRangeFunction(call: Call): boolean {
  return call.fn.args[0] === 'range vector' || call.fn.args[1] === 'range vector';
}

export async function evaluateRangeFunction(
  evaluation: Evaluation,
  call: Call,
  grid: Grid,
): Promise<readonly Column[]> {
  const list = new ColumnList(grid.steps);
  await streamRangeFunction(evaluation, call, grid, list);
  return list.columns;
}

/** rate, avg_over_time and their like: one result for each series, as it comes from the store. */
export async function streamRangeFunction(
  evaluation: Evaluation,
  call: Call,
  grid: Grid,
  sink: ColumnSink,
): Promise<void> {
  const { name } = call.fn;
  const rangeIndex = call.fn.args.indexOf('range vector');
  const rangeExpr = argument(call, rangeIndex);
  const scalars: Float64Array[] = [];
  for (let i = 0; i < call.args.length; i++)
    if (i !== rangeIndex) scalars.push(await scalarArg(evaluation, call, i, grid));
  const { samplesRead } = evaluation;
  const range = await evaluateRangeVector(evaluation, rangeExpr, grid);
  // The samples of a subquery are counted in the windows that it is read in (promql/engine.go, evalSubquery).
  evaluation.samplesRead = samplesRead;
  if (name === 'absent_over_time') {
    for (const column of await absentOverTime(evaluation, rangeExpr, range, grid)) sink.take(column);
    return;
  }
  const context: KernelContext = {
    annotations: evaluation.annotations,
    position: rangePosition(rangeExpr),
    firstPosition: rangeIndex === 0 ? rangePosition(rangeExpr) : position(call, 0),
    rangeMs: range.rangeMs,
  };
  let fn = functionOf(name, context, scalars);
  if (name === 'quantile_over_time')
    fn = { kernel: warnOfQuantiles(fn.kernel, evaluation, position(call, 0), scalars[0]) };
  if (name === 'last_over_time') {
    await applyRangeFunction(evaluation, range, grid, fn, (series) => series.labels, sink);
    return;
  }
  const unique = new UniqueLabels(pinsName(rangeExpr));
  const warn = name === 'rate' || name === 'increase';
  let current: RangeSeries | undefined;
  const labelsOf = (series: RangeSeries): Labels => {
    current = series;
    return dropName(series.labels);
  };
  await applyRangeFunction(evaluation, range, grid, fn, labelsOf, {
    holds: sink.holds,
    begin: (labels) => sink.begin(labels),
    take(column) {
      if (current !== undefined) {
        unique.add(current.labels);
        if (warn) warnOfGauge(current.labels.get(METRIC_NAME), column, context);
      }
      sink.take(column);
    },
  });
}

/**
 * Refuses two series of equal labels without names, even where they never meet (Matrix.ContainsSameLabelset). Where all
 * have one name and nothing else is dropped they cannot be equal, and nothing is compared.
 */
class UniqueLabels {
  readonly #keys = new Set<string>();
  #waiting: Labels[] | undefined;

  constructor(haveOneName: boolean) {
    if (haveOneName) this.#waiting = [];
  }

  add(labels: Labels): void {
    const { unnamed } = labels;
    if (this.#waiting !== undefined) {
      this.#waiting.push(unnamed);
      if (unnamed.size === labels.size - 1) return;
      for (const one of this.#waiting) this.#refuse(one);
      this.#waiting = undefined;
      return;
    }
    this.#refuse(unnamed);
  }

  #refuse({ key }: Labels): void {
    if (this.#keys.has(key)) throw new PromqlError('execution', SAME_LABELSET);
    this.#keys.add(key);
  }
}

function pinsName(rangeExpr: Expr): boolean {
  const inner = unwrapParens(rangeExpr);
  return (
    inner.kind === 'matrix-selector' &&
    inner.selector.matchers.some(
      ({ name, operator, value }) => name === METRIC_NAME && operator === '=' && value !== '',
    )
  );
}

/** Prometheus puts the samples of a subquery in the place of the argument, where they have lost their position. */
function rangePosition(rangeExpr: Expr): Position {
  const inner = unwrapParens(rangeExpr);
  return inner.kind === 'subquery' ? { start: 0, end: 0 } : inner;
}

function functionOf(name: string, context: KernelContext, scalars: readonly Float64Array[]): RangeFunction {
  switch (name) {
    case 'rate':
      return extrapolated(context, true, true);
    case 'increase':
      return extrapolated(context, true, false);
    case 'delta':
      return extrapolated(context, false, false);
    case 'irate':
      return { kernel: instantaneous(context, true) };
    case 'idelta':
      return { kernel: instantaneous(context, false) };
    default: {
      const make = OVER_TIME[name];
      if (make === undefined) throw new PromqlError('execution', `function ${name} has no evaluation`);
      const made = make(context, scalars);
      return typeof made === 'function' ? { kernel: made } : made;
    }
  }
}

/** Of series that gave at least one float and, by their names, might be gauges. */
function warnOfGauge(metricName: string, { present, histograms }: Column, context: KernelContext): void {
  if (metricName === '' || COUNTER_SUFFIX.test(metricName)) return;
  if (histograms === undefined || present.some((one, i) => one === 1 && histograms[i] === undefined))
    context.annotations.possibleNonCounter(metricName, context.position);
}

function warnOfQuantiles(
  kernel: Kernel,
  evaluation: Evaluation,
  arg: Position,
  quantiles: Float64Array | undefined,
): Kernel {
  return (window) => {
    const q = quantiles?.[window.step] ?? Number.NaN;
    if (!(q >= 0 && q <= 1) && window.hi > window.lo) evaluation.annotations.invalidQuantile(q, arg);
    return kernel(window);
  };
}
