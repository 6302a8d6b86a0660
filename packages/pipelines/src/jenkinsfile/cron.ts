/** A trigger's schedule (Jenkins' crontab syntax: five fields, `H`, aliases; one line counts, `#` begins a comment). */
export interface Schedule {
  /** Whether a build is due in the minute that holds this time (UTC). */
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
  let problem: string | undefined = lines.length === 0 ? 'the schedule is empty' : undefined;
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
      const date = new Date(timeMs);
      const now = [
        date.getUTCMinutes(),
        date.getUTCHours(),
        date.getUTCDate(),
        date.getUTCMonth() + 1,
        date.getUTCDay(),
      ];
      return (
        problem === undefined &&
        schedules.some((sets) =>
          sets.every((set, index) => set.has(now[index] ?? -1) || (index === 4 && now[4] === 0 && set.has(7))),
        )
      );
    },
  };
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
