/** A trigger's schedule (Jenkins' crontab syntax: five fields, `H`, aliases; `#` begins a comment, the first line may be `TZ=Europe/Berlin`). */
export interface Schedule {
  /** Whether a build is due in the minute that holds this time. Default zone: UTC. */
  matches(timeMs: number): boolean;
  /** What is wrong with it. */
  readonly problem: string | undefined;
}

const FIELDS = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of week', from: 0, to: 7 },
] as const;
type Field = (typeof FIELDS)[number];

const ALIASES: Readonly<Record<string, string>> = {
  '@yearly': 'H H H H *',
  '@annually': 'H H H H *',
  '@monthly': 'H H H * *',
  '@weekly': 'H H * * H',
  '@daily': 'H H * * *',
  '@midnight': 'H H(0-2) * * *',
  '@hourly': 'H * * * *',
};

/** `H` stands for a value that depends on the seed only, so that jobs spread over the time. */
export function parseCron(spec: string, seed: string): Schedule {
  const lines = spec
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const zone = /^TZ=(\S+)$/.exec(lines[0] ?? '')?.[1];
  if (zone !== undefined) lines.shift();
  let problem: string | undefined = lines.length === 0 ? 'the schedule is empty' : undefined;
  if (zone !== undefined && !isZone(zone)) problem = `"${zone}" is not a time zone`;
  const schedules = lines.map((line) => {
    const fields = (ALIASES[line] ?? line).split(/\s+/);
    if (fields.length !== FIELDS.length) {
      problem ??= `"${line}" has ${fields.length} fields`;
      return [];
    }
    return FIELDS.map((field, index) => {
      const values = parseField(fields[index] ?? '', field, hash(`${seed}/${field.name}`));
      if (!values) problem ??= `"${fields[index]}" is not a ${field.name} (${field.from} to ${field.to})`;
      return values ?? new Set<number>();
    });
  });
  return {
    problem,
    matches: (timeMs) => {
      if (problem !== undefined) return false;
      const now = clockFields(timeMs, zone ?? 'UTC');
      return schedules.some((sets) =>
        sets.every((set, index) => set.has(now[index] ?? -1) || (index === 4 && now[4] === 0 && set.has(7))),
      );
    },
  };
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Minute, hour, day, month, day of week, as a clock in that zone shows them. */
function clockFields(timeMs: number, zone: string): readonly number[] {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    weekday: 'short',
  }).formatToParts(timeMs);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(of('weekday'));
  return [Number(of('minute')), Number(of('hour')), Number(of('day')), Number(of('month')), weekday];
}

function parseField(text: string, field: Field, seed: number): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const found = /^(\*|H(?:\((\d+)-(\d+)\))?|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!found) return undefined;
    const [, what = '', hashFrom, hashTo, first, last, stepText] = found;
    const step = Number(stepText ?? '1');
    let from: number = field.from;
    let to: number = field.to;
    if (first !== undefined) {
      from = Number(first);
      to = last === undefined ? (stepText === undefined ? from : field.to) : Number(last);
    } else if (hashFrom !== undefined) {
      from = Number(hashFrom);
      to = Number(hashTo);
    }
    if (step < 1 || from < field.from || to > field.to || from > to) return undefined;
    if (what.startsWith('H')) {
      // Every month has 28 days.
      const end = field.name === 'day of month' && hashTo === undefined ? 28 : to;
      from += seed % (stepText === undefined ? end - from + 1 : step);
      if (stepText === undefined) to = from;
    }
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return value;
}
