import {
  addHistograms,
  divideHistogram,
  histogramsEqual,
  multiplyHistogram,
  subtractHistograms,
} from '../histogram/arithmetic.ts';
import { compact, type FloatHistogram, HistogramMismatch } from '../histogram/float-histogram.ts';
import { type BinaryExpr, type BinaryOperator, isComparison } from '../syntax/ast.ts';
import type { Evaluation } from './evaluation.ts';

/** Go's math.Pow where JavaScript's differs: 1 to anything and -1 to an infinity are 1. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1;
  return base ** exponent;
}

/** The value of an arithmetic operator, or 1 or 0 of a comparison. */
export function floatOperation(op: BinaryOperator): (a: number, b: number) => number {
  switch (op) {
    case '+':
      return (a, b) => a + b;
    case '-':
      return (a, b) => a - b;
    case '*':
      return (a, b) => a * b;
    case '/':
      return (a, b) => a / b;
    case '%':
      return (a, b) => a % b;
    case '^':
      return power;
    case 'atan2':
      return Math.atan2;
    case '==':
      return (a, b) => (a === b ? 1 : 0);
    case '!=':
      return (a, b) => (a !== b ? 1 : 0);
    case '>':
      return (a, b) => (a > b ? 1 : 0);
    case '<':
      return (a, b) => (a < b ? 1 : 0);
    case '>=':
      return (a, b) => (a >= b ? 1 : 0);
    case '<=':
      return (a, b) => (a <= b ? 1 : 0);
    case 'and':
    case 'or':
    case 'unless':
      return () => Number.NaN;
  }
}

export interface Operand {
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
}

/** Why two operands do not go together: by their types, or as histograms with other buckets. */
export type ElementProblem = { readonly left: string; readonly right: string } | 'buckets';

export interface ElementResult extends Operand {
  /** False where a comparison does not hold, or the operands do not go together. */
  readonly keep: boolean;
  readonly problem?: ElementProblem;
}

const NOTHING: ElementResult = { value: 0, histogram: undefined, keep: false };

/** One operation where at least one side is a histogram (promql/engine.go, vectorElemBinop). */
export function histogramOperation({ op }: BinaryExpr, left: Operand, right: Operand): ElementResult {
  const incompatible = (): ElementResult => {
    const name = (side: Operand): string => (side.histogram === undefined ? 'float' : 'histogram');
    return { ...NOTHING, problem: { left: name(left), right: name(right) } };
  };
  const a = left.histogram;
  const b = right.histogram;
  const ofHistogram = (histogram: FloatHistogram): ElementResult => ({ value: 0, histogram, keep: true });
  if (a !== undefined && b === undefined) {
    if (op === '*') return ofHistogram(compact(multiplyHistogram(a, right.value)));
    if (op === '/') return ofHistogram(compact(divideHistogram(a, right.value)));
    return incompatible();
  }
  if (a === undefined && b !== undefined) {
    return op === '*' ? ofHistogram(compact(multiplyHistogram(b, left.value))) : incompatible();
  }
  if (a === undefined || b === undefined) return NOTHING;
  if (isComparison(op)) {
    if (op === '==') return { ...ofHistogram(a), keep: histogramsEqual(a, b) };
    if (op === '!=') return { ...ofHistogram(a), keep: !histogramsEqual(a, b) };
    return incompatible();
  }
  if (op !== '+' && op !== '-') return incompatible();
  try {
    return ofHistogram(compact(op === '+' ? addHistograms(a, b) : subtractHistograms(a, b)));
  } catch (error) {
    if (!(error instanceof HistogramMismatch)) throw error;
    return { ...NOTHING, problem: 'buckets' };
  }
}

/** Of all problems of one step Prometheus tells the last only (promql/engine.go, VectorBinop and handleVectorBinopError). */
export function annotateProblem(evaluation: Evaluation, node: BinaryExpr, problem: ElementProblem | undefined): void {
  if (problem === undefined) return;
  if (problem === 'buckets') evaluation.annotations.incompatibleBuckets(node.op, node);
  else evaluation.annotations.incompatibleTypes(problem.left, node.op, problem.right, node);
}
