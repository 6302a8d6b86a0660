import { type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { isComparison } from '../syntax/ast.ts';
import type { BinaryExpr, VectorMatching } from '../syntax/index.ts';
import { annotateProblem, type ElementProblem, floatOperation, histogramOperation } from './binary-element.ts';
import type { Evaluation } from './evaluation.ts';
import { matchUnique } from './unique-matching.ts';
import { type Column, dropName, type Grid, labelsText, newColumn, setHistogram } from './values.ts';

/** The labels by which two series are a match. */
function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  const names = new Set(matching.labels);
  if (matching.on) return labels.only(names);
  names.add(METRIC_NAME);
  return labels.without(names);
}

/** A number for each series, the same for series that match; -1 has no meaning. */
function signatures(
  matching: VectorMatching,
  sides: readonly (readonly Column[])[],
): { ids: Int32Array[]; count: number } {
  const known = new Map<string, number>();
  const ids = sides.map((columns) =>
    Int32Array.from(columns, (column) => {
      const { key } = matchLabels(column.labels, matching);
      let id = known.get(key);
      if (id === undefined) {
        id = known.size;
        known.set(key, id);
      }
      return id;
    }),
  );
  return { ids, count: known.size };
}

const MANY_TO_MANY = 'many-to-many matching not allowed: matching labels must be unique on one side';

/** Arithmetic and comparison between instant vectors (promql/engine.go, VectorBinop). */
export async function matchVectors(
  evaluation: Evaluation,
  node: BinaryExpr,
  leftColumns: readonly Column[],
  rightColumns: readonly Column[],
  grid: Grid,
): Promise<readonly Column[]> {
  const { matching } = node;
  const swapped = matching.cardinality === 'one-to-many';
  const many = swapped ? rightColumns : leftColumns;
  const one = swapped ? leftColumns : rightColumns;
  const { ids, count } = signatures(matching, [many, one]);
  const manyIds = ids[0] ?? new Int32Array();
  const oneIds = ids[1] ?? new Int32Array();
  const sides = { many, manyIds, one, oneIds, count, swapped };
  const unique = await matchUnique(evaluation, node, sides, (ofMany, ofOne) => resultLabels(node, ofMany, ofOne));
  if (unique !== undefined) return unique;
  const grouped = matching.cardinality !== 'one-to-one';
  const operation = floatOperation(node.op);
  const comparison = isComparison(node.op);
  const outputs = new Map<string, Column>();
  const pairs = new Map<number, Column>();
  const oneAt = new Int32Array(count);
  const manyAt = new Int32Array(count);
  const writtenAt = new Map<Column, number>();

  const outputOf = (manyIndex: number, oneIndex: number): Column => {
    const pair = manyIndex * one.length + oneIndex;
    let out = pairs.get(pair);
    if (out !== undefined) return out;
    const labels = resultLabels(node, many[manyIndex]?.labels, one[oneIndex]?.labels);
    out = outputs.get(labels.key) ?? newColumn(labels, grid.steps);
    outputs.set(labels.key, out);
    pairs.set(pair, out);
    return out;
  };

  for (let step = 0; step < grid.steps; step++) {
    // Where one side is empty nothing can match, so what else is wrong there is not looked for.
    if (!many.some(({ present }) => present[step] === 1) || !one.some(({ present }) => present[step] === 1)) continue;
    oneAt.fill(-1);
    manyAt.fill(-1);
    for (let r = 0; r < one.length; r++) {
      const column = one[r];
      if (column === undefined || column.present[step] !== 1) continue;
      const id = oneIds[r] ?? 0;
      const other = oneAt[id] ?? -1;
      if (other >= 0) throw duplicates(matching, swapped, column.labels, one[other]?.labels ?? column.labels);
      oneAt[id] = r;
    }
    let problem: ElementProblem | undefined;
    for (let l = 0; l < many.length; l++) {
      const column = many[l];
      if (column === undefined || column.present[step] !== 1) continue;
      const id = manyIds[l] ?? 0;
      const r = oneAt[id] ?? -1;
      const partner = r < 0 ? undefined : one[r];
      if (partner === undefined) continue;
      const leftColumn = swapped ? partner : column;
      const rightColumn = swapped ? column : partner;
      const leftHistogram = leftColumn.histograms?.[step];
      const rightHistogram = rightColumn.histograms?.[step];
      const leftValue = leftColumn.values[step] ?? 0;
      const rightValue = rightColumn.values[step] ?? 0;
      let value: number;
      let histogram = leftHistogram;
      let keep = true;
      if (leftHistogram === undefined && rightHistogram === undefined) {
        value = operation(leftValue, rightValue);
        if (comparison) {
          keep = value !== 0;
          if (!node.bool) value = leftValue;
        }
      } else {
        const computed = histogramOperation(
          node,
          { value: leftValue, histogram: leftHistogram },
          { value: rightValue, histogram: rightHistogram },
        );
        if (computed.problem !== undefined) {
          problem = computed.problem;
          continue;
        }
        keep = computed.keep;
        histogram = computed.histogram;
        value = computed.value;
        if (node.bool) {
          histogram = undefined;
          value = keep ? 1 : 0;
        }
      }
      if (!keep && !node.bool) continue;
      const out = outputOf(l, r);
      if (!grouped) {
        if ((manyAt[id] ?? -1) >= 0)
          throw new PromqlError(
            'execution',
            'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
          );
        manyAt[id] = l;
      } else if (writtenAt.get(out) === step)
        throw new PromqlError('execution', 'multiple matches for labels: grouping labels must ensure unique matches');
      writtenAt.set(out, step);
      if (histogram !== undefined) setHistogram(out, step, histogram);
      out.values[step] = value;
      out.present[step] = 1;
    }
    annotateProblem(evaluation, node, problem);
    if (evaluation.needsPause) await evaluation.pause();
  }
  const result = [...outputs.values()];
  evaluation.hold(result.length * grid.steps);
  return result;
}

function duplicates(matching: VectorMatching, swapped: boolean, current: Labels, other: Labels): PromqlError {
  const group = labelsText(matchLabels(current, matching));
  const side = swapped ? 'left' : 'right';
  return new PromqlError(
    'execution',
    `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${labelsText(current)}, ${labelsText(other)}];${MANY_TO_MANY}`,
  );
}

function resultLabels(node: BinaryExpr, many: Labels | undefined, one: Labels | undefined): Labels {
  if (many === undefined || one === undefined) throw new PromqlError('execution', 'a match without its series');
  const { matching } = node;
  let labels = isComparison(node.op) && !node.bool ? many : dropName(many);
  if (matching.cardinality === 'one-to-one') {
    const names = new Set(matching.labels);
    labels = matching.on ? labels.only(names) : labels.without(names);
  }
  if (matching.include.length === 0) return labels;
  return labels.with(Object.fromEntries(matching.include.map((name) => [name, one.get(name)])));
}

/** and, or, unless. */
export function evaluateSetOperation(
  node: BinaryExpr,
  left: readonly Column[],
  right: readonly Column[],
  grid: Grid,
): readonly Column[] {
  const { ids } = signatures(node.matching, [left, right]);
  const leftIds = ids[0] ?? new Int32Array();
  const rightIds = ids[1] ?? new Int32Array();
  const { steps } = grid;
  const [masking, maskIds] = node.op === 'or' ? [left, leftIds] : [right, rightIds];
  const present = new Map<number, Uint8Array>();
  masking.forEach((column, index) => {
    const id = maskIds[index] ?? 0;
    const mask = present.get(id) ?? new Uint8Array(steps);
    for (let i = 0; i < steps; i++) if (column.present[i] === 1) mask[i] = 1;
    present.set(id, mask);
  });
  const none = new Uint8Array(steps);
  const filter = (column: Column, id: number, wanted: 0 | 1): Column | undefined => {
    const mask = present.get(id) ?? none;
    const kept = new Uint8Array(steps);
    let found = false;
    for (let i = 0; i < steps; i++) {
      if (column.present[i] !== 1 || mask[i] !== wanted) continue;
      kept[i] = 1;
      found = true;
    }
    return found ? { ...column, present: kept } : undefined;
  };
  if (node.op === 'or') {
    const extra = right.flatMap((column, index) => filter(column, rightIds[index] ?? 0, 0) ?? []);
    return joinEqual([...left, ...extra], steps);
  }
  return left.flatMap((column, index) => filter(column, leftIds[index] ?? 0, node.op === 'and' ? 1 : 0) ?? []);
}

/** Series of both sides with the same labels are one series of the result. */
function joinEqual(columns: readonly Column[], steps: number): readonly Column[] {
  const byKey = new Map<string, Column>();
  for (const column of columns) {
    const known = byKey.get(column.labels.key);
    if (known === undefined) {
      byKey.set(column.labels.key, column);
      continue;
    }
    const joined = newColumn(column.labels, steps);
    for (const part of [known, column])
      for (let i = 0; i < steps; i++) {
        if (part.present[i] !== 1) continue;
        const histogram = part.histograms?.[i];
        if (histogram !== undefined) setHistogram(joined, i, histogram);
        joined.values[i] = part.values[i] ?? 0;
        joined.present[i] = 1;
      }
    byKey.set(column.labels.key, joined);
  }
  return [...byKey.values()];
}
