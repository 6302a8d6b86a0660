import { type BatchSeries, type SampleBatch, STALE_NAN_HIGH, STALE_NAN_LOW } from '@kind-e2e/telemetry';

/** Samples of the series of one request, in columns that are used again for the next. */
export class GrowingBatch implements SampleBatch {
  count = 0;
  readonly series: BatchSeries[] = [];
  timestampsMs = new Float64Array(4096);
  values = new Float64Array(4096);
  stale = new Uint8Array(4096);

  add(series: BatchSeries, timestampMs: number, value: number, stale: boolean): void {
    const at = this.count++;
    if (at >= this.values.length) this.#grow();
    this.series[at] = series;
    this.timestampsMs[at] = timestampMs;
    this.values[at] = value;
    this.stale[at] = stale ? 1 : 0;
  }

  #grow(): void {
    const size = this.values.length * 2;
    const { timestampsMs, values, stale } = this;
    this.timestampsMs = new Float64Array(size);
    this.values = new Float64Array(size);
    this.stale = new Uint8Array(size);
    this.timestampsMs.set(timestampsMs);
    this.values.set(values);
    this.stale.set(stale);
  }
}

const TAG_LABELS = 0x0a;
const TAG_SAMPLE = 0x12;
const TAG_VALUE = 0x09;
const TAG_TIMESTAMP = 0x10;

/** Where the label fields at the beginning of a series end; -1 where they are not written as every client writes them. */
export function endOfLabels(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === TAG_LABELS) {
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length >= 128) {
      const more = bytes[at++] ?? 0;
      if (more >= 128) return -1;
      length = (length & 127) | (more << 7);
    }
    at += length;
  }
  return at > end ? -1 : at;
}

/**
 * Adds the samples that fill the rest of a series' message. False, with nothing added, where there is anything else, or
 * anything that needs a second look.
 */
export function addPlainSamples(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  series: BatchSeries,
  batch: GrowingBatch,
): boolean {
  const before = batch.count;
  let at = from;
  while (at < end) {
    const length = bytes[at + 1] ?? 128;
    const to = at + 2 + length;
    if (bytes[at] !== TAG_SAMPLE || length >= 128 || to > end) break;
    at += 2;
    let value = 0;
    let stale = false;
    if (bytes[at] === TAG_VALUE && at + 9 <= to) {
      value = view.getFloat64(at + 1, true);
      if (Number.isNaN(value))
        stale = view.getUint32(at + 1, true) === STALE_NAN_LOW && view.getUint32(at + 5, true) === STALE_NAN_HIGH;
      at += 9;
    }
    let time = 0;
    if (at < to && bytes[at] === TAG_TIMESTAMP) {
      at++;
      let unit = 1;
      let byte = 128;
      // Seven groups of bits are far beyond any time; what is longer is negative or strange.
      for (let group = 0; byte >= 128 && group < 7 && at < to; group++) {
        byte = bytes[at++] ?? 0;
        time += (byte & 127) * unit;
        unit *= 128;
      }
      if (byte >= 128) break;
    }
    if (at !== to) break;
    batch.add(series, time, value, stale);
  }
  if (at === end) return true;
  batch.count = before;
  return false;
}
