export type Level = 'critical' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'unknown';

const WORDS: readonly (readonly [Level, RegExp])[] = [
  ['critical', /\b(fatal|panic|emerg(?:ency)?|crit(?:ical)?)\b/i],
  ['error', /\b(error|err|severe)\b/i],
  ['warn', /\bwarn(?:ing)?\b/i],
  ['info', /\b(info|notice|information)\b/i],
  ['debug', /\b(debug|dbg)\b/i],
  ['trace', /\btrace\b(?!_)/i],
];

/** The level by label or structured metadata, else by the first word of a level at the beginning of the line. */
export function levelOf(
  line: string,
  labels: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, string>> = {},
): Level {
  const said = metadata.detected_level ?? labels.detected_level ?? metadata.level ?? labels.level ?? labels.severity;
  if (said !== undefined && said !== 'unknown')
    return WORDS.find(([, pattern]) => pattern.test(said))?.[0] ?? 'unknown';
  const json = /"(?:level|severity)"\s*:\s*"?(\w+)/.exec(line)?.[1];
  if (json !== undefined) {
    const pino = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'critical' }[json];
    return (pino as Level | undefined) ?? WORDS.find(([, pattern]) => pattern.test(json))?.[0] ?? 'unknown';
  }
  let best: { level: Level; at: number } | undefined;
  for (const [level, pattern] of WORDS) {
    const at = pattern.exec(line.slice(0, 160))?.index;
    if (at !== undefined && (best === undefined || at < best.at)) best = { level, at };
  }
  return best?.level ?? 'unknown';
}

export const LEVEL_COLORS: Readonly<Record<Level, string>> = {
  critical: '#a352cc',
  error: '#e0364c',
  warn: '#e0a100',
  info: '#3d8f5f',
  debug: '#5794f2',
  trace: '#6ed0e0',
  unknown: '#8b95a5',
};

/** The pieces of a line with the needles of the query's `|=` and `|~` filters marked. */
export function highlightParts(line: string, needles: readonly string[]): { text: string; isHit: boolean }[] {
  if (needles.length === 0) return [{ text: line, isHit: false }];
  const pattern = new RegExp(
    `(${needles.map((needle) => needle.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`,
    'g',
  );
  return line
    .split(pattern)
    .map((text, index) => ({ text, isHit: index % 2 === 1 }))
    .filter((part) => part.text !== '');
}

/** The literals of the line filters of a query. */
export function needlesOf(query: string): string[] {
  return [...query.matchAll(/\|=\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g)]
    .map((match) => match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? '')
    .filter((text) => text !== '');
}

/** The query for the volume of the lines that a log query shows; undefined when it is a metric query already. */
export function volumeQuery(query: string, step: string): string | undefined {
  const trimmed = query.trim();
  return trimmed.startsWith('{') ? `sum by (detected_level) (count_over_time(${trimmed}[${step}]))` : undefined;
}

/**
 * The same for a store that finds no levels as lines come in (Loki: `discover_log_levels`): the level is the first word of
 * one in the line. A line without one counts under no level.
 */
export function volumeByWordQuery(query: string, step: string): string | undefined {
  const trimmed = query.trim();
  const words = '(?i)\\b(?P<detected_level>fatal|critical|error|warn|info|debug|trace)(?:ing|rmation)?\\b';
  return trimmed.startsWith('{')
    ? `sum by (detected_level) (count_over_time(${trimmed} | regexp \`${words}\` [${step}]))`
    : undefined;
}
