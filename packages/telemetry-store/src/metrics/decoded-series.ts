import type { Labels, NativeHistogram, SampleSeries } from '@kind-e2e/telemetry';
import { lowerBound } from '../lower-bound.ts';
import type { Samples } from './join-chunks.ts';
import type { Series } from './series.ts';

/** What was decoded of a series: all its samples from `from` to `to`, and perhaps more. */
export interface Decoded extends Samples {
  /** Of the series at that time. */
  readonly version: number;
  readonly from: number;
  readonly to: number;
}

/** Nobody looks any more when nothing was asked for so long. */
const IDLE_MS = 60_000;
/** Two megabytes hold 1,000 series of 128 samples each. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A question about more series than this would only push out what others need. */
const MAX_SERIES_A_SCAN = 4000;
const BYTES_A_SERIES = 200;
/** Arrays of times that are remembered to be shared. */
const MAX_SHARED = 1000;

/**
 * Samples that were decoded lately, so that the panels of a dashboard, which ask for the same series again and again,
 * decode them once. Series of one target have the same times: they share one array of them, which the evaluator sees.
 */
export class DecodedSeries {
  readonly #kept = new Map<Series, number>();
  readonly #doesKeep: boolean;
  #bytes = 0;
  #usedMs = 0;
  readonly #timesByFirst = new Map<number, Float64Array>();
  #cutOf: Float64Array | undefined;
  #cutFrom = 0;
  #cutTo = 0;
  #cutTimes: Float64Array = new Float64Array(0);

  constructor(doesKeep = true) {
    this.#doesKeep = doesKeep;
  }

  /** For one scan of so many series. */
  forScan(series: number, nowMs: number): DecodedSeries {
    this.#usedMs = nowMs;
    return series <= MAX_SERIES_A_SCAN ? this : new DecodedSeries(false);
  }

  keep(series: Series, samples: Samples, of: Pick<Decoded, 'version' | 'from' | 'to'>): Decoded {
    const { values, histograms } = samples;
    const times = this.#shared(samples.times);
    const decoded: Decoded = { times, values, histograms, ...of };
    if (!this.#doesKeep || histograms !== undefined) return decoded;
    this.forget(series);
    const bytes = values.byteLength + (times === samples.times ? times.byteLength : 0) + BYTES_A_SERIES;
    this.#kept.set(series, bytes);
    series.decoded = decoded;
    this.#bytes += bytes;
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= MAX_BYTES) break;
      this.forget(oldest);
    }
    return decoded;
  }

  /** Gives the memory back when nobody has asked for a while. */
  dropIdle(nowMs: number): void {
    if (this.#bytes === 0 || nowMs - this.#usedMs < IDLE_MS) return;
    for (const series of [...this.#kept.keys()]) this.forget(series);
    this.#timesByFirst.clear();
    this.#cutOf = undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  forget(series: Series): void {
    const bytes = this.#kept.get(series);
    if (bytes === undefined) return;
    this.#kept.delete(series);
    this.#bytes -= bytes;
    series.decoded = undefined;
  }

  /** The samples from `start` to `end`, both inclusive; undefined where there are none. */
  cut(labels: Labels, decoded: Decoded, start: number, end: number): SampleSeries | undefined {
    const { times, values, histograms } = decoded;
    const count = times.length;
    const from = (times[0] ?? 0) < start ? lowerBound(times, start) : 0;
    const to = (times[count - 1] ?? 0) > end ? lowerBound(times, end + 1) : count;
    if (from >= to) return undefined;
    if (from === 0 && to === count) return sampleSeries(labels, times, values, histograms);
    if (times !== this.#cutOf || from !== this.#cutFrom || to !== this.#cutTo) {
      this.#cutOf = times;
      this.#cutFrom = from;
      this.#cutTo = to;
      this.#cutTimes = times.subarray(from, to);
    }
    return sampleSeries(labels, this.#cutTimes, values.subarray(from, to), histograms?.slice(from, to));
  }

  #shared(times: Float64Array): Float64Array {
    // Scrapes of two targets hardly ever begin at the same millisecond.
    const first = times[0] ?? 0;
    const before = this.#timesByFirst.get(first);
    if (before !== undefined && before.length === times.length && isEqual(before, times)) return before;
    if (this.#timesByFirst.size >= MAX_SHARED) this.#timesByFirst.clear();
    this.#timesByFirst.set(first, times);
    return times;
  }
}

function isEqual(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sampleSeries(
  labels: Labels,
  timestamps: Float64Array,
  values: Float64Array,
  histograms: readonly (NativeHistogram | undefined)[] | undefined,
): SampleSeries {
  return histograms === undefined ? { labels, timestamps, values } : { labels, timestamps, values, histograms };
}
