import { isStaleAt, markStaleAt, type NativeHistogram } from '@kind-e2e/telemetry';
import { ByteReader } from '../bytes/byte-reader.ts';
import { decodeSamples } from './chunk.ts';
import { readHistogram } from './histogram-codec.ts';
import { unpackSamples } from './packed-chunk.ts';

export const FLOAT_CHUNK = 0;
export const HISTOGRAM_CHUNK = 1;
export const PACKED_CHUNK = 2;

/** A chunk that will not change: waiting to be written, or read back. */
export interface ClosedChunk {
  readonly kind: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly count: number;
  readonly data: Uint8Array;
}

export interface LooseSample {
  readonly time: number;
  readonly value: number;
  readonly stale: boolean;
  readonly histogram?: NativeHistogram;
}

/** Decoded samples in rising order of time. */
export interface Samples {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms: readonly (NativeHistogram | undefined)[] | undefined;
}

/** All samples of the parts, in order. */
export function joinChunks(
  parts: readonly ClosedChunk[],
  loose: readonly LooseSample[],
  damaged: (error: unknown) => void,
): Samples {
  const total = parts.reduce((sum, part) => sum + part.count, loose.length);
  let times = new Float64Array(total);
  let values = new Float64Array(total);
  let histograms: (NativeHistogram | undefined)[] | undefined;
  let count = 0;
  let ordered = true;
  let before = -Infinity;
  for (const part of parts) {
    try {
      if (part.kind === FLOAT_CHUNK) decodeSamples(part.data, part.count, times, values, count);
      else if (part.kind === PACKED_CHUNK) unpackSamples(part.data, part.count, times, values, count);
      else {
        histograms ??= new Array(total).fill(undefined);
        const reader = new ByteReader(part.data);
        let time = 0;
        for (let i = 0; i < part.count; i++) {
          time += reader.zigzag();
          times[count + i] = time;
          histograms[count + i] = readHistogram(reader);
        }
      }
    } catch (error) {
      damaged(error);
      continue;
    }
    if (part.minTime <= before) ordered = false;
    before = Math.max(before, part.maxTime);
    count += part.count;
  }
  for (const sample of loose) {
    times[count] = sample.time;
    values[count] = sample.value;
    if (sample.stale) markStaleAt(values, count);
    if (sample.histogram) {
      histograms ??= new Array(total).fill(undefined);
      histograms[count] = sample.histogram;
    }
    if (sample.time <= before) ordered = false;
    before = Math.max(before, sample.time);
    count++;
  }
  if (!ordered) ({ times, values, histograms, count } = sortSamples(times, values, histograms, count));
  if (count === times.length) return { times, values, histograms };
  return {
    times: times.subarray(0, count),
    values: values.subarray(0, count),
    histograms: histograms?.slice(0, count),
  };
}

/** By time; of several samples of one time the last written stays. */
function sortSamples(
  times: Float64Array,
  values: Float64Array,
  histograms: (NativeHistogram | undefined)[] | undefined,
  count: number,
): {
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  histograms: (NativeHistogram | undefined)[] | undefined;
  count: number;
} {
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  const sortedTimes = new Float64Array(count);
  const sortedValues = new Float64Array(count);
  const sortedHistograms = histograms && new Array<NativeHistogram | undefined>(count).fill(undefined);
  let out = 0;
  for (const i of order) {
    const time = times[i] ?? 0;
    if (out > 0 && sortedTimes[out - 1] === time) out--;
    sortedTimes[out] = time;
    if (isStaleAt(values, i)) markStaleAt(sortedValues, out);
    else sortedValues[out] = values[i] ?? 0;
    if (sortedHistograms) sortedHistograms[out] = histograms?.[i];
    out++;
  }
  return { times: sortedTimes, values: sortedValues, histograms: sortedHistograms, count: out };
}
