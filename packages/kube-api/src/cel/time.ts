/** Parts of times and durations (cel-spec, "Timestamp and Duration"). */

import { floorDivide } from './time-text.ts';
import { CelError, Duration, noSuchOverload, Timestamp, type Value } from './values.ts';

const MS = 1_000_000n;

interface Parts {
  readonly date: Date;
  readonly millis: number;
}

/** A time in a zone: an offset (`+02:00`) or a name of the zone database; UTC where none is given. */
function partsIn(time: Timestamp, zone: Value | undefined): Parts {
  const ms = Number(floorDivide(time.nanos, MS));
  const millis = ((ms % 1000) + 1000) % 1000;
  if (zone === undefined || zone === 'UTC') return { date: new Date(ms), millis };
  if (typeof zone !== 'string') throw noSuchOverload();
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return { date: new Date(ms + (offset[1] === '-' ? -minutes : minutes) * 60_000), millis };
  }
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const local = Date.UTC(
      part.year ?? 0,
      (part.month ?? 1) - 1,
      part.day ?? 1,
      part.hour ?? 0,
      part.minute ?? 0,
      part.second ?? 0,
    );
    return { date: new Date(local), millis };
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}

function getter(ofTime: (parts: Parts) => number, ofDuration?: (nanos: bigint) => bigint) {
  return ([value, zone]: readonly Value[]): Value => {
    if (value instanceof Timestamp) return BigInt(ofTime(partsIn(value, zone)));
    if (value instanceof Duration && ofDuration) return ofDuration(value.nanos);
    throw noSuchOverload();
  };
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000);
}

export const TIME_FUNCTIONS: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  getFullYear: getter(({ date }) => date.getUTCFullYear()),
  getMonth: getter(({ date }) => date.getUTCMonth()),
  getDate: getter(({ date }) => date.getUTCDate()),
  getDayOfMonth: getter(({ date }) => date.getUTCDate() - 1),
  getDayOfWeek: getter(({ date }) => date.getUTCDay()),
  getDayOfYear: getter(({ date }) => dayOfYear(date)),
  getHours: getter(
    ({ date }) => date.getUTCHours(),
    (nanos) => nanos / 3_600_000_000_000n,
  ),
  getMinutes: getter(
    ({ date }) => date.getUTCMinutes(),
    (nanos) => nanos / 60_000_000_000n,
  ),
  getSeconds: getter(
    ({ date }) => date.getUTCSeconds(),
    (nanos) => nanos / 1_000_000_000n,
  ),
  getMilliseconds: getter(
    ({ millis }) => millis,
    (nanos) => (nanos / 1_000_000n) % 1000n,
  ),
};
