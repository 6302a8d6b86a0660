import { InvalidArgumentError } from 'commander';

export const DATA_DIR_FLAG = '--data-dir <folder>';
export const DATA_DIR_HELP = 'where the lab keeps its data (default: .kind-e2e)';

/** A port number, or 0. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError(`${text} is not a port: a number from 0 to 65535 is wanted.`);
  return port;
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError(`${text} is not a number above 0.`);
  return value;
}

/** `7d`, `12h`, `30m` or `off`. */
export function parseRetention(text: string): string {
  if (text === 'off' || /^\d+(m|h|d|w|y)$/.test(text)) return text;
  throw new InvalidArgumentError(`${text} is not a retention: write 7d, 12h or off.`);
}

/** What `up --enable-feature` takes. */
export const FEATURE_NAMES = ['promql-experimental-functions', 'promql-duration-expr'] as const;

/** Names with commas between, '' for none. */
export function parseFeatures(text: string): string {
  const known: readonly string[] = FEATURE_NAMES;
  const unknown = text.split(',').find((name) => name !== '' && !known.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${unknown} is no known feature: write ${FEATURE_NAMES.join(' or ')}.`);
  return text;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `1h`, `2d` in milliseconds. */
export function parseDuration(text: string): number {
  const found = /^(\d+)([smhd])$/.exec(text);
  const unit = UNIT_MS[found?.[2] ?? ''];
  if (found === null || unit === undefined)
    throw new InvalidArgumentError(`${text} is not a time: write 90s, 15m, 1h or 2d.`);
  return Number(found[1]) * unit;
}
