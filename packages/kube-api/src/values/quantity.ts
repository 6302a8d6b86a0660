/**
 * Resource quantities (apimachinery `api/resource`): parsed exactly, kept as an integer of nano units, printed in the
 * canonical form of their suffix family.
 */
export type QuantityFormat = 'DecimalExponent' | 'BinarySI' | 'DecimalSI';

export interface Quantity {
  /** The value times 10^9; finer parts are rounded up, as upstream does. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

/** `quantities must match the regular expression …`, the only words `resource.Quantity.UnmarshalJSON` has. */
export const QUANTITY_FORMAT_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const NANO = 1_000_000_000n;
const MAX = (1n << 63n) * NANO - NANO;
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?((?:[numkMGTPE]|[KMGTPE]i)?|[eE][-+]?\d+)$/;

/** `undefined` for text that is no quantity. Values beyond the range of int64 are capped, as upstream caps them. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const source = typeof text === 'number' ? String(text) : text;
  if (source.length > 1000) return undefined;
  const match = PATTERN.exec(source);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${whole}${fraction}` === '' ? '0' : `${whole}${fraction}`);
  const scale = -fraction.length;
  let format: QuantityFormat = 'DecimalSI';
  let nano: bigint;
  if (suffix.endsWith('i')) {
    format = 'BinarySI';
    nano = scaled(digits * (1n << (10n * BigInt(BINARY.indexOf(suffix)))), scale + 9);
  } else {
    let exponent = DECIMAL[suffix];
    if (exponent === undefined) {
      exponent = Number(suffix.slice(1));
      format = 'DecimalExponent';
      if (!Number.isFinite(exponent) || Math.abs(exponent) > 100_000) return undefined;
    }
    nano = scaled(digits, scale + exponent + 9);
  }
  if (format === 'BinarySI' && digits !== 0n && nano < NANO) format = 'DecimalSI';
  if (nano > MAX) nano = MAX;
  return { nano: sign === '-' ? -nano : nano, format };
}

/** digits × 10^exponent, rounded up. */
function scaled(digits: bigint, exponent: number): bigint {
  if (digits === 0n) return 0n;
  if (exponent >= 0) return exponent > 60 ? MAX + 1n : digits * 10n ** BigInt(exponent);
  if (-exponent > 1100) return 1n;
  const divisor = 10n ** BigInt(-exponent);
  return (digits + divisor - 1n) / divisor;
}

/** The canonical text: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5Gi` is `512Mi`. */
export function formatQuantity(quantity: Quantity): string {
  const { nano, format } = quantity;
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const magnitude = nano < 0n ? -nano : nano;
  const isSmall = magnitude < 1024n * NANO;
  if (format === 'BinarySI' && !isSmall && magnitude % NANO === 0n) {
    let value = magnitude / NANO;
    let index = 0;
    while (index < BINARY.length - 1 && value % 1024n === 0n) {
      value /= 1024n;
      index += 1;
    }
    return `${sign}${value}${BINARY[index] ?? ''}`;
  }
  if (format === 'BinarySI' && !isSmall) {
    // Upstream rounds a binary quantity up to a whole number before it prints it.
    return formatQuantity({ nano: (nano < 0n ? -1n : 1n) * ((magnitude + NANO - 1n) / NANO) * NANO, format });
  }
  let value = magnitude;
  let exponent = -9;
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`;
  const suffix = Object.entries(DECIMAL).find(([, power]) => power === exponent)?.[0] ?? '';
  return `${sign}${value}${suffix}`;
}

/** The canonical text of a quantity in text; `undefined` where it is none. */
export function canonicalQuantity(text: string | number): string | undefined {
  const quantity = parseQuantity(text);
  return quantity === undefined ? undefined : formatQuantity(quantity);
}

export function compareQuantities(left: Quantity, right: Quantity): number {
  return left.nano < right.nano ? -1 : left.nano > right.nano ? 1 : 0;
}

/** The sum; keeps the left one's format unless it is zero, as upstream does. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format };
}

export function subtractQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano - right.nano, format: left.nano === 0n ? right.format : left.format };
}

/** Whole units, rounded up (`Quantity.Value`). */
export function quantityValue(quantity: Quantity): number {
  return Number(divideUp(quantity.nano, NANO));
}

/** Thousandths, rounded up (`Quantity.MilliValue`). */
export function quantityMilliValue(quantity: Quantity): number {
  return Number(divideUp(quantity.nano, NANO / 1000n));
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return value > 0n ? (value + divisor - 1n) / divisor : -(-value / divisor);
}
