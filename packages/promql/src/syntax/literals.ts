import { quote } from '@kind-e2e/telemetry';

/** Number and duration literals as Prometheus' lexer and parser read them. */

const UNITS_MS: readonly (readonly [unit: string, ms: number, exact: boolean])[] = [
  ['y', 365 * 24 * 3600 * 1000, true],
  ['w', 7 * 24 * 3600 * 1000, true],
  ['d', 24 * 3600 * 1000, false],
  ['h', 3600 * 1000, false],
  ['m', 60 * 1000, false],
  ['s', 1000, false],
  ['ms', 1, false],
];
const MAX_UINT64 = 2 ** 64;
const MAX_DURATION_MS = 9_223_372_036_854;

/** Milliseconds, or why it is no duration (common/model.ParseDuration) that fits 64 bits of nanoseconds. */
export function readDurationMs(text: string): number | { readonly problem: string } {
  if (text === '0') return 0;
  if (text === '') return { problem: 'empty duration string' };
  const invalid = { problem: `not a valid duration string: ${quote(text)}` };
  let total = 0;
  let last = -1;
  for (const [part, digits, unit = ''] of text.matchAll(/(\d*)(\D*)/g)) {
    if (part === '') break;
    if (digits === '' || unit === '' || Number(digits) > MAX_UINT64) return invalid;
    const at = UNITS_MS.findIndex(([name]) => name === unit);
    if (at < 0) return { problem: `unknown unit ${quote(unit)} in duration ${quote(text)}` };
    if (at <= last) return invalid;
    last = at;
    total += Number(digits) * (UNITS_MS[at]?.[1] ?? 0);
    if (total > MAX_DURATION_MS) return { problem: 'duration out of range' };
  }
  return total;
}

/** Milliseconds, or undefined where it is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const duration = readDurationMs(text);
  return typeof duration === 'number' ? duration : undefined;
}

/** Why a literal that Prometheus' lexer takes is none for its parser; undefined where it is one. */
export function literalProblem(kind: 'number' | 'duration', text: string): string | undefined {
  if (kind === 'duration') {
    const duration = readDurationMs(text);
    return typeof duration === 'number' ? undefined : duration.problem;
  }
  const value = parseNumber(text);
  const reason = value === undefined ? 'invalid syntax' : 'value out of range';
  if (value !== undefined && (Number.isFinite(value) || !/^[\d.]/.test(text))) return undefined;
  return `error parsing number: strconv.ParseFloat: parsing ${quote(text)}: ${reason}`;
}

/** common/model.Duration.String: the largest units first; years and weeks only where they divide the rest exactly. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let rest = Math.abs(durationMs);
  let out = durationMs < 0 ? '-' : '';
  for (const [unit, ms, exact] of UNITS_MS) {
    if (exact && rest % ms !== 0) continue;
    const count = Math.floor(rest / ms);
    if (count > 0) {
      out += `${count}${unit}`;
      rest -= count * ms;
    }
  }
  return out;
}

/** The value of a number literal (strconv.ParseInt with base 0, else ParseFloat), undefined where it is malformed. */
export function parseNumber(text: string): number | undefined {
  const lower = text.toLowerCase();
  const unsigned = lower.replace(/^[+-]/, '');
  const sign = lower.startsWith('-') ? -1 : 1;
  if (unsigned === 'inf' || unsigned === 'infinity') return sign * Number.POSITIVE_INFINITY;
  if (unsigned === 'nan') return Number.NaN;
  if (/__|^_|_$|_[.e]|[.e]_/.test(unsigned) && !unsigned.startsWith('0x')) return undefined;
  const digits = unsigned.replaceAll('_', '');
  if (/^0x[0-9a-f]+$/.test(digits)) return sign * Number(digits);
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8);
  if (/^0o[0-7]+$|^0b[01]+$/.test(digits)) return sign * Number(digits);
  return /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(digits) ? sign * Number(digits) : undefined;
}
