import type { Clock } from '@kind-e2e/base';
import { type GoTime, type Labels, parseGoTime } from '@kind-e2e/telemetry';

export interface TimestampStage {
  /** Name of the extracted value. */
  readonly source: string;
  /** A name of the list below, `Unix` and the like, or a layout as Go has them. */
  readonly format: string;
  /** Tried in this order where `format` does not fit. */
  readonly fallback_formats?: readonly string[];
  /** Of times that have no zone; a name of the IANA database. Default UTC. */
  readonly location?: string;
  /** A line whose time cannot be told: `fudge` (the default) puts it right after the one before, `skip` lets it be. */
  readonly action_on_failure?: 'fudge' | 'skip';
}

/** Layouts that Go's time package has names for. */
const LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};
const UNIX_SCALE: Readonly<Record<string, bigint>> = {
  Unix: 1_000_000_000n,
  UnixMs: 1_000_000n,
  UnixUs: 1000n,
  UnixNs: 1n,
};
/** So many streams are remembered (Alloy's maxLastKnownTimestampsCacheSize). */
const MAX_STREAMS = 10_000;

type Parse = (text: string) => bigint | undefined;

/** Gives the time of a line (Alloy's loki.process, `stage.timestamp`). */
export function createTimestamps(
  stage: TimestampStage,
  clock: Clock,
): (value: string | undefined, labels: Labels) => bigint | undefined {
  const zone = stage.location ?? 'UTC';
  const parses = [stage.format, ...(stage.fallback_formats ?? [])].map((format) => parserOf(format, zone, clock));
  const last = new Map<string, bigint>();
  const remember = (key: string, ns: bigint): bigint => {
    last.delete(key);
    last.set(key, ns);
    const [oldest = key] = last.keys();
    if (last.size > MAX_STREAMS) last.delete(oldest);
    return ns;
  };
  return (value, { key }) => {
    let ns: bigint | undefined;
    if (value !== undefined) for (const parse of parses) ns ??= parse(value);
    if (stage.action_on_failure === 'skip') return ns;
    if (ns !== undefined) return remember(key, ns);
    const before = last.get(key);
    return before === undefined ? undefined : remember(key, before + 1n);
  };
}

function parserOf(format: string, zone: string, clock: Clock): Parse {
  const scale = UNIX_SCALE[format];
  if (scale !== undefined) return (text) => parseUnix(text, scale);
  const layout = LAYOUTS[format] ?? format;
  if (/2006|06/.test(layout)) return (text) => parseGoTime(layout, text, zone)?.ns;
  return (text) => parseWithoutYear(layout, text, zone, clock)?.ns;
}

function parseUnix(text: string, scale: bigint): bigint | undefined {
  if (!/^-?\d{1,19}(\.\d+)?$/.test(text)) return undefined;
  const [whole = '0', decimals = ''] = text.split('.');
  const fraction = scale === 1n ? 0n : (BigInt(decimals.padEnd(9, '0').slice(0, 9)) * scale) / 1_000_000_000n;
  return BigInt(whole) * scale + (text.startsWith('-') ? -fraction : fraction);
}

/** The year is this one, but around the new year that of the nearer December or January. */
function parseWithoutYear(layout: string, text: string, zone: string, clock: Clock): GoTime | undefined {
  const parsed = parseGoTime(layout, text, 'UTC');
  if (!parsed) return undefined;
  const now = new Date(clock.now());
  const month = new Date(Number(parsed.ns / 1_000_000n)).getUTCMonth();
  let year = now.getUTCFullYear();
  if (month === 11 && now.getUTCMonth() === 0) year--;
  else if (month === 0 && now.getUTCMonth() === 11) year++;
  return parseGoTime(`2006 ${layout}`, `${String(year).padStart(4, '0')} ${text}`, zone);
}

/** Why a stage makes no sense; undefined for a good one. */
export function timestampProblem({ location, action_on_failure: action, format }: TimestampStage): string | undefined {
  if (format === '') return 'timestamp format is required';
  if (action !== undefined && action !== 'fudge' && action !== 'skip')
    return `invalid action on failure (allowed values: skip, fudge), not ${JSON.stringify(action)}`;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: location ?? 'UTC' });
    return undefined;
  } catch {
    return `invalid location specified: unknown time zone ${location}`;
  }
}
