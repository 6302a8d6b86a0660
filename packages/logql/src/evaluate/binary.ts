import type { Labels } from '@kind-e2e/telemetry';
import { LogqlError } from '../results.ts';
import { type BinaryExpr, isComparison, isSetOperator, type VectorMatching } from '../syntax/ast.ts';
import { floatOperation } from '../syntax/scalar-operations.ts';
import { type Column, type Grid, type MetricValue, newColumn, setAt } from './columns.ts';

/** Binary operations between vectors and literals (pkg/logql/evaluator.go, BinOpStepEvaluator). */
export function evaluateBinary(node: BinaryExpr, left: MetricValue, right: MetricValue, grid: Grid): MetricValue {
  if (left.kind === 'scalar' && right.kind === 'scalar')
    return { kind: 'scalar', value: floatOperation(node.operator)(left.value, right.value) };
  if (left.kind === 'vector' && right.kind === 'vector')
    return {
      kind: 'vector',
      columns: isSetOperator(node.operator)
        ? setOperation(node, left.columns, right.columns, grid)
        : match(node, left.columns, right.columns, grid),
    };
  if (left.kind === 'vector' && right.kind === 'scalar')
    return { kind: 'vector', columns: withLiteral(node, left.columns, right.value, false) };
  if (left.kind === 'scalar' && right.kind === 'vector')
    return { kind: 'vector', columns: withLiteral(node, right.columns, left.value, true) };
  return { kind: 'vector', columns: [] };
}

function withLiteral(node: BinaryExpr, columns: readonly Column[], literal: number, literalLeft: boolean): Column[] {
  const operation = floatOperation(node.operator);
  const filters = isComparison(node.operator) && !node.bool;
  return columns.map((column) => {
    const out = newColumn(column.labels, column.values.length);
    column.values.forEach((value, step) => {
      if (column.present[step] !== 1) return;
      const computed = literalLeft ? operation(literal, value) : operation(value, literal);
      if (!filters) setAt(out, step, computed);
      else if (computed !== 0) setAt(out, step, value);
    });
    return out;
  });
}

function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  const names = new Set(matching.labels);
  return matching.on ? labels.only(names) : labels.without(names);
}

function match(node: BinaryExpr, left: readonly Column[], right: readonly Column[], grid: Grid): Column[] {
  const { matching } = node;
  const swapped = matching.cardinality === 'one-to-many';
  const [many, one] = swapped ? [right, left] : [left, right];
  const operation = floatOperation(node.operator);
  const comparison = isComparison(node.operator);
  const outputs = new Map<string, Column>();
  const manyKeys = many.map((column) => matchLabels(column.labels, matching).key);
  const oneKeys = one.map((column) => matchLabels(column.labels, matching).key);
  for (let step = 0; step < grid.steps; step++) {
    const oneAt = new Map<string, Column>();
    one.forEach((column, i) => {
      if (column.present[step] !== 1) return;
      const key = oneKeys[i] ?? '';
      if (oneAt.has(key))
        throw new LogqlError(
          'internal',
          `found duplicate series on the ${swapped ? 'left' : 'right'} hand-side;many-to-many matching not allowed: matching labels must be unique on one side`,
        );
      oneAt.set(key, column);
    });
    const written = new Map<string, Set<string>>();
    many.forEach((column, i) => {
      const key = manyKeys[i] ?? '';
      const partner = column.present[step] === 1 ? oneAt.get(key) : undefined;
      if (partner === undefined) return;
      const labels = resultLabels(node, column.labels, partner.labels);
      const known = written.get(key);
      if (matching.cardinality === 'one-to-one' ? known !== undefined : known?.has(labels.key) === true)
        throw new LogqlError(
          'internal',
          matching.cardinality === 'one-to-one'
            ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
            : 'multiple matches for labels: grouping labels must ensure unique matches',
        );
      if (known === undefined) written.set(key, new Set([labels.key]));
      else known.add(labels.key);
      const manyValue = column.values[step] ?? 0;
      const oneValue = partner.values[step] ?? 0;
      const leftValue = swapped ? oneValue : manyValue;
      let value = operation(leftValue, swapped ? manyValue : oneValue);
      if (comparison && !node.bool) {
        if (value === 0) return;
        value = leftValue;
      }
      const out = outputs.get(labels.key) ?? newColumn(labels, grid.steps);
      outputs.set(labels.key, out);
      setAt(out, step, value);
    });
  }
  return [...outputs.values()];
}

function resultLabels(node: BinaryExpr, many: Labels, one: Labels): Labels {
  const { matching } = node;
  if (matching.cardinality === 'one-to-one') return matchLabels(many, matching);
  if (matching.include.length === 0) return many;
  return many.with(Object.fromEntries(matching.include.map((name) => [name, one.get(name)])));
}

function setOperation(node: BinaryExpr, left: readonly Column[], right: readonly Column[], grid: Grid): Column[] {
  const keyOf = (column: Column): string => matchLabels(column.labels, node.matching).key;
  const maskOf = (columns: readonly Column[]): Map<string, Uint8Array> => {
    const masks = new Map<string, Uint8Array>();
    for (const column of columns) {
      const mask = masks.get(keyOf(column)) ?? new Uint8Array(grid.steps);
      column.present.forEach((present, step) => {
        if (present === 1) mask[step] = 1;
      });
      masks.set(keyOf(column), mask);
    }
    return masks;
  };
  const keep = (column: Column, masks: Map<string, Uint8Array>, wanted: 0 | 1): Column => {
    const mask = masks.get(keyOf(column));
    return {
      ...column,
      present: column.present.map((present, step) => (present === 1 && (mask?.[step] ?? 0) === wanted ? 1 : 0)),
    };
  };
  if (node.operator === 'and') return left.map((column) => keep(column, maskOf(right), 1));
  if (node.operator === 'unless') return left.map((column) => keep(column, maskOf(right), 0));
  const masks = maskOf(left);
  const outputs = new Map<string, Column>();
  for (const column of [...left, ...right.map((one) => keep(one, masks, 0))]) {
    const known = outputs.get(column.labels.key);
    if (known === undefined) {
      outputs.set(column.labels.key, { ...column, values: column.values.slice(), present: column.present.slice() });
      continue;
    }
    column.present.forEach((present, step) => {
      if (present === 1) setAt(known, step, column.values[step] ?? 0);
    });
  }
  return [...outputs.values()];
}
