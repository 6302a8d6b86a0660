import type { MatrixSeries } from '@kind-e2e/promql';
import { isStaleAt } from '@kind-e2e/telemetry';
import { histogramText, labelsText } from './render.ts';
import { timestampText, writeTimestamp, writeValue } from './value-bytes.ts';

const PART_BYTES = 256 * 1024;
/** A comma, a time, a value, and what is between and around them. */
const MAX_POINT_BYTES = 64;
const QUOTE = 34;
const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;

/**
 * Writes the series of a matrix as JSON, as bytes and not as strings: an answer of a thousand series has a quarter of a
 * million points. Series that share their array of times share its text.
 */
export class MatrixBytes {
  readonly #parts: Uint8Array[] = [];
  #bytes = Buffer.allocUnsafe(PART_BYTES);
  #at = 0;
  #last: Float64Array | undefined;
  #times: Float64Array | undefined;
  /** `[1767225600.5,"` of each time, one after the other, and where each begins. */
  #prefixes: Uint8Array = new Uint8Array(0);
  #starts = new Uint32Array(1);

  add(series: MatrixSeries): void {
    this.#text(`{"metric":${labelsText(series.labels)}`);
    if (series.histograms === undefined) this.#floats(series);
    else this.#mixed(series, series.histograms);
    this.#text('}');
  }

  #floats({ timestamps, values }: MatrixSeries): void {
    const isShared = this.#prepare(timestamps);
    const prefixes = this.#prefixes;
    const starts = this.#starts;
    let isFirst = true;
    for (let i = 0; i < timestamps.length; i++) {
      const value = values[i] ?? 0;
      if (Number.isNaN(value) && isStaleAt(values, i)) continue;
      if (isFirst) this.#text(',"values":[');
      this.#room(MAX_POINT_BYTES);
      const bytes = this.#bytes;
      let at = this.#at;
      if (!isFirst) bytes[at++] = COMMA;
      if (isShared) {
        const end = starts[i + 1] ?? 0;
        for (let from = starts[i] ?? 0; from < end; from++) bytes[at++] = prefixes[from] ?? 0;
      } else at = writePrefix(bytes, at, timestamps[i] ?? 0);
      at = writeValue(bytes, at, value);
      bytes[at++] = QUOTE;
      bytes[at++] = CLOSE;
      this.#at = at;
      isFirst = false;
    }
    if (!isFirst) this.#text(']');
  }

  #mixed({ timestamps, values }: MatrixSeries, histograms: NonNullable<MatrixSeries['histograms']>): void {
    const floats: number[] = [];
    const natives: string[] = [];
    histograms.forEach((histogram, i) => {
      if (histogram === undefined) floats.push(i);
      else natives.push(`[${timestampText(timestamps[i] ?? 0)},${histogramText(histogram)}]`);
    });
    if (floats.length > 0)
      this.#floats({
        timestamps: Float64Array.from(floats, (i) => timestamps[i] ?? 0),
        values: Float64Array.from(floats, (i) => values[i] ?? 0),
      } as MatrixSeries);
    if (natives.length > 0) this.#text(`,"histograms":[${natives.join(',')}]`);
  }

  text(text: string): void {
    this.#text(text);
  }

  /** Everything written so far. */
  take(): readonly Uint8Array[] {
    this.#parts.push(this.#bytes.subarray(0, this.#at));
    return this.#parts;
  }

  #text(text: string): void {
    // A UTF-16 unit is at most three bytes.
    this.#room(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.#parts.push(this.#bytes.subarray(0, this.#at));
    this.#bytes = Buffer.allocUnsafe(Math.max(PART_BYTES, bytes));
    this.#at = 0;
  }

  /** True where the texts of these times are at hand, which they are from the second series with them on. */
  #prepare(times: Float64Array): boolean {
    if (this.#times === times) return true;
    if (this.#last !== times) {
      this.#last = times;
      return false;
    }
    this.#times = times;
    this.#starts = new Uint32Array(times.length + 1);
    this.#prefixes = new Uint8Array(times.length * MAX_POINT_BYTES);
    let at = 0;
    times.forEach((time, i) => {
      at = writePrefix(this.#prefixes, at, time);
      this.#starts[i + 1] = at;
    });
    return true;
  }
}

/** `[1767225600.5,"` */
function writePrefix(bytes: Uint8Array, from: number, timeMs: number): number {
  let at = from;
  bytes[at++] = OPEN;
  at = writeTimestamp(bytes, at, timeMs);
  bytes[at++] = COMMA;
  bytes[at++] = QUOTE;
  return at;
}
