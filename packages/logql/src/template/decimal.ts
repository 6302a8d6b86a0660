/** Arithmetic as sprig does it for addf, subf, mulf and divf: in decimal digits, so that 0.1 and 0.2 make 0.3. */
interface Decimal {
  readonly digits: bigint;
  /** Of the last digit: the value is `digits * 10^exponent`. */
  readonly exponent: number;
}

/** Digits behind the point of a quotient (shopspring/decimal, DivisionPrecision). */
const DIVISION_PRECISION = 16;

function toDecimal(value: number): Decimal {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

function toNumber({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

function aligned(a: Decimal, b: Decimal): { readonly left: bigint; readonly right: bigint; readonly exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent);
  const scale = ({ digits, exponent: own }: Decimal): bigint => digits * 10n ** BigInt(own - exponent);
  return { left: scale(a), right: scale(b), exponent };
}

function quotient(a: Decimal, b: Decimal): Decimal {
  const { left, right } = aligned(a, b);
  const scaled = left * 10n ** BigInt(DIVISION_PRECISION + 1);
  const raw = scaled / right;
  const digits = (raw + (raw < 0n ? -5n : 5n)) / 10n;
  return { digits, exponent: -DIVISION_PRECISION };
}

export type DecimalOperator = '+' | '-' | '*' | '/';

/** Far apart exponents would make endless digits: floats are then as good. */
const MAX_SPREAD = 400;

/** Undefined for a division by zero. */
export function decimalOperation(operator: DecimalOperator, a: number, b: number): number | undefined {
  if (operator === '/' && b === 0) return undefined;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.NaN;
  const left = toDecimal(a);
  const right = toDecimal(b);
  if (operator === '*')
    return toNumber({ digits: left.digits * right.digits, exponent: left.exponent + right.exponent });
  if (Math.abs(left.exponent - right.exponent) > MAX_SPREAD)
    return operator === '/' ? a / b : operator === '+' ? a + b : a - b;
  if (operator === '/') return toNumber(quotient(left, right));
  const { left: x, right: y, exponent } = aligned(left, right);
  return toNumber({ digits: operator === '+' ? x + y : x - y, exponent });
}
