import { log2, log10 } from './go-math.ts';
/** Functions of one float, by name. They drop histograms and the metric's name. */
export const ELEMENTWISE: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10,
  log2,
  rad: (value) => (value * Math.PI) / 180,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
};

/** The second that Go makes of a float that does not fit 64 bits, NaN among them. */
const INT64_MIN = -(2n ** 63n);
const SECONDS_A_DAY = 86_400n;
/** The Gregorian calendar repeats after so many years. */
const YEARS_A_CYCLE = 400n;
const SECONDS_A_CYCLE = 146_097n * SECONDS_A_DAY;

/** A moment as a Date of the calendar's first cycle, and how many years it is away from the true one. */
function dateOf(seconds: number): { readonly date: Date; readonly years: number } {
  const date = new Date(Math.trunc(seconds) * 1000);
  if (!Number.isNaN(date.getTime())) return { date, years: 0 };
  const fits = seconds >= -(2 ** 63) && seconds < 2 ** 63;
  // Go's clock counts from the year 1 and wraps around.
  const sinceYear1 = BigInt.asIntN(64, (fits ? BigInt(Math.trunc(seconds)) : INT64_MIN) + 62_135_596_800n);
  const sinceAbsolute = BigInt.asUintN(64, sinceYear1 + (YEAR_1_SINCE_ABSOLUTE % 2n ** 64n));
  const cycles = sinceAbsolute / SECONDS_A_CYCLE;
  const within = Number(sinceAbsolute % SECONDS_A_CYCLE);
  // The absolute zero of Go's calendar is a year that is 1 modulo 400, as 2001 is.
  return {
    date: new Date(Date.UTC(2001, 0, 1) + within * 1000),
    years: Number(cycles * YEARS_A_CYCLE + ABSOLUTE_YEAR) - 2001,
  };
}

/** Go's time package counts from here, so that no moment is negative (time.absoluteYears and its likes). */
const ABSOLUTE_YEAR = -292_277_022_399n;
const YEAR_1_SINCE_ABSOLUTE = ((1n - ABSOLUTE_YEAR) / YEARS_A_CYCLE) * SECONDS_A_CYCLE;

function ofDate(part: (date: Date, years: number) => number): (seconds: number) => number {
  return (seconds) => {
    const { date, years } = dateOf(seconds);
    return part(date, years);
  };
}

const DAY_MS = 86_400_000;

/** Parts of a time in UTC, of seconds since the epoch; without an argument of the moment of evaluation. */
export const DATE_PARTS: Readonly<Record<string, (seconds: number) => number>> = {
  days_in_month: ofDate((date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()),
  day_of_month: ofDate((date) => date.getUTCDate()),
  day_of_week: ofDate((date) => date.getUTCDay()),
  day_of_year: ofDate((date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1),
  hour: ofDate((date) => date.getUTCHours()),
  minute: ofDate((date) => date.getUTCMinutes()),
  month: ofDate((date) => date.getUTCMonth() + 1),
  year: ofDate((date, years) => date.getUTCFullYear() + years),
};
