import { type Milliseconds, milliseconds } from '../units/brands.ts';

/** What the URL holds: `now-1h`, `now`, an epoch in milliseconds, or an ISO date. Grafana's notation. */
export interface RawRange {
  from: string;
  to: string;
}

export interface TimeRange {
  from: Milliseconds;
  to: Milliseconds;
}

export const DEFAULT_RANGE: RawRange = { from: 'now-15m', to: 'now' };

export const QUICK_RANGES: readonly (RawRange & { label: string })[] = [
  { from: 'now-5m', to: 'now', label: 'Last 5 minutes' },
  { from: 'now-15m', to: 'now', label: 'Last 15 minutes' },
  { from: 'now-30m', to: 'now', label: 'Last 30 minutes' },
  { from: 'now-1h', to: 'now', label: 'Last hour' },
  { from: 'now-3h', to: 'now', label: 'Last 3 hours' },
  { from: 'now-6h', to: 'now', label: 'Last 6 hours' },
  { from: 'now-12h', to: 'now', label: 'Last 12 hours' },
  { from: 'now-24h', to: 'now', label: 'Last 24 hours' },
  { from: 'now-2d', to: 'now', label: 'Last 2 days' },
  { from: 'now-7d', to: 'now', label: 'Last 7 days' },
];

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};

/** Milliseconds of `15s`, `1m`, `1h30m`; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(?:\.\d+)?(ms|[smhdwMy]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwMy])/g))
    total += Number(amount) * (unit === 'ms' ? 1 : (UNIT_MS[unit ?? 's'] ?? 0));
  return total;
}

/** The instant that one end of a raw range means at `now`; undefined when it cannot be read. */
export function resolveInstant(text: string, now: Milliseconds, isEnd = false): Milliseconds | undefined {
  const trimmed = text.trim();
  const relative = /^now(?:([+-])([0-9.a-zA-Z]+))?(?:\/([smhdwMy]))?$/.exec(trimmed);
  if (relative) {
    const shift = relative[2] === undefined ? 0 : parseDuration(relative[2]);
    if (shift === undefined) return undefined;
    const at = now + (relative[1] === '+' ? shift : -shift);
    return relative[3] === undefined ? milliseconds(at) : roundTo(at, relative[3], isEnd);
  }
  if (/^\d{9,16}$/.test(trimmed)) return milliseconds(trimmed.length <= 10 ? Number(trimmed) * 1000 : Number(trimmed));
  const date = Date.parse(trimmed);
  return Number.isNaN(date) ? undefined : milliseconds(date);
}

function roundTo(at: number, unit: string, isEnd: boolean): Milliseconds {
  const date = new Date(at);
  if (unit === 's') date.setMilliseconds(0);
  else if (unit === 'm') date.setSeconds(0, 0);
  else if (unit === 'h') date.setMinutes(0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  if (unit === 'w') date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  if (unit === 'M' || unit === 'y') date.setDate(1);
  if (unit === 'y') date.setMonth(0);
  return milliseconds(date.getTime() + (isEnd ? (UNIT_MS[unit] ?? 0) : 0));
}

/** The range at `now`; falls back to the default when the text is not readable or the ends are the wrong way round. */
export function resolveRange(raw: RawRange, now: Milliseconds): TimeRange {
  const from = resolveInstant(raw.from, now);
  const to = resolveInstant(raw.to, now, true);
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  return { from: milliseconds(now - 900_000), to: now };
}

export const isRelative = (raw: RawRange): boolean => raw.to.startsWith('now');

/** What the button of the time range says. */
export function describeRange(raw: RawRange, now: Milliseconds): string {
  const quick = QUICK_RANGES.find((range) => range.from === raw.from && range.to === raw.to);
  if (quick) return quick.label;
  const { from, to } = resolveRange(raw, now);
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  const day: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric' };
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };
  const end = raw.to === 'now' ? 'now' : new Date(to).toLocaleString(undefined, sameDay ? time : { ...day, ...time });
  return `${new Date(from).toLocaleString(undefined, { ...day, ...time })} – ${end}`;
}

/** A range given by instants, as the URL holds it. */
export const absolute = (from: number, to: number): RawRange => ({
  from: String(Math.round(from)),
  to: String(Math.round(Math.max(to, from + 1))),
});

/** The range moved by half its width (`direction` -1 or 1). */
export function shifted(range: TimeRange, direction: -1 | 1): RawRange {
  const by = ((range.to - range.from) / 2) * direction;
  return absolute(range.from + by, range.to + by);
}

/** The range twice as wide about its middle, not beyond `now`. */
export function zoomedOut(range: TimeRange, now: Milliseconds): RawRange {
  const half = (range.to - range.from) / 2;
  return absolute(range.from - half, Math.min(range.to + half, now));
}

const NICE_STEPS_S = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** Seconds between points so that at most `points` of them cover the range; not under `minimum` seconds. */
export function stepFor(range: TimeRange, points: number, minimum = 5): number {
  const wanted = Math.max((range.to - range.from) / 1000 / Math.max(points, 1), minimum);
  return NICE_STEPS_S.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400;
}

/** At most `most` round instants of the local clock inside the range, as the axes of charts show them. */
export function timeTicks(range: TimeRange, most: number): number[] {
  const step = stepFor(range, most, 1) * 1000;
  const zone = new Date(range.from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((range.from - zone) / step) * step + zone;
  return Array.from(
    { length: Math.max(Math.floor((range.to - first) / step) + 1, 0) },
    (_, index) => first + index * step,
  );
}

/** Seconds as PromQL writes a duration. */
export function promDuration(seconds: number): string {
  if (seconds % 86_400 === 0 && seconds > 0) return `${seconds / 86_400}d`;
  if (seconds % 3600 === 0 && seconds > 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0 && seconds > 0) return `${seconds / 60}m`;
  return seconds % 1 === 0 ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;
}

/** Grafana's `$__rate_interval`: wide enough for four scrapes (grafana: docs/sources/datasources/prometheus). */
export const rateInterval = (stepSeconds: number, scrapeSeconds = 5): number =>
  Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds);
