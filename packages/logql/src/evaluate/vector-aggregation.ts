import type { Grouping, VectorAggregation } from '../syntax/ast.ts';
import { type Column, type Grid, newColumn, setAt } from './columns.ts';

interface Group {
  readonly labels: Column['labels'];
  readonly columns: Column[];
}

function groupColumns(columns: readonly Column[], grouping: Grouping | undefined): readonly Group[] {
  const groups = new Map<string, Group>();
  const names = new Set(grouping?.labels ?? []);
  for (const column of columns) {
    const labels = grouping?.without ? column.labels.without(names) : column.labels.only(names);
    const group = groups.get(labels.key);
    if (group === undefined) groups.set(labels.key, { labels, columns: [column] });
    else group.columns.push(column);
  }
  return [...groups.values()];
}

/** Vector aggregations (pkg/logql/evaluator.go, VectorAggEvaluator). */
export function aggregateVector(node: VectorAggregation, columns: readonly Column[], grid: Grid): readonly Column[] {
  switch (node.operation) {
    case 'sort':
    case 'sort_desc':
      return sorted(columns, node.operation === 'sort_desc', grid);
    case 'topk':
    case 'bottomk':
    case 'approx_topk':
      return ranked(node, columns, grid);
    default:
      return groupColumns(columns, node.grouping).map((group) => reduced(node, group, grid));
  }
}

function valuesAt(columns: readonly Column[], step: number): number[] {
  const values: number[] = [];
  for (const column of columns) if (column.present[step] === 1) values.push(column.values[step] ?? 0);
  return values;
}

function reduced(node: VectorAggregation, group: Group, grid: Grid): Column {
  const out = newColumn(group.labels, grid.steps);
  for (let step = 0; step < grid.steps; step++) {
    const values = valuesAt(group.columns, step);
    if (values.length > 0) setAt(out, step, reduce(node.operation, values));
  }
  return out;
}

function reduce(operation: VectorAggregation['operation'], values: readonly number[]): number {
  const sum = (): number => values.reduce((total, value) => total + value, 0);
  const variance = (): number => {
    const mean = sum() / values.length;
    return values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  };
  switch (operation) {
    case 'sum':
      return sum();
    case 'avg':
      return sum() / values.length;
    case 'count':
      return values.length;
    case 'min':
      return values.reduce((best, value) => (value < best || Number.isNaN(best) ? value : best));
    case 'max':
      return values.reduce((best, value) => (value > best || Number.isNaN(best) ? value : best));
    case 'stddev':
      return Math.sqrt(variance());
    case 'stdvar':
      return variance();
    default:
      return Number.NaN;
  }
}

function compareValues(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a - b;
}

function sorted(columns: readonly Column[], descending: boolean, grid: Grid): readonly Column[] {
  if (grid.steps > 1) return columns;
  const sign = descending ? -1 : 1;
  return [...columns].sort((a, b) => sign * compareValues(a.values[0] ?? 0, b.values[0] ?? 0));
}

function ranked(node: VectorAggregation, columns: readonly Column[], grid: Grid): readonly Column[] {
  const sign = node.operation === 'bottomk' ? 1 : -1;
  const kept = new Map<Column, Column>();
  for (const group of groupColumns(columns, node.grouping))
    for (let step = 0; step < grid.steps; step++) {
      const best = group.columns
        .filter((column) => column.present[step] === 1)
        .sort((a, b) => sign * compareValues(a.values[step] ?? 0, b.values[step] ?? 0))
        .slice(0, node.param ?? 0);
      for (const column of best) {
        const out = kept.get(column) ?? newColumn(column.labels, grid.steps);
        kept.set(column, out);
        setAt(out, step, column.values[step] ?? 0);
      }
    }
  return grid.steps === 1 ? [...kept.values()] : columns.flatMap((column) => kept.get(column) ?? []);
}
