/** Times and durations as CEL prints them. */

const SECOND = 1_000_000_000n;

/** RFC 3339 with as many digits as there are. */
export function timestampText(nanos: bigint): string {
  const seconds = floorDivide(nanos, SECOND);
  const rest = nanos - seconds * SECOND;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return rest === 0n ? `${text}Z` : `${text}.${String(rest).padStart(9, '0').replace(/0+$/, '')}Z`;
}

/** Seconds with an `s`, whatever the size: `5400s`, `0.5s`. */
export function durationText(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const rest = magnitude % SECOND;
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${nanos < 0n ? '-' : ''}${magnitude / SECOND}${fraction}s`;
}

export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
