/** Durations and sizes as Loki reads them, in queries and in labels. */

const NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PROMETHEUS = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const PROMETHEUS_MS = [31_536_000_000n, 604_800_000n, 86_400_000n, 3_600_000n, 60_000n, 1000n, 1n];
const MAX_NS = 9_223_372_036_854_775_807n;

/** Nanoseconds of a duration in Prometheus' form (`1w2d`), undefined where it is none. */
export function parsePrometheusDurationNs(text: string): bigint | undefined {
  if (text === '0') return 0n;
  const match = PROMETHEUS.exec(text);
  if (text === '' || match === null) return undefined;
  let ms = 0n;
  PROMETHEUS_MS.forEach((unit, i) => {
    ms += BigInt(match[i + 1] ?? 0) * unit;
  });
  const ns = ms * 1_000_000n;
  return ns > MAX_NS ? undefined : ns;
}

/** Nanoseconds by Go's time.ParseDuration (`1.5h30m`, `-3ms`). */
export function parseGoDurationNs(text: string): bigint | undefined {
  const match = /^([-+]?)(.*)$/s.exec(text);
  const body = match?.[2] ?? '';
  if (body === '0') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, digits = '', unit = ''] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [whole = '', fraction = ''] = digits.split('.');
    const scale = NS[unit] ?? 1n;
    total += BigInt(whole || 0) * scale;
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  if (total > MAX_NS) return undefined;
  return match?.[1] === '-' ? -total : total;
}

/** A duration of a query: Prometheus' form first, then Go's. */
export function parseDurationNs(text: string): bigint | undefined {
  return parsePrometheusDurationNs(text) ?? parseGoDurationNs(text);
}

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  pb: 1e15,
  eb: 1e18,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  e: 1e18,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  pib: 2 ** 50,
  eib: 2 ** 60,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
  pi: 2 ** 50,
  ei: 2 ** 60,
};

/** Bytes by go-humanize's ParseBytes (`42 MB`, `1.5KiB`), undefined where it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^([\d.,]+)\s*([A-Za-z]*)\s*$/.exec(text);
  const number = Number((match?.[1] ?? '').replaceAll(',', ''));
  const unit = SIZES[(match?.[2] ?? '-').toLowerCase()];
  if (match === null || match[1] === '' || Number.isNaN(number) || unit === undefined) return undefined;
  return Math.trunc(number * unit);
}

/** Go's time.Duration.String(). */
export function formatGoDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const total = ns < 0n ? -ns : ns;
  const fraction = (value: bigint, unit: bigint): string => {
    const rest = value % unit;
    if (rest === 0n) return String(value / unit);
    const digits = rest
      .toString()
      .padStart(unit.toString().length - 1, '0')
      .replace(/0+$/, '');
    return `${value / unit}.${digits}`;
  };
  if (total < 1000n) return `${sign}${total}ns`;
  if (total < 1_000_000n) return `${sign}${fraction(total, 1000n)}µs`;
  if (total < 1_000_000_000n) return `${sign}${fraction(total, 1_000_000n)}ms`;
  const hours = total / 3_600_000_000_000n;
  const minutes = (total / 60_000_000_000n) % 60n;
  const seconds = `${fraction(total % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}
