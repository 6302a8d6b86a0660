/** A moment, and the zone in which it is written: `UTC`, a name of the IANA database, or `+01:00`. */
export interface GoTime {
  readonly ns: bigint;
  readonly zone: string;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** Parts of Go's reference time, the longer first. */
const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z07:00|Z0700|Z07|-07:00:00|-07:00|-0700|-07|002|01|02|03|04|05|06|15|PM|pm|_2|[.,]0+|[.,]9+|1|2|3|4|5/g;

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ns: bigint;
  offsetMinutes: number;
  zoneName: string;
}

/** Minutes east of UTC of a zone at a moment; undefined where there is no such zone. */
function zoneOffset(zone: string, ms: number): { minutes: number; name: string } | undefined {
  if (zone === 'UTC' || zone === '') return { minutes: 0, name: 'UTC' };
  const fixed = /^([-+])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = (Number(fixed[2]) * 60 + Number(fixed[3])) * (fixed[1] === '-' ? -1 : 1);
    return { minutes, name: zone };
  }
  try {
    const format = (name: 'longOffset' | 'short'): string =>
      new Intl.DateTimeFormat('en-US', { timeZone: zone === 'Local' ? 'UTC' : zone, timeZoneName: name })
        .formatToParts(new Date(ms))
        .find((part) => part.type === 'timeZoneName')?.value ?? '';
    const match = /GMT([-+])(\d\d):(\d\d)/.exec(format('longOffset'));
    const minutes = match === null ? 0 : (Number(match[2]) * 60 + Number(match[3])) * (match[1] === '-' ? -1 : 1);
    return { minutes, name: format('short') };
  } catch {
    return undefined;
  }
}

function partsOf(time: GoTime): Parts {
  const ms = Number(time.ns / 1_000_000n) - (time.ns % 1_000_000n < 0n ? 1 : 0);
  const zone = zoneOffset(time.zone, ms) ?? { minutes: 0, name: 'UTC' };
  const date = new Date(ms + zone.minutes * 60_000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ns: ((time.ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n,
    offsetMinutes: zone.minutes,
    zoneName: zone.name,
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function offsetText(minutes: number, layout: string): string {
  if (layout.startsWith('Z') && minutes === 0) return 'Z';
  const sign = minutes < 0 ? '-' : '+';
  const hours = two(Math.floor(Math.abs(minutes) / 60));
  const rest = two(Math.abs(minutes) % 60);
  if (layout.length === 3) return sign + hours;
  return sign + hours + (layout.includes(':') ? ':' : '') + rest;
}

/** Go's time.Time.Format, by a layout that is written as its reference time (pkg.go.dev/time, "Constants"). */
export function formatGoTime(time: GoTime, layout: string): string {
  const parts = partsOf(time);
  const twelve = parts.hour % 12 === 0 ? 12 : parts.hour % 12;
  const month = MONTHS[parts.month] ?? '';
  const date = Date.UTC(parts.year, parts.month, parts.day);
  const weekday = DAYS[new Date(date).getUTCDay()] ?? '';
  return layout.replace(LAYOUT, (part, index: number) => {
    switch (part) {
      case 'January':
        return month;
      case 'Jan':
        return month.slice(0, 3);
      case 'Monday':
        return weekday;
      case 'Mon':
        return weekday.slice(0, 3);
      case 'MST':
        return parts.zoneName;
      case '2006':
        return String(parts.year).padStart(4, '0');
      case '06':
        return two(parts.year % 100);
      case '01':
        return two(parts.month + 1);
      case '1':
        return String(parts.month + 1);
      case '02':
        return two(parts.day);
      case '_2':
        return String(parts.day).padStart(2);
      case '2':
        return String(parts.day);
      case '002':
        return String(Math.floor((date - Date.UTC(parts.year, 0, 1)) / 86_400_000) + 1).padStart(3, '0');
      case '15':
        return two(parts.hour);
      case '03':
        return two(twelve);
      case '3':
        return String(twelve);
      case '04':
        return two(parts.minute);
      case '4':
        return String(parts.minute);
      case '05':
        return two(parts.second);
      case '5':
        return String(parts.second);
      case 'PM':
        return parts.hour >= 12 ? 'PM' : 'AM';
      case 'pm':
        return parts.hour >= 12 ? 'pm' : 'am';
      default: {
        if (/^[.,]/.test(part)) return fraction(parts.ns, part, layout, index);
        return offsetText(parts.offsetMinutes, part);
      }
    }
  });
}

function fraction(ns: bigint, part: string, layout: string, index: number): string {
  const after = layout[index + part.length] ?? '';
  if (/\d/.test(after)) return part;
  const digits = ns
    .toString()
    .padStart(9, '0')
    .slice(0, part.length - 1);
  if (part.includes('0')) return part[0] + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : part[0] + trimmed;
}

/** Go's time.ParseInLocation; the year is 0 where the layout has none. Undefined where the text does not have the layout's form, or there is no such zone. */
export function parseGoTime(layout: string, text: string, zone: string): GoTime | undefined {
  const parts = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, ns: 0n };
  let offset: number | undefined;
  let pm: boolean | undefined;
  let at = 0;
  let layoutAt = 0;
  const take = (pattern: RegExp): string | undefined => {
    const match = pattern.exec(text.slice(at));
    if (match === null) return undefined;
    at += match[0].length;
    return match[0];
  };
  const literal = (expected: string): boolean => {
    if (!text.startsWith(expected, at)) return false;
    at += expected.length;
    return true;
  };
  for (const match of layout.matchAll(LAYOUT)) {
    if (!literal(layout.slice(layoutAt, match.index))) return undefined;
    layoutAt = match.index + match[0].length;
    const part = match[0];
    const number = (pattern: RegExp): number => Number(take(pattern)?.trim() ?? Number.NaN);
    if (part === '2006') parts.year = number(/^\d{4}/);
    else if (part === '06') parts.year = ((year) => (year >= 69 ? 1900 + year : 2000 + year))(number(/^\d\d/));
    else if (part === '01' || part === '1') parts.month = number(part === '01' ? /^\d\d/ : /^\d\d?/);
    else if (part === '02' || part === '2' || part === '_2') parts.day = number(part === '02' ? /^\d\d/ : /^ ?\d\d?/);
    else if (part === '15' || part === '03' || part === '3') parts.hour = number(part === '3' ? /^\d\d?/ : /^\d\d/);
    else if (part === '04' || part === '4') parts.minute = number(/^\d\d?/);
    else if (part === '05' || part === '5') {
      parts.second = number(/^\d\d?/);
      const next = layout.slice(layoutAt);
      if (!/^[.,][09]/.test(next)) {
        const extra = /^[.,](\d+)/.exec(text.slice(at));
        if (extra !== null) {
          at += extra[0].length;
          parts.ns = BigInt((extra[1] ?? '').slice(0, 9).padEnd(9, '0'));
        }
      }
    } else if (part === 'January' || part === 'Jan') {
      const name = take(/^[A-Za-z]+/) ?? '';
      parts.month = MONTHS.findIndex((month) => (part === 'Jan' ? month.slice(0, 3) : month) === name) + 1;
      if (parts.month === 0) return undefined;
    } else if (part === 'Monday' || part === 'Mon' || part === 'MST') {
      if (take(/^[A-Za-z]+/) === undefined) return undefined;
    } else if (part === 'PM' || part === 'pm') pm = (take(/^[AaPp][Mm]/) ?? '').toLowerCase() === 'pm';
    else if (/^[.,]/.test(part)) {
      const digits = take(/^[.,]\d+/);
      if (digits === undefined && part.includes('0')) return undefined;
      if (digits !== undefined) parts.ns = BigInt(digits.slice(1, 10).padEnd(9, '0'));
    } else if (/^Z?-?07/.test(part)) {
      const given = take(part.startsWith('Z') ? /^(?:Z|[-+]\d\d:?\d\d|[-+]\d\d)/ : /^[-+]\d\d(?::?\d\d)?/);
      if (given === undefined) return undefined;
      const zoned = /^([-+])(\d\d):?(\d\d)?/.exec(given);
      offset = zoned === null ? 0 : (Number(zoned[2]) * 60 + Number(zoned[3] ?? 0)) * (zoned[1] === '-' ? -1 : 1);
    } else if (part === '002') {
      parts.month = 1;
      parts.day = number(/^\d{3}/);
    }
  }
  if (!literal(layout.slice(layoutAt)) || at !== text.length) return undefined;
  if (pm === true && parts.hour < 12) parts.hour += 12;
  if (pm === false && parts.hour === 12) parts.hour = 0;
  const { year, month, day, hour, minute, second } = parts;
  const valid = month >= 1 && month <= 12 && day >= 1 && hour < 24 && minute < 60 && second < 60;
  if (!valid || [year, month, day, hour, minute, second].some(Number.isNaN)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 30th of February is no day.
  if (date.getUTCDate() !== day) return undefined;
  const local = date.setUTCHours(hour, minute, second);
  const minutes = offset ?? zoneOffset(zone, local)?.minutes ?? 0;
  return {
    ns: BigInt(local - minutes * 60_000) * 1_000_000n + parts.ns,
    zone: offset === undefined ? zone : 'UTC',
  };
}
