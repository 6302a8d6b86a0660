import { type Labels, quote } from '@kind-e2e/telemetry';
import type { StoreLimits } from '../options.ts';

/** Why lines are not taken, in Loki's words (pkg/validation/validate.go, pkg/ingester/stream.go). */

export const RATE_LIMITED =
  'Ingestion rate limit exceeded, reduce log volume or contact your Loki administrator to see if the limit can be increased';

/** How many of the lines that are too old for their stream are named. */
const MAX_NAMED = 10;

function textOf(labels: Labels): string {
  return `{${[...labels].map(([name, value]) => `${name}=${quote(value)}`).join(', ')}}`;
}

/** time.RFC3339, in UTC. */
function rfc3339(ns: bigint): string {
  return `${dateOf(ns).toISOString().slice(0, 19)}Z`;
}

/** time.Time.String. */
function goTime(ns: bigint): string {
  const text = dateOf(ns).toISOString();
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const fraction = nanoseconds === 0n ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction} +0000 UTC`;
}

function dateOf(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n) - (ns % 1_000_000n < 0n ? 1 : 0));
}

export function tooNew(labels: Labels, time: bigint): string {
  return `entry for stream '${textOf(labels)}' has timestamp too new: ${rfc3339(time)}`;
}

export function tooOld(labels: Labels, time: bigint, oldest: bigint): string {
  return `entry for stream '${textOf(labels)}' has timestamp too old: ${rfc3339(time)}, oldest acceptable timestamp is: ${rfc3339(oldest)}`;
}

export function tooLong(labels: Labels, bytes: number, most: number): string {
  return `Max entry size '${most}' bytes exceeded for stream '${textOf(labels)}' while adding an entry with length '${bytes}' bytes`;
}

/** Of all lines of one stream that are too far behind its newest. */
export function tooFarBehind(labels: Labels, times: readonly bigint[], oldest: bigint, total: number): string {
  const lines = times
    .slice(0, MAX_NAMED)
    .map(
      (time) =>
        `entry with timestamp ${goTime(time)} ignored, reason: 'entry too far behind, entry timestamp is: ${rfc3339(time)}, oldest acceptable timestamp is: ${rfc3339(oldest)}',\n`,
    );
  return `${lines.join('')}user 'fake', total ignored: ${times.length} out of ${total} for stream: ${textOf(labels)}`;
}

export function tooManyStreams(labels: Labels): string {
  return `Maximum active stream limit exceeded when trying to create stream ${textOf(labels)}, reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 'fake'`;
}

/** Undefined where nothing is wrong with them. */
export function problemOfLabels(labels: Labels, limits: StoreLimits): string | undefined {
  const count = labels.has('service_name') ? labels.size - 1 : labels.size;
  if (count > limits.maxLabels)
    return `entry for stream '${textOf(labels)}' has ${count} label names; limit ${limits.maxLabels}`;
  for (const [name, value] of labels) {
    if (name.length > MAX_NAME_LENGTH) return `stream '${textOf(labels)}' has label name too long: '${name}'`;
    if (value.length > limits.maxLabelValueLength)
      return `stream '${textOf(labels)}' has label value too long: '${value}'`;
  }
  return undefined;
}

const MAX_NAME_LENGTH = 1024;
