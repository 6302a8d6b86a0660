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
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
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

const pair = new Writer();
const all = new Writer();
const encodedLabels = new WeakMap<object, Buffer>();

function labelsOf(labels: Readonly<Record<string, string>>): Buffer {
  const known = encodedLabels.get(labels);
  if (known) return known;
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

function bytesOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** A prometheus.WriteRequest (remote write 1.0) in snappy's block format. */
export function writeRequest(series: readonly WrittenSeries[]): Uint8Array {
  for (const { labels, times, values } of series) {
    const encoded = labelsOf(labels);
    let length = encoded.length;
    for (const time of times) length += 2 + 10 + bytesOfVarint(time);
    request.varint(0x0a);
    request.varint(length);
    request.bytes(encoded);
    for (let i = 0; i < times.length; i++) {
      const time = times[i] ?? 0;
      request.varint(0x12);
      request.varint(10 + bytesOfVarint(time));
      request.varint(0x09);
      request.double(values[i] ?? 0);
      request.varint(0x10);
      request.varint(time);
    }
  }
  return snappy.compress(request.take());
}

export const REMOTE_WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};
