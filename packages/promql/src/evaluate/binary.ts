import { isComparison, isSetOperator } from '../syntax/ast.ts';
import type { BinaryExpr } from '../syntax/index.ts';
import { annotateProblem, floatOperation, histogramOperation } from './binary-element.ts';
import type { Evaluation } from './evaluation.ts';
import { type Column, dropName, type Grid, mergeColumns, newColumn, setHistogram, type Value } from './values.ts';
import { evaluateSetOperation, matchVectors } from './vector-matching.ts';

export async function evaluateBinary(evaluation: Evaluation, node: BinaryExpr, grid: Grid): Promise<Value> {
  const left = await evaluation.evaluate(node.left, grid);
  const right = await evaluation.evaluate(node.right, grid);
  if (left.type === 'scalar' && right.type === 'scalar') {
    const operation = floatOperation(node.op);
    return {
      type: 'scalar',
      values: left.values.map((value, step) => operation(value, right.values[step] ?? Number.NaN)),
    };
  }
  if (left.type === 'vector' && right.type === 'vector') {
    const columns = isSetOperator(node.op)
      ? evaluateSetOperation(node, left.columns, right.columns, grid)
      : await matchVectors(evaluation, node, left.columns, right.columns, grid);
    return { type: 'vector', columns };
  }
  if (left.type === 'vector' && right.type === 'scalar')
    return { type: 'vector', columns: withScalar(evaluation, node, left.columns, right.values, false) };
  if (left.type === 'scalar' && right.type === 'vector')
    return { type: 'vector', columns: withScalar(evaluation, node, right.columns, left.values, true) };
  return { type: 'vector', columns: [] };
}

/** A vector and a scalar; a comparison without bool keeps the vector's value on whichever side it stands. */
function withScalar(
  evaluation: Evaluation,
  node: BinaryExpr,
  columns: readonly Column[],
  scalars: Float64Array,
  scalarLeft: boolean,
): readonly Column[] {
  const operation = floatOperation(node.op);
  const filters = isComparison(node.op) && !node.bool;
  const result: Column[] = [];
  for (const column of columns) {
    const steps = column.values.length;
    const out = newColumn(filters ? column.labels : dropName(column.labels), steps);
    let found = false;
    for (let i = 0; i < steps; i++) {
      if (column.present[i] !== 1) continue;
      const histogram = column.histograms?.[i];
      const scalar = scalars[i] ?? Number.NaN;
      if (histogram !== undefined) {
        const vectorSide = { value: 0, histogram };
        const scalarSide = { value: scalar, histogram: undefined };
        const computed = scalarLeft
          ? histogramOperation(node, scalarSide, vectorSide)
          : histogramOperation(node, vectorSide, scalarSide);
        annotateProblem(evaluation, node, computed.problem);
        if (!computed.keep || computed.histogram === undefined) continue;
        setHistogram(out, i, computed.histogram);
        found = true;
        continue;
      }
      const value = column.values[i] ?? 0;
      const computed = scalarLeft ? operation(scalar, value) : operation(value, scalar);
      if (filters) {
        if (computed === 0) continue;
        out.values[i] = value;
      } else out.values[i] = computed;
      out.present[i] = 1;
      found = true;
    }
    if (found) result.push(out);
  }
  return filters ? result : mergeColumns(result);
}
