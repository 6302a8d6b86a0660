import { cronProblem, parseGoDuration } from '@kind-e2e/kube-api';

/** A schedule is not understood. */
export class CronSyntaxError extends Error {
  override readonly name = 'CronSyntaxError';
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const EVERY = '@every ';
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Nothing is due for longer than this: a schedule such as 30 February never comes. */
const HORIZON_YEARS = 5;

interface Field {
  readonly values: ReadonlySet<number>;
  readonly isAny: boolean;
}

interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

/** A schedule in cron's five fields, or `@hourly` and the like, or `@every 1h` (robfig/cron, which CronJobs use). */
export class CronSchedule {
  readonly #minutes: Field;
  readonly #hours: Field;
  readonly #days: Field;
  readonly #months: Field;
  readonly #weekdays: Field;
  readonly #everyMs: number | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;

  /** `timeZone` is a name of the IANA database; default UTC. Throws CronSyntaxError. */
  constructor(text: string, timeZone?: string) {
    const problem = cronProblem(text);
    if (problem !== undefined) throw new CronSyntaxError(problem);
    if (text.startsWith(EVERY)) {
      const everyMs = parseGoDuration(text.slice(EVERY.length)) ?? 0;
      this.#everyMs = Math.max(1000, Math.floor(everyMs / 1000) * 1000);
    }
    const fields = (this.#everyMs ? '* * * * *' : (DESCRIPTORS[text] ?? text)).trim().split(/\s+/);
    const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
    this.#minutes = parseField(minute, 0, 59);
    this.#hours = parseField(hour, 0, 23);
    this.#days = parseField(day, 1, 31);
    this.#months = parseField(month, 1, 12, MONTHS, 1);
    this.#weekdays = parseField(weekday, 0, 6, DAYS, 0);
    if (timeZone !== undefined && timeZone !== 'UTC')
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        weekday: 'short',
      });
  }

  /** The first time after `afterMs`; undefined where none comes. */
  next(afterMs: number): number | undefined {
    if (this.#everyMs) return Math.floor(afterMs / 1000) * 1000 + this.#everyMs;
    let at = (Math.floor(afterMs / 60_000) + 1) * 60_000;
    const end = afterMs + HORIZON_YEARS * 366 * 86_400_000;
    while (at < end) {
      const time = this.#wallTime(at);
      if (!this.#months.values.has(time.month) || !this.#isDay(time)) {
        // Hour by hour to the next day, so that days of 23 and 25 hours are right.
        at += (60 - time.minute) * 60_000;
        const minutesLeft = (23 - time.hour) * 60 - 120;
        if (minutesLeft > 0) at += minutesLeft * 60_000;
        continue;
      }
      if (!this.#hours.values.has(time.hour)) {
        at += (60 - time.minute) * 60_000;
        continue;
      }
      if (this.#minutes.values.has(time.minute)) return at;
      at += 60_000;
    }
    return undefined;
  }

  /** Where both day fields are restricted, one of them is enough. */
  #isDay(time: WallTime): boolean {
    const byDay = this.#days.values.has(time.day);
    const byWeekday = this.#weekdays.values.has(time.weekday);
    return this.#days.isAny || this.#weekdays.isAny ? byDay && byWeekday : byDay || byWeekday;
  }

  #wallTime(at: number): WallTime {
    if (!this.#format) {
      const date = new Date(at);
      return {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        weekday: date.getUTCDay(),
      };
    }
    const parts = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, value]));
    return {
      year: Number(parts.year),
      month: Number(parts.month),
      day: Number(parts.day),
      hour: Number(parts.hour),
      minute: Number(parts.minute),
      weekday: DAYS.indexOf((parts.weekday ?? '').toLowerCase()),
    };
  }
}

/** The values of a field that `cronProblem` has nothing against. */
function parseField(text: string, low: number, high: number, names: readonly string[] = [], nameOffset = 0): Field {
  const values = new Set<number>();
  let isAny = false;
  const numberOf = (part: string): number => {
    const named = names.indexOf(part.toLowerCase());
    return named >= 0 ? named + nameOffset : Number(part);
  };
  for (const part of text.split(',')) {
    if (part === '') continue;
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    let [first, last] = [low, high];
    const [from = '', to] = range.split('-');
    if (from === '*' || from === '?') isAny ||= step === 1;
    else {
      first = numberOf(from);
      last = to === undefined ? (stepText === undefined ? first : high) : numberOf(to);
    }
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return { values, isAny };
}
