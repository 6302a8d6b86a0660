import type { Labels } from '@kind-e2e/telemetry';
import { isComparison } from '../syntax/ast.ts';
import type { BinaryExpr } from '../syntax/index.ts';
import { floatOperation } from './binary-element.ts';
import type { Evaluation } from './evaluation.ts';
import { type Column, newColumn } from './values.ts';

/** The columns of both sides, and for each the number of what it is matched by. */
export interface MatchSides {
  readonly many: readonly Column[];
  readonly manyIds: Int32Array;
  readonly one: readonly Column[];
  readonly oneIds: Int32Array;
  /** Numbers are below it. */
  readonly count: number;
  /** The side `one` is written on the left. */
  readonly swapped: boolean;
}

/**
 * The usual match, series by series: no two series of the side `one` (of either side where it is one to one) are matched
 * by the same labels at any step, no two results have equal labels, and there are no histograms. Nothing can then go
 * wrong at a step. Undefined where it is not so.
 */
export async function matchUnique(
  evaluation: Evaluation,
  node: BinaryExpr,
  { many, manyIds, one, oneIds, count, swapped }: MatchSides,
  labelsOf: (many: Labels, one: Labels) => Labels,
): Promise<readonly Column[] | undefined> {
  const hasHistograms = (column: Column): boolean => column.histograms !== undefined;
  if (!isUnique(oneIds, count) || one.some(hasHistograms) || many.some(hasHistograms)) return undefined;
  if (node.matching.cardinality === 'one-to-one' && !isUnique(manyIds, count)) return undefined;
  const partners = new Int32Array(count).fill(-1);
  oneIds.forEach((id, index) => {
    partners[id] = index;
  });
  const pairs: { labels: Labels; column: Column; partner: Column }[] = [];
  const keys = new Set<string>();
  for (let i = 0; i < many.length; i++) {
    const column = many[i];
    const partner = one[partners[manyIds[i] ?? 0] ?? -1];
    if (column === undefined || partner === undefined) continue;
    const labels = labelsOf(column.labels, partner.labels);
    keys.add(labels.key);
    pairs.push({ labels, column, partner });
    if (keys.size < pairs.length) return undefined;
  }
  const result: Column[] = [];
  for (const { labels, column, partner } of pairs) {
    evaluation.hold(column.values.length);
    const out = newColumn(labels, column.values.length);
    if (combine(node, swapped ? partner : column, swapped ? column : partner, out)) result.push(out);
    if (evaluation.needsPause) await evaluation.pause();
  }
  return result;
}

function isUnique(ids: Int32Array, count: number): boolean {
  const seen = new Uint8Array(count);
  for (const id of ids) {
    if (seen[id] === 1) return false;
    seen[id] = 1;
  }
  return true;
}

/** The operation at each step where both sides have a sample; true where there is any result. */
function combine(node: BinaryExpr, left: Column, right: Column, out: Column): boolean {
  const operation = floatOperation(node.op);
  const filters = isComparison(node.op) && !node.bool;
  const { values, present } = out;
  let found = false;
  for (let i = 0; i < values.length; i++) {
    if (left.present[i] !== 1 || right.present[i] !== 1) continue;
    const leftValue = left.values[i] ?? 0;
    const value = operation(leftValue, right.values[i] ?? 0);
    if (filters && value === 0) continue;
    values[i] = filters ? leftValue : value;
    present[i] = 1;
    found = true;
  }
  return found;
}
