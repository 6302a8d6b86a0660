import { STALE_NAN_HIGH, STALE_NAN_LOW } from './metrics.ts';

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Whether the value at an index is Prometheus' stale marker. */
export function isStaleAt(values: Float64Array, index: number): boolean {
  const value = values[index];
  if (value === undefined || !Number.isNaN(value)) return false;
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  return words[LITTLE_ENDIAN ? 0 : 1] === STALE_NAN_LOW && words[LITTLE_ENDIAN ? 1 : 0] === STALE_NAN_HIGH;
}

/** Writes the stale marker by its bits. */
export function markStaleAt(values: Float64Array, index: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  words[LITTLE_ENDIAN ? 0 : 1] = STALE_NAN_LOW;
  words[LITTLE_ENDIAN ? 1 : 0] = STALE_NAN_HIGH;
}
