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

export interface ElementResult extends Operand {
  /** False where a comparison does not hold, or the operands do not go together. */
  readonly keep: boolean;
}

const NOTHING: ElementResult = { value: 0, histogram: undefined, keep: false };

/** One operation where at least one side is a histogram (promql/engine.go, vectorElemBinop). */
export function histogramOperation(
  evaluation: Evaluation,
  node: BinaryExpr,
  left: Operand,
  right: Operand,
): ElementResult & { readonly incompatible?: boolean } {
  const { op } = node;
  const incompatible = (): ElementResult & { readonly incompatible: boolean } => {
    const name = (side: Operand): string => (side.histogram === undefined ? 'float' : 'histogram');
    evaluation.annotations.incompatibleTypes(name(left), op, name(right), node);
    return { ...NOTHING, incompatible: true };
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
    const result = op === '+' ? addHistograms(a, b) : { ...subtractHistograms(a, b), hint: 'gauge' as const };
    return ofHistogram(compact(result));
  } catch (error) {
    if (!(error instanceof HistogramMismatch)) throw error;
    if (error.reason === 'schema') evaluation.annotations.histogramMismatch('schema', '', node);
    else evaluation.annotations.incompatibleBuckets(op, node);
    return { ...NOTHING, incompatible: true };
  }
}
