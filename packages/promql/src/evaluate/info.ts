import { createMatcher, isStaleAt, type LabelMatcher, type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { type Call, type Expr, selectorsOf, unwrapParens } from '../syntax/index.ts';
import { argument, vectorArg } from './calls.ts';
import type { Evaluation } from './evaluation.ts';
import { referenceTime } from './selectors.ts';
import { type Column, dropName, type Grid, mergeColumns, newColumn, setHistogram, timeAt } from './values.ts';

const TARGET_INFO = createMatcher(METRIC_NAME, '=', 'target_info');
/** The labels that tie a series to its target. */
const IDENTIFYING = ['instance', 'job'] as const;
const IDENTIFYING_SET: ReadonlySet<string> = new Set(IDENTIFYING);

/** A series of an info metric; of each step the time of its newest sample, or NaN where there is none. */
interface InfoSeries {
  readonly labels: Labels;
  readonly sampleTimes: Float64Array;
}

/**
 * info(v, {selector}): the data labels of info metrics added to the series of the same target (promql/info.go). Prometheus
 * counts series anew at each step, and so mistakes one for another where some have no sample; here each keeps its own.
 */
export async function evaluateInfo(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const base = await vectorArg(evaluation, call, 0, grid);
  const second = call.args[1] === undefined ? undefined : unwrapParens(call.args[1]);
  const matchers = second?.kind === 'vector-selector' ? second.matchers : [];
  const names = matchers.filter(({ name }) => name === METRIC_NAME);
  const data = matchers.filter(({ name }) => name !== METRIC_NAME);
  // With a selector that names no metric, series of target_info are not spared.
  const ignored = second === undefined ? [TARGET_INFO] : names;
  const isIgnored = ({ labels }: Column): boolean =>
    ignored.some((matcher) => matcher.matches(labels.get(METRIC_NAME)));
  const plain = base.filter((column) => !isIgnored(column));
  const targets = IDENTIFYING.flatMap((name) => {
    const values = new Set(plain.flatMap(({ labels }) => labels.get(name) || []));
    return values.size === 0 ? [] : [{ name, values }];
  });
  const infos =
    targets.length === 0
      ? []
      : readInfos(evaluation, argument(call, 0), names.length === 0 ? [TARGET_INFO, ...data] : matchers, grid).filter(
          ({ labels }) => targets.every(({ name, values }) => values.has(labels.get(name))),
        );
  // Where no series names a target, the metric's name counts as data.
  const required = (targets.length === 0 ? matchers : data).some((matcher) => !matcher.matches(''));
  const wanted = new Set(data.map(({ name }) => name));
  const newest = new Map<string, NewestInfos>();
  for (const info of infos) {
    const { key } = info.labels.only(IDENTIFYING_SET);
    const known = newest.get(key) ?? new Map<string, InfoSeries[]>();
    newest.set(key, known);
    const name = info.labels.get(METRIC_NAME);
    known.set(name, [...(known.get(name) ?? []), info]);
  }
  refuseEqualTimes(base, newest, grid);
  const result: Column[] = [];
  for (const column of base) {
    if (isIgnored(column)) result.push(column);
    else
      result.push(
        ...enrich(column, newest.get(column.labels.only(IDENTIFYING_SET).key) ?? new Map(), wanted, required, grid),
      );
  }
  return mergeColumns(result);
}

/** The info series of one target by metric name. */
type NewestInfos = Map<string, InfoSeries[]>;

/** They are read for the times of the first selector of the argument, and looked up at those of evaluation. */
function readInfos(
  evaluation: Evaluation,
  arg: Expr,
  matchers: readonly LabelMatcher[],
  grid: Grid,
): readonly InfoSeries[] {
  const [selector] = selectorsOf(arg);
  const time = selector?.time ?? { offsetMs: 0 };
  const { lookbackDeltaMs } = evaluation.limits;
  const startMs = referenceTime(evaluation, time, grid.startMs) - lookbackDeltaMs + 1;
  const endMs = referenceTime(evaluation, time, timeAt(grid, grid.steps - 1));
  const infos: InfoSeries[] = [];
  for (const { labels, timestamps, values, histograms } of evaluation.reader.scan({ matchers, startMs, endMs })) {
    evaluation.hold(grid.steps);
    const sampleTimes = new Float64Array(grid.steps).fill(Number.NaN);
    let next = 0;
    for (let step = 0; step < grid.steps; step++) {
      const now = timeAt(grid, step);
      while (next < timestamps.length && (timestamps[next] ?? 0) <= Math.min(now, endMs)) next++;
      const newest = timestamps[next - 1] ?? Number.NEGATIVE_INFINITY;
      if (newest < startMs || newest <= now - lookbackDeltaMs || isStaleAt(values, next - 1)) continue;
      if (histograms?.[next - 1] !== undefined) throw new PromqlError('execution', 'info sample should be float');
      sampleTimes[step] = newest;
    }
    infos.push({ labels, sampleTimes });
  }
  return infos;
}

/** Of several series of one info metric and target the newest counts, which there must be. */
function newestOf(infos: readonly InfoSeries[], step: number): InfoSeries | undefined {
  let newest: InfoSeries | undefined;
  for (const info of infos) {
    const time = info.sampleTimes[step] ?? Number.NaN;
    if (Number.isNaN(time)) continue;
    const best = newest?.sampleTimes[step] ?? Number.NEGATIVE_INFINITY;
    if (time === best)
      throw new PromqlError('execution', `found duplicate series for info metric ${info.labels.get(METRIC_NAME)}`);
    if (time > best) newest = info;
  }
  return newest;
}

/** It is an error even where no series is of that target. */
function refuseEqualTimes(base: readonly Column[], infos: ReadonlyMap<string, NewestInfos>, grid: Grid): void {
  for (let step = 0; step < grid.steps; step++) {
    if (!base.some(({ present }) => present[step] === 1)) continue;
    for (const byName of infos.values()) for (const series of byName.values()) newestOf(series, step);
  }
}

function enrich(
  column: Column,
  infos: NewestInfos,
  wanted: ReadonlySet<string>,
  required: boolean,
  grid: Grid,
): Column[] {
  const outputs = new Map<string, Column>();
  for (let step = 0; step < grid.steps; step++) {
    if (column.present[step] !== 1) continue;
    const added = new Map<string, string>();
    for (const series of infos.values()) {
      const info = newestOf(series, step);
      if (info === undefined) continue;
      for (const [label, value] of dropName(info.labels)) {
        if ((wanted.size > 0 && !wanted.has(label)) || column.labels.has(label)) continue;
        const other = added.get(label);
        if (other !== undefined && other !== value) throw new PromqlError('execution', `conflicting label: ${label}`);
        added.set(label, value);
      }
    }
    if (added.size === 0 && required) continue;
    const labels = added.size === 0 ? column.labels : column.labels.with(Object.fromEntries(added));
    let out = outputs.get(labels.key);
    if (out === undefined) {
      out = newColumn(labels, grid.steps);
      outputs.set(labels.key, out);
    }
    const histogram = column.histograms?.[step];
    if (histogram !== undefined) setHistogram(out, step, histogram);
    out.values[step] = column.values[step] ?? 0;
    out.present[step] = 1;
  }
  return [...outputs.values()];
}
