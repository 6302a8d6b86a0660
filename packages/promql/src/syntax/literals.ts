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
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const MAX_DURATION_MS = 9_223_372_036_854;

/** Milliseconds, or undefined where it is no duration (common/model.ParseDuration) or does not fit 64 bits of nanoseconds. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (text === '' || match === null) return undefined;
  let total = 0;
  UNITS_MS.forEach(([, ms], index) => {
    total += Number(match[index + 1] ?? 0) * ms;
  });
  return total > MAX_DURATION_MS ? undefined : total;
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
