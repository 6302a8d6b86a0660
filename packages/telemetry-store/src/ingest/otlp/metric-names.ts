/** OpenTelemetry units as Prometheus spells them (otlptranslator, `unitMap` and `perUnitMap`). */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};
const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/**
 * The Prometheus name of an OTLP metric: underscores for what is not allowed, the unit and `_total` or `_ratio` at the
 * end (prometheus/otlptranslator, strategy UnderscoreEscapingWithSuffixes).
 */
export function prometheusName(name: string, unit: string, kind: 'counter' | 'gauge' | 'other'): string {
  const tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '');
  const [main = '', per] = unit.split('/', 2).map((part) => part.trim());
  const suffixes: string[] = [];
  if (main !== '' && !/[{}]/.test(main)) suffixes.push(clean(UNITS[main] ?? main));
  if (per !== undefined && per !== '' && !/[{}]/.test(per)) suffixes.push('per', clean(PER_UNITS[per] ?? per));
  const wanted = suffixes.filter((suffix) => suffix !== '');
  if (wanted[0] === 'per' ? !tokens.includes(wanted[1] ?? '') : !wanted.every((suffix) => tokens.includes(suffix)))
    tokens.push(...wanted.filter((suffix) => suffix === 'per' || !tokens.includes(suffix)));
  if (kind === 'counter') {
    const at = tokens.indexOf('total');
    if (at >= 0) tokens.splice(at, 1);
    tokens.push('total');
  }
  if (unit === '1' && kind === 'gauge' && !tokens.includes('ratio')) tokens.push('ratio');
  const joined = tokens.join('_');
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

function clean(unit: string): string {
  return unit.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '');
}

/** A label name that Prometheus' text format allows. */
export function prometheusLabel(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/gu, '_');
  if (/^[0-9]/.test(name)) return `key_${name}`;
  return name.startsWith('_') && !name.startsWith('__') ? `key${name}` : name;
}
