import { quote } from '@kind-e2e/telemetry';

const DECIMAL = /^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?$/;
const HEXADECIMAL = /^([-+]?)0[xX]_?([\da-fA-F_]*)\.?([\da-fA-F_]*)[pP]([-+]?\d[\d_]*)$/;
const SPECIAL = /^([-+]?)(?:inf(?:inity)?|(nan))$/i;
/** A digit is on each side of an underscore, or the `0x` before it. */
const MISPLACED_UNDERSCORE = /(?:^|[^\da-fA-FxX])_|_(?:[^\da-fA-F]|$)/;

/** strconv.ParseFloat, or the text of its error. */
export function parseGoFloat(text: string): number | string {
  const fail = (why: string): string => `strconv.ParseFloat: parsing ${quote(text)}: ${why}`;
  const special = SPECIAL.exec(text);
  if (special !== null) {
    if (special[2] !== undefined) return special[1] === '' ? Number.NaN : fail('invalid syntax');
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (text.includes('_') && MISPLACED_UNDERSCORE.test(text)) return fail('invalid syntax');
  const plain = text.replaceAll('_', '');
  let value: number;
  const hexadecimal = HEXADECIMAL.exec(plain);
  if (hexadecimal !== null) {
    const [, sign = '', whole = '', fraction = '', power = '0'] = hexadecimal;
    if (whole + fraction === '') return fail('invalid syntax');
    const mantissa = Number(BigInt(`0x${whole}${fraction}`));
    value = mantissa * 2 ** (Number(power) - 4 * fraction.length) * (sign === '-' ? -1 : 1);
  } else if (DECIMAL.test(plain)) value = Number(plain);
  else return fail('invalid syntax');
  return Number.isFinite(value) ? value : fail('value out of range');
}

/** Go's %v of a float64, which has an exponent from seven digits on (strconv, %g). */
export function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  if (value !== 0 && (Number(exponent) < -4 || Number(exponent) >= 6)) return withExponent(digits, exponent);
  return Object.is(value, -0) ? '-0' : String(value);
}

function withExponent(digits: string, exponent: string): string {
  return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${exponent.replace(/^[-+]/, '').padStart(2, '0')}`;
}

/** All digits, without an exponent (strconv.FormatFloat with 'f' and -1). */
export function formatPlainFloat(value: number): string {
  if (!Number.isFinite(value)) return formatGoFloat(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential());
  if (match === null) return String(value);
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const digits = whole + fraction;
  const point = Number(power) + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
