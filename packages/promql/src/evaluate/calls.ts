import { Labels } from '@kind-e2e/telemetry';
import { DATE_PARTS, ELEMENTWISE } from '../functions/elementwise.ts';
import { PromqlError } from '../results.ts';
import { type Call, type Expr, type Position, unwrapParens } from '../syntax/index.ts';
import { absent } from './absent.ts';
import type { Evaluation } from './evaluation.ts';
import { histogramFunction, isHistogramFunction } from './histogram-functions.ts';
import { evaluateInfo } from './info.ts';
import { labelJoining, labelReplacement } from './label-functions.ts';
import { evaluateRangeFunction, isRangeFunction } from './range-functions.ts';
import { evaluateVectorSelector } from './selectors.ts';
import { sortByLabels, sortByValue } from './sorting.ts';
import { isStepInvariant } from './step-invariance.ts';
import { type Column, dropName, type Grid, mergeColumns, newColumn, timeAt, type Value } from './values.ts';

/** Evaluates a function call (promql/functions.go). */
export async function evaluateCall(evaluation: Evaluation, call: Call, grid: Grid): Promise<Value> {
  const { name } = call.fn;
  if (isRangeFunction(call)) return vector(await evaluateRangeFunction(evaluation, call, grid));
  const elementwise = ELEMENTWISE[name];
  if (elementwise !== undefined) return vector(mapFloats(await vectorArg(evaluation, call, 0, grid), elementwise));
  const datePart = DATE_PARTS[name];
  if (datePart !== undefined) return vector(await evaluateDatePart(evaluation, call, datePart, grid));
  if (isHistogramFunction(name)) return vector(await histogramFunction(evaluation, call, grid));
  switch (name) {
    case 'time':
      return { type: 'scalar', values: Float64Array.from({ length: grid.steps }, (_, i) => timeAt(grid, i) / 1000) };
    case 'pi':
      return { type: 'scalar', values: new Float64Array(grid.steps).fill(Math.PI) };
    case 'vector':
      return vector([{ ...emptyLabelled(grid), values: await scalarArg(evaluation, call, 0, grid) }]);
    case 'scalar':
      return { type: 'scalar', values: toScalar(await vectorArg(evaluation, call, 0, grid), grid) };
    case 'timestamp':
      return vector(await evaluateTimestamp(evaluation, call, grid));
    case 'clamp':
    case 'clamp_min':
    case 'clamp_max':
      return vector(await evaluateClamp(evaluation, call, grid));
    case 'round':
      return vector(await evaluateRound(evaluation, call, grid));
    case 'absent':
      return vector(absent(argument(call, 0), await vectorArg(evaluation, call, 0, grid), grid));
    case 'sort':
    case 'sort_desc':
      return vector(sortByValue(await vectorArg(evaluation, call, 0, grid), name === 'sort_desc', grid));
    case 'sort_by_label':
    case 'sort_by_label_desc': {
      const names = call.args.slice(1).map(stringOf);
      return vector(
        sortByLabels(await vectorArg(evaluation, call, 0, grid), names, name === 'sort_by_label_desc', grid),
      );
    }
    case 'label_replace':
    case 'label_join': {
      const args = call.args.slice(1).map(stringOf);
      const relabel = name === 'label_replace' ? labelReplacement(args) : labelJoining(args);
      return vector(relabel(await vectorArg(evaluation, call, 0, grid)));
    }
    case 'info':
      return vector(await evaluateInfo(evaluation, call, grid));
    default:
      throw new PromqlError('execution', `function ${name} has no evaluation`);
  }
}

function vector(columns: readonly Column[]): Value {
  return { type: 'vector', columns };
}

export function argument(call: Call, index: number): Expr {
  const arg = call.args[index];
  if (arg === undefined) throw new PromqlError('execution', `${call.fn.name} lacks argument ${index + 1}`);
  return arg;
}

/**
 * Where an argument is written, for warnings: inside of its parentheses, unless Prometheus has put it into a node of its own
 * because its value is the same at every step and the call's is not.
 */
export function position(call: Call, index: number): Position {
  const arg = argument(call, index);
  return isStepInvariant(arg) && !isStepInvariant(call) ? arg : unwrapParens(arg);
}

export function stringOf(expr: Expr): string {
  const inner = unwrapParens(expr);
  return inner.kind === 'string' ? inner.value : '';
}

export async function vectorArg(
  evaluation: Evaluation,
  call: Call,
  index: number,
  grid: Grid,
): Promise<readonly Column[]> {
  const value = await evaluation.evaluate(argument(call, index), grid);
  return value.type === 'vector' ? value.columns : [];
}

export async function scalarArg(evaluation: Evaluation, call: Call, index: number, grid: Grid): Promise<Float64Array> {
  const value = await evaluation.evaluate(argument(call, index), grid);
  return value.type === 'scalar' ? value.values : new Float64Array(grid.steps).fill(Number.NaN);
}

function emptyLabelled(grid: Grid): Column {
  const column = newColumn(Labels.EMPTY, grid.steps);
  column.present.fill(1);
  return column;
}

/** The function of every float, without metric names; histograms are left out. */
function mapFloats(columns: readonly Column[], map: (value: number, step: number) => number): readonly Column[] {
  const result: Column[] = [];
  for (const column of columns) {
    const out = newColumn(dropName(column.labels), column.values.length);
    let found = false;
    for (let i = 0; i < column.values.length; i++) {
      if (column.present[i] !== 1 || column.histograms?.[i] !== undefined) continue;
      out.values[i] = map(column.values[i] ?? 0, i);
      out.present[i] = 1;
      found = true;
    }
    if (found) result.push(out);
  }
  return mergeColumns(result);
}

async function evaluateDatePart(
  evaluation: Evaluation,
  call: Call,
  part: (seconds: number) => number,
  grid: Grid,
): Promise<readonly Column[]> {
  if (call.args.length > 0) return mapFloats(await vectorArg(evaluation, call, 0, grid), part);
  const column = emptyLabelled(grid);
  for (let i = 0; i < grid.steps; i++) column.values[i] = part(timeAt(grid, i) / 1000);
  return [column];
}

function toScalar(columns: readonly Column[], grid: Grid): Float64Array {
  const values = new Float64Array(grid.steps).fill(Number.NaN);
  for (let i = 0; i < grid.steps; i++) {
    let count = 0;
    for (const column of columns) {
      if (column.present[i] !== 1 || column.histograms?.[i] !== undefined) continue;
      values[i] = ++count === 1 ? (column.values[i] ?? 0) : Number.NaN;
    }
  }
  return values;
}

/** Of a plain selector the samples' own times; of other vectors the moment of evaluation. */
async function evaluateTimestamp(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const inner = unwrapParens(argument(call, 0));
  if (inner.kind === 'vector-selector') {
    const columns = await evaluateVectorSelector(evaluation, inner, grid, 'timestamp');
    return mergeColumns(columns.map((column) => ({ ...column, labels: dropName(column.labels) })));
  }
  const columns = await vectorArg(evaluation, call, 0, grid);
  return mergeColumns(
    columns.map((column) => ({
      labels: dropName(column.labels),
      values: column.values.map((_, i) => timeAt(grid, i) / 1000),
      present: column.present,
    })),
  );
}

/** Go's math.Max and math.Min: an infinity on the winning side wins over NaN too. */
function larger(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b);
}

function smaller(a: number, b: number): number {
  return a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b);
}

async function evaluateClamp(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const columns = await vectorArg(evaluation, call, 0, grid);
  const first = await scalarArg(evaluation, call, 1, grid);
  const at = (scalars: Float64Array, step: number): number => scalars[step] ?? Number.NaN;
  if (call.fn.name === 'clamp_min') return mapFloats(columns, (value, i) => larger(at(first, i), value));
  if (call.fn.name === 'clamp_max') return mapFloats(columns, (value, i) => smaller(at(first, i), value));
  const second = await scalarArg(evaluation, call, 2, grid);
  const possible = columns.map((column) => ({
    ...column,
    present: column.present.map((present, i) => (at(second, i) < at(first, i) ? 0 : present)),
  }));
  return mapFloats(possible, (value, i) => larger(at(first, i), smaller(at(second, i), value)));
}

async function evaluateRound(evaluation: Evaluation, call: Call, grid: Grid): Promise<readonly Column[]> {
  const columns = await vectorArg(evaluation, call, 0, grid);
  const nearest = call.args.length > 1 ? await scalarArg(evaluation, call, 1, grid) : undefined;
  return mapFloats(columns, (value, i) => {
    const inverse = 1 / (nearest === undefined ? 1 : (nearest[i] ?? Number.NaN));
    return Math.floor(value * inverse + 0.5) / inverse;
  });
}
