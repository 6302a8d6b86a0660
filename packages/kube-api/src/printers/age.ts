import { recordAt, stringAt } from '../values/access.ts';
import { humanDuration } from '../values/duration.ts';
import { parseRfc3339 } from '../values/time.ts';

/** `5m`, `<unknown>` for no time (`translateTimestampSince`). */
export function since(time: unknown, nowMs: number): string {
  const ms = typeof time === 'string' ? parseRfc3339(time)?.ms : undefined;
  return ms === undefined ? '<unknown>' : humanDuration(nowMs - ms);
}

export function age(object: unknown, nowMs: number): string {
  return since(stringAt(recordAt(object, 'metadata'), 'creationTimestamp') || undefined, nowMs);
}
