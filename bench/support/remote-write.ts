// @ts-expect-error: the package has no types
import snappy from 'snappyjs';

/** One series of a remote-write request. */
export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, rising. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** Protobuf by hand, so that making the load costs little beside taking it. */
class Writer {
  #bytes = Buffer.allocUnsafe(1 << 20);
  #at = 0;

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  block(tag: number, bytes: Uint8Array): void {
    this.varint(tag);
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return bytes;
  }
}

const encodedLabels = new WeakMap<object, Buffer>();

function labelsOf(labels: Readonly<Record<string, string>>): Buffer {
  const known = encodedLabels.get(labels);
  if (known) return known;
  const pair = new Writer();
  const all = new Writer();
  for (const name of Object.keys(labels).sort()) {
    pair.block(0x0a, Buffer.from(name));
    pair.block(0x12, Buffer.from(labels[name] ?? ''));
    all.block(0x0a, pair.take());
  }
  const bytes = all.take();
  encodedLabels.set(labels, bytes);
  return bytes;
}

const request = new Writer();
const series = new Writer();
const sample = new Writer();

/** A prometheus.WriteRequest (remote write 1.0) in snappy's block format. */
export function writeRequest(all: readonly WrittenSeries[]): Uint8Array {
  for (const { labels, times, values } of all) {
    const samples: Buffer[] = [];
    for (let i = 0; i < times.length; i++) {
      sample.varint(0x09);
      sample.double(values[i] ?? 0);
      sample.varint(0x10);
      sample.varint(times[i] ?? 0);
      series.block(0x12, sample.take());
    }
    samples.push(series.take());
    request.block(0x0a, Buffer.concat([labelsOf(labels), ...samples]));
  }
  return snappy.compress(request.take());
}

export const REMOTE_WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};
