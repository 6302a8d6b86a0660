import { type LabelMatcher, Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { type Expr, unwrapParens } from '../syntax/index.ts';
import { ColumnVisitor } from './column-sink.ts';
import type { Evaluation } from './evaluation.ts';
import { applyRangeFunction, type RangeVector } from './range-vectors.ts';
import { type Column, type Grid, newColumn } from './values.ts';

/** The labels of what is missing: those that the selector says by `=` once (promql/functions.go, createLabelsForAbsentFunction). */
function absentLabels(expr: Expr): Labels {
  const inner = unwrapParens(expr);
  const selector = inner.kind === 'matrix-selector' ? inner.selector : inner;
  if (selector.kind !== 'vector-selector') return Labels.EMPTY;
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const matcher of inOrderOfSelection(selector.matchers)) {
    if (matcher.name === METRIC_NAME) continue;
    if (matcher.operator === '=' && !seen.has(matcher.name)) {
      values.set(matcher.name, matcher.value);
      seen.add(matcher.name);
    } else values.delete(matcher.name);
  }
  return Labels.from(values);
}

/** To look series up, Prometheus puts conditions that an absent label meets behind all others (tsdb/querier.go, PostingsForMatchers). */
function inOrderOfSelection(matchers: readonly LabelMatcher[]): readonly LabelMatcher[] {
  const mustBeSet = new Set(matchers.flatMap((matcher) => (matcher.matches('') ? [] : matcher.name)));
  const subtracts = (matcher: LabelMatcher): boolean =>
    !mustBeSet.has(matcher.name) || (matcher.operator.startsWith('!') && matcher.matches(''));
  return [...matchers.filter((matcher) => !subtracts(matcher)), ...matchers.filter(subtracts)];
}

function where(labels: Labels, grid: Grid, isPresent: (step: number) => boolean): readonly Column[] {
  const column = newColumn(labels, grid.steps);
  let found = false;
  for (let i = 0; i < grid.steps; i++) {
    if (isPresent(i)) continue;
    column.values[i] = 1;
    column.present[i] = 1;
    found = true;
  }
  return found ? [column] : [];
}

export function absent(expr: Expr, columns: readonly Column[], grid: Grid): readonly Column[] {
  return where(absentLabels(expr), grid, (step) => columns.some((column) => column.present[step] === 1));
}

export async function absentOverTime(
  evaluation: Evaluation,
  expr: Expr,
  range: RangeVector,
  grid: Grid,
): Promise<readonly Column[]> {
  const present = new Uint8Array(grid.steps);
  const visitor = new ColumnVisitor(grid.steps, Labels.EMPTY, (column) => {
    for (let i = 0; i < present.length; i++) if (column.present[i] === 1) present[i] = 1;
  });
  await applyRangeFunction(evaluation, range, grid, { kernel: () => true }, (series) => series.labels, visitor);
  return where(absentLabels(expr), grid, (step) => present[step] === 1);
}
