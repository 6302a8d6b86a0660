import type { Microseconds } from './brands.ts';

/** A number in the form people read, split so that figures can be aligned and the unit set smaller. */
export interface Formatted {
  text: string;
  unit: string;
}

type Formatter = (value: number, decimals: number | undefined) => Formatted;

/** Three significant digits unless the panel says how many decimals; no trailing zeros beyond those asked for. */
export function formatNumber(value: number, decimals?: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (decimals !== undefined) return value.toFixed(Math.min(Math.max(decimals, 0), 12));
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1000) return value.toFixed(0);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : Math.min(2 - Math.floor(Math.log10(size)), 12);
  return String(Number(value.toFixed(digits)));
}

function scaled(base: number, units: readonly string[], start = 0): Formatter {
  return (value, decimals) => {
    let index = start;
    let rest = value;
    while (Math.abs(rest) >= base && index < units.length - 1) {
      rest /= base;
      index += 1;
    }
    return { text: formatNumber(rest, decimals), unit: units[index] ?? '' };
  };
}

/** Factors of the time units, in seconds, largest first. */
const TIME_UNITS: readonly (readonly [string, number])[] = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['min', 60],
  ['s', 1],
  ['ms', 1e-3],
  ['µs', 1e-6],
  ['ns', 1e-9],
];

function time(factor: number): Formatter {
  return (value, decimals) => {
    const inSeconds = value * factor;
    const size = Math.abs(inSeconds);
    if (size === 0) return { text: '0', unit: factor === 1 ? 's' : factor === 1e-3 ? 'ms' : 's' };
    const [unit, per] = TIME_UNITS.find(([, limit]) => size >= limit * 0.99999) ?? ['ns', 1e-9];
    return { text: formatNumber(inSeconds / per, decimals), unit };
  };
}

const plain =
  (unit: string): Formatter =>
  (value, decimals) => ({ text: formatNumber(value, decimals), unit });

const SHORT = ['', 'K', 'Mil', 'Bil', 'Tri'] as const;
const rate =
  (unit: string): Formatter =>
  (value, decimals) => {
    const short = scaled(1000, ['', 'K', 'M', 'B'])(value, decimals);
    return { text: short.text, unit: `${short.unit}${short.unit === '' ? '' : ' '}${unit}`.trim() };
  };

/**
 * The unit ids of Grafana's value formats that dashboards of this kind use
 * (grafana: packages/grafana-data/src/valueFormats/categories.ts).
 */
const UNITS: Readonly<Record<string, Formatter>> = {
  none: plain(''),
  short: scaled(1000, SHORT),
  sishort: scaled(1000, ['', 'k', 'M', 'G', 'T']),
  percent: plain('%'),
  percentunit: (value, decimals) => ({ text: formatNumber(value * 100, decimals), unit: '%' }),
  bytes: scaled(1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']),
  decbytes: scaled(1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']),
  bits: scaled(1024, ['b', 'Kib', 'Mib', 'Gib', 'Tib']),
  decbits: scaled(1000, ['b', 'kb', 'Mb', 'Gb', 'Tb']),
  kbytes: scaled(1024, ['KiB', 'MiB', 'GiB', 'TiB']),
  mbytes: scaled(1024, ['MiB', 'GiB', 'TiB']),
  gbytes: scaled(1024, ['GiB', 'TiB']),
  Bps: scaled(1000, ['B/s', 'kB/s', 'MB/s', 'GB/s']),
  binBps: scaled(1024, ['B/s', 'KiB/s', 'MiB/s', 'GiB/s']),
  bps: scaled(1000, ['b/s', 'kb/s', 'Mb/s', 'Gb/s']),
  reqps: rate('req/s'),
  rps: rate('reads/s'),
  wps: rate('writes/s'),
  ops: rate('ops/s'),
  cps: rate('c/s'),
  eps: rate('events/s'),
  mps: rate('messages/s'),
  iops: rate('io/s'),
  reqpm: rate('req/min'),
  opm: rate('ops/min'),
  cores: (value, decimals) =>
    Math.abs(value) < 1 && value !== 0
      ? { text: formatNumber(value * 1000, decimals), unit: 'mCPU' }
      : { text: formatNumber(value, decimals), unit: 'CPU' },
  s: time(1),
  ms: time(1e-3),
  µs: time(1e-6),
  us: time(1e-6),
  ns: time(1e-9),
  m: time(60),
  h: time(3600),
  d: time(86_400),
  dtdurations: time(1),
  dtdurationms: time(1e-3),
  hertz: scaled(1000, ['Hz', 'kHz', 'MHz', 'GHz']),
  celsius: plain('°C'),
  locale: (value) => ({ text: value.toLocaleString('en-US'), unit: '' }),
  bool: (value) => ({ text: value === 0 ? 'False' : 'True', unit: '' }),
  bool_yes_no: (value) => ({ text: value === 0 ? 'No' : 'Yes', unit: '' }),
  bool_on_off: (value) => ({ text: value === 0 ? 'Off' : 'On', unit: '' }),
  currencyUSD: (value, decimals) => ({ text: `$${formatNumber(value, decimals)}`, unit: '' }),
  currencyEUR: (value, decimals) => ({ text: `€${formatNumber(value, decimals)}`, unit: '' }),
  dateTimeAsIso: (value) => ({ text: new Date(value).toISOString(), unit: '' }),
  dateTimeFromNow: (value) => ({ text: new Date(value).toLocaleString(), unit: '' }),
  string: plain(''),
};

/** True when `formatUnit` knows the id; a panel with another unit says so. */
export function isKnownUnit(id: string): boolean {
  return id === '' || id in UNITS || /^(suffix|prefix|si|time|count|currency):/.test(id);
}

/** A value in Grafana's unit `id`; an id that is not known is set behind the number as it is. */
export function formatUnit(value: number | null | undefined, id = '', decimals?: number): Formatted {
  if (value === null || value === undefined) return { text: '–', unit: '' };
  if (Number.isNaN(value)) return { text: 'NaN', unit: '' };
  const known = UNITS[id === '' ? 'none' : id];
  if (known) return known(value, decimals);
  const custom = /^(suffix|prefix|si|time|count|currency):(.*)$/.exec(id);
  const text = custom?.[2] ?? id;
  if (custom?.[1] === 'prefix' || custom?.[1] === 'currency')
    return { text: `${text}${formatNumber(value, decimals)}`, unit: '' };
  if (custom?.[1] === 'si')
    return scaled(
      1000,
      ['', 'k', 'M', 'G', 'T'].map((prefix) => `${prefix}${text}`),
    )(value, decimals);
  return { text: formatNumber(value, decimals), unit: text };
}

/** `formatUnit` as one string, with a thin space before the unit; none before a percent sign. */
export function formatUnitText(value: number | null | undefined, id?: string, decimals?: number): string {
  const { text, unit } = formatUnit(value, id, decimals);
  if (unit === '') return text;
  return unit === '%' || SHORT.includes(unit as (typeof SHORT)[number])
    ? `${text}${unit === '%' ? '' : ' '}${unit}`
    : `${text} ${unit}`;
}

/** `1 span`, `2 spans`. */
export const count = (number: number, one: string): string =>
  `${number.toLocaleString('en-US')} ${one}${number === 1 ? '' : 's'}`;

/** Requests per second; small ones per minute, where people can read them. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 0.1
    ? `${formatNumber(perSecond * 60)} req/min`
    : `${formatNumber(perSecond)} req/s`;
}

/** A duration of a span or trace: two significant places, the unit always there. */
export function formatDuration(value: Microseconds): string {
  if (value === 0) return '0 µs';
  const size = Math.abs(value);
  if (size < 1000) return `${formatNumber(value)} µs`;
  if (size < 1_000_000) return `${trim(value / 1000)} ms`;
  if (size < 60_000_000) return `${trim(value / 1_000_000)} s`;
  const minutes = Math.floor(size / 60_000_000);
  return `${value < 0 ? '-' : ''}${minutes} min ${Math.round((size % 60_000_000) / 1_000_000)} s`;
}

function trim(value: number): string {
  return Number(value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)).toString();
}

/** Kubernetes' way to write an age: the two largest units at most (kubectl: duration.HumanDuration). */
export function formatAge(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (d < 8) return h % 24 === 0 ? `${d}d` : `${d}d${h % 24}h`;
  return d < 730 ? `${d}d` : `${Math.floor(d / 365)}y${Math.floor(d % 365)}d`;
}
