import type { Labels, NativeHistogram } from '@kind-e2e/telemetry';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { decodeLabels, encodeLabels } from './file.ts';
import { readHistogram, writeHistogram } from './histogram-codec.ts';

export const RECORD_SERIES = 1;
export const RECORD_SAMPLES = 2;
export const RECORD_HISTOGRAM = 3;
export const RECORD_EXEMPLAR = 4;
export const RECORD_METADATA = 5;

export function encodeSeriesRecord(series: readonly { readonly id: number; readonly labels: Labels }[]): Buffer {
  const out = new ByteWriter(series.length * 256);
  for (const { id, labels } of series) {
    out.varint(id);
    out.lengthPrefixed(encodeLabels(labels));
  }
  return out.copy();
}

export function* decodeSeriesRecord(
  payload: Buffer,
  intern: (text: string) => string,
): Generator<{ id: number; labels: Labels }> {
  const reader = new ByteReader(payload);
  while (!reader.done) yield { id: reader.varint(), labels: decodeLabels(reader.lengthPrefixed(), intern) };
}

/** Samples: the step of the series id and the stale bit, the step of the time, the value. */
export class SamplesRecord {
  readonly #out = new ByteWriter(16 * 1024);
  #id = 0;
  #time = 0;
  count = 0;

  add(id: number, time: number, value: number, stale: boolean): void {
    const step = id - this.#id;
    this.#out.varint((step < 0 ? -2 * step - 1 : 2 * step) * 2 + (stale ? 1 : 0));
    this.#out.zigzag(time - this.#time);
    if (!stale) this.#out.f64(value);
    this.#id = id;
    this.#time = time;
    this.count++;
  }

  take(): Buffer {
    const payload = this.#out.copy();
    this.#out.reset();
    this.#id = 0;
    this.#time = 0;
    this.count = 0;
    return payload;
  }
}

export function decodeSamplesRecord(
  payload: Buffer,
  onSample: (id: number, time: number, value: number, stale: boolean) => void,
): void {
  const reader = new ByteReader(payload);
  let id = 0;
  let time = 0;
  while (!reader.done) {
    const head = reader.varint();
    const stale = head % 2 === 1;
    const coded = Math.floor(head / 2);
    id += coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
    time += reader.zigzag();
    onSample(id, time, stale ? Number.NaN : reader.f64(), stale);
  }
}

export function encodeHistogramRecord(id: number, time: number, histogram: NativeHistogram): Buffer {
  const out = new ByteWriter(512);
  out.varint(id);
  out.zigzag(time);
  writeHistogram(out, histogram);
  return out.copy();
}

export function decodeHistogramRecord(payload: Buffer): { id: number; time: number; histogram: NativeHistogram } {
  const reader = new ByteReader(payload);
  return { id: reader.varint(), time: reader.zigzag(), histogram: readHistogram(reader) };
}

export function encodeExemplarRecord(id: number, time: number, value: number, labels: Labels): Buffer {
  const out = new ByteWriter(256);
  out.varint(id);
  out.zigzag(time);
  out.f64(value);
  out.bytes(encodeLabels(labels));
  return out.copy();
}

export function decodeExemplarRecord(payload: Buffer): { id: number; time: number; value: number; labels: Labels } {
  const reader = new ByteReader(payload);
  const id = reader.varint();
  const time = reader.zigzag();
  const value = reader.f64();
  return { id, time, value, labels: decodeLabels(reader.bytes(reader.end - reader.at)) };
}
