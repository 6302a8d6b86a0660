import type { BinaryOperator } from './ast.ts';

/** The operators between two numbers; a comparison gives 1 or 0. */
export function floatOperation(operator: BinaryOperator): (a: number, b: number) => number {
  switch (operator) {
    case '+':
      return (a, b) => a + b;
    case '-':
      return (a, b) => a - b;
    case '*':
      return (a, b) => a * b;
    case '/':
      return (a, b) => (b === 0 ? Number.NaN : a / b);
    case '%':
      return (a, b) => (b === 0 ? Number.NaN : a % b);
    case '^':
      return (a, b) => (a === 1 ? 1 : a ** b);
    case '==':
      return (a, b) => (a === b ? 1 : 0);
    case '!=':
      return (a, b) => (a !== b ? 1 : 0);
    case '>':
      return (a, b) => (a > b ? 1 : 0);
    case '>=':
      return (a, b) => (a >= b ? 1 : 0);
    case '<':
      return (a, b) => (a < b ? 1 : 0);
    case '<=':
      return (a, b) => (a <= b ? 1 : 0);
    case 'and':
    case 'or':
    case 'unless':
      return () => Number.NaN;
  }
}
