import { createMatcher, type LabelMatcher, type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { type Call, unwrapParens, type VectorSelector } from '../syntax/index.ts';
import { argument, vectorArg } from './calls.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluateVectorSelector } from './selectors.ts';
import { type Column, dropName, type Grid, mergeColumns, newColumn, setHistogram } from './values.ts';

const TARGET_INFO = 'target_info';
/** The labels that tie a series to its target. */
const IDENTIFYING: ReadonlySet<string> = new Set(['instance', 'job']);

/** info(v, {selector}): the data labels of info metrics added to the series of the same target (promql/info.go). */
export async function evaluateInfo(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const base = await vectorArg(evaluation, call, 0, grid);
  const second = call.args[1] === undefined ? undefined : unwrapParens(call.args[1]);
  const selector = second?.kind === 'vector-selector' ? second : undefined;
  const data = new Map<string, LabelMatcher[]>();
  const infoNames: LabelMatcher[] = [];
  for (const matcher of selector?.matchers ?? []) {
    if (matcher.name === METRIC_NAME) infoNames.push(matcher);
    else data.set(matcher.name, [...(data.get(matcher.name) ?? []), matcher]);
  }
  if (infoNames.length === 0) infoNames.push(createMatcher(METRIC_NAME, '=', TARGET_INFO));
  const argPosition = argument(call, 0);
  const infoSelector: VectorSelector = {
    kind: 'vector-selector',
    name: '',
    matchers: [...infoNames, ...[...data.values()].flat()],
    time: { offsetMs: 0 },
    start: argPosition.start,
    end: argPosition.end,
  };
  const infos = await evaluateVectorSelector(evaluation, infoSelector, grid);
  const byTarget = new Map<string, Column[]>();
  for (const info of infos) {
    const { key } = info.labels.only(IDENTIFYING);
    byTarget.set(key, [...(byTarget.get(key) ?? []), info]);
  }
  const required = [...data.values()].flat().some((matcher) => !matcher.matches(''));
  const isInfo = (labels: Labels): boolean => infoNames.every((matcher) => matcher.matches(labels.get(METRIC_NAME)));
  const result: Column[] = [];
  for (const column of base) {
    if (isInfo(column.labels)) {
      result.push(column);
      continue;
    }
    result.push(...enrich(column, byTarget.get(column.labels.only(IDENTIFYING).key) ?? [], data, required, grid));
  }
  return mergeColumns(result);
}

function enrich(
  column: Column,
  infos: readonly Column[],
  data: ReadonlyMap<string, readonly LabelMatcher[]>,
  required: boolean,
  grid: Grid,
): Column[] {
  const outputs = new Map<string, Column>();
  for (let step = 0; step < grid.steps; step++) {
    if (column.present[step] !== 1) continue;
    const added = new Map<string, string>();
    const seen = new Set<string>();
    for (const info of infos) {
      if (info.present[step] !== 1) continue;
      const name = info.labels.get(METRIC_NAME);
      if (seen.has(name))
        throw new PromqlError('execution', `found duplicate series for info metric: existing ${name}, new ${name}`);
      seen.add(name);
      for (const [label, value] of dropName(info.labels)) {
        if (IDENTIFYING.has(label) || (data.size > 0 && !data.has(label)) || column.labels.has(label)) continue;
        const other = added.get(label);
        if (other !== undefined && other !== value) throw new PromqlError('execution', `conflicting label: ${label}`);
        added.set(label, value);
      }
    }
    if (seen.size === 0 && required) continue;
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
