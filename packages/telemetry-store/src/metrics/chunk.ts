import { markStaleAt } from '@kind-e2e/telemetry';

/**
 * Samples of one series in rising order of time, coded as they arrive, so that a head needs no more memory than a
 * sealed chunk. Delta-of-delta for times and for whole-number values, XOR of the bits for others (after Gorilla, and
 * Prometheus' tsdb/chunkenc/xor.go), but on byte borders, which V8 reads several times faster than bits.
 *
 * The first sample is two doubles. Then, per sample, a tag: the upper two bits tell how the time's delta-of-delta is
 * coded, the lower six how the value is. A tag of 0 (same delta, same step of value) is followed by a count of
 * repetitions.
 */
const TIME_SAME = 0;
const TIME_BYTE = 1;
const TIME_SHORT = 2;
const TIME_VARINT = 3;

const VALUE_SAME_STEP = 0;
const VALUE_BYTE = 1;
const VALUE_SHORT = 2;
const VALUE_VARINT = 3;
const VALUE_UNCHANGED = 4;
const VALUE_STALE = 5;
const VALUE_NAN = 6;
/** And up: XOR, by (leading zero bytes, length). */
const VALUE_XOR = 8;

/** XOR_CLASS[leading * 9 + length] and its inverse. */
const XOR_CLASS = new Uint8Array(72);
const XOR_LEADING = new Uint8Array(64);
const XOR_LENGTH = new Uint8Array(64);
{
  let next = VALUE_XOR;
  for (let leading = 0; leading < 8; leading++)
    for (let length = 1; leading + length <= 8; length++) {
      XOR_CLASS[leading * 9 + length] = next;
      XOR_LEADING[next] = leading;
      XOR_LENGTH[next] = length;
      next++;
    }
}

const MAX_STEP = 2 ** 50;
const F = new Float64Array(2);
const B = new Uint8Array(F.buffer);

export const MAX_CHUNK_SAMPLES = 256;

export class SampleChunk {
  count = 0;
  minTime = 0;
  maxTime = 0;
  /** Numbers of the first and last record of the write-ahead log that added to it. */
  firstSequence = 0;
  lastSequence = 0;
  #bytes: Uint8Array;
  #length = 0;
  #timeDelta = 0;
  #value = 0;
  #step = 0;
  #runAt = -1;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get byteLength(): number {
    return this.#length;
  }

  get lastValue(): number {
    return this.#value;
  }

  encoded(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives up spare room once nothing will be added. */
  close(): void {
    this.#bytes = this.#bytes.slice(0, this.#length);
  }

  append(time: number, value: number, stale: boolean, sequence: number): void {
    // The one NaN that decoding gives: the XOR of a later value must not be with the payload that this NaN came with.
    const sample = stale || Number.isNaN(value) ? Number.NaN : value;
    if (this.#length + 32 > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, 64));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (this.count === 0) {
      this.minTime = time;
      this.firstSequence = sequence;
      F[0] = time;
      F[1] = 0;
      this.#bytes.set(B, 0);
      this.#length = 8;
      this.#value = 0;
      this.#tagged(0, TIME_SAME, sample, stale);
    } else {
      const delta = time - this.maxTime;
      const change = delta - this.#timeDelta;
      this.#timeDelta = delta;
      const timeClass =
        change === 0
          ? TIME_SAME
          : change >= -128 && change < 128
            ? TIME_BYTE
            : change >= -32768 && change < 32768
              ? TIME_SHORT
              : TIME_VARINT;
      this.#tagged(change, timeClass, sample, stale);
    }
    this.maxTime = time;
    this.lastSequence = sequence;
    this.count++;
  }

  #tagged(change: number, timeClass: number, value: number, stale: boolean): void {
    const bytes = this.#bytes;
    const before = this.#value;
    const step = value - before;
    let valueClass: number;
    let stepChange = 0;
    if (value === before + this.#step && Number.isInteger(step) && isPlain(value, before)) {
      valueClass = VALUE_SAME_STEP;
    } else if (Number.isNaN(value)) {
      valueClass = stale ? VALUE_STALE : VALUE_NAN;
    } else if (Object.is(value, before)) {
      valueClass = VALUE_UNCHANGED;
    } else if (
      Number.isInteger(value) &&
      Number.isInteger(before) &&
      isPlain(value, before) &&
      Math.abs(step) < MAX_STEP
    ) {
      stepChange = step - this.#step;
      valueClass =
        stepChange >= -128 && stepChange < 128
          ? VALUE_BYTE
          : stepChange >= -32768 && stepChange < 32768
            ? VALUE_SHORT
            : VALUE_VARINT;
    } else {
      valueClass = VALUE_XOR;
    }
    if (timeClass === TIME_SAME && valueClass === VALUE_SAME_STEP) {
      if (this.#runAt >= 0 && (bytes[this.#runAt] ?? 255) < 255) {
        bytes[this.#runAt] = (bytes[this.#runAt] ?? 0) + 1;
      } else {
        bytes[this.#length++] = 0;
        this.#runAt = this.#length;
        bytes[this.#length++] = 1;
      }
      this.#value = value;
      return;
    }
    this.#runAt = -1;
    const tagAt = this.#length++;
    if (timeClass === TIME_BYTE) bytes[this.#length++] = change & 0xff;
    else if (timeClass === TIME_SHORT) {
      bytes[this.#length++] = change & 0xff;
      bytes[this.#length++] = (change >> 8) & 0xff;
    } else if (timeClass === TIME_VARINT) this.#zigzag(change);
    if (valueClass === VALUE_BYTE) bytes[this.#length++] = stepChange & 0xff;
    else if (valueClass === VALUE_SHORT) {
      bytes[this.#length++] = stepChange & 0xff;
      bytes[this.#length++] = (stepChange >> 8) & 0xff;
    } else if (valueClass === VALUE_VARINT) this.#zigzag(stepChange);
    else if (valueClass === VALUE_XOR) valueClass = this.#xor(value, before);
    if (valueClass === VALUE_BYTE || valueClass === VALUE_SHORT || valueClass === VALUE_VARINT) this.#step = step;
    else if (valueClass !== VALUE_SAME_STEP) this.#step = 0;
    bytes[tagAt] = (timeClass << 6) | valueClass;
    this.#value = value;
  }

  #xor(value: number, before: number): number {
    F[0] = Number.isNaN(before) ? Number.NaN : before;
    F[1] = value;
    let leading = 0;
    while (leading < 7 && B[7 - leading] === B[15 - leading]) leading++;
    let low = 0;
    while (low < 7 - leading && B[low] === B[8 + low]) low++;
    const length = 8 - leading - low;
    for (let i = low; i < low + length; i++) this.#bytes[this.#length++] = (B[i] ?? 0) ^ (B[8 + i] ?? 0);
    return XOR_CLASS[leading * 9 + length] ?? VALUE_XOR;
  }

  #zigzag(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }
}

/** Neither is -0, which adding would turn into 0, and neither is infinite. */
function isPlain(value: number, before: number): boolean {
  return !Object.is(value, -0) && !Object.is(before, -0) && Number.isFinite(value) && Number.isFinite(before);
}

/** Decodes `count` samples into the arrays from index `at`. Throws a RangeError where the bytes are damaged. */
export function decodeSamples(
  bytes: Uint8Array,
  count: number,
  times: Float64Array,
  values: Float64Array,
  at: number,
): void {
  if (count === 0) return;
  B.set(bytes.subarray(0, 8), 0);
  let time = F[0] ?? 0;
  let read = 8;
  let delta = 0;
  let value = 0;
  let step = 0;
  let out = at;
  const end = at + count;
  while (out < end) {
    if (read >= bytes.length) throw new RangeError('a chunk of samples ends too early');
    const tag = bytes[read++] ?? 0;
    if (tag === 0) {
      const run = Math.min(bytes[read++] ?? 0, end - out);
      if (run === 0) throw new RangeError('a chunk of samples has an empty run');
      for (let i = 0; i < run; i++) {
        if (out > at) time += delta;
        value += step;
        times[out] = time;
        values[out] = value;
        out++;
      }
      continue;
    }
    const timeClass = tag >> 6;
    let change = 0;
    if (timeClass === TIME_BYTE) change = ((bytes[read++] ?? 0) << 24) >> 24;
    else if (timeClass === TIME_SHORT) {
      change = (((bytes[read] ?? 0) | ((bytes[read + 1] ?? 0) << 8)) << 16) >> 16;
      read += 2;
    } else if (timeClass === TIME_VARINT) {
      let raw = 0;
      let scale = 1;
      for (;;) {
        const byte = bytes[read++] ?? 0;
        raw += (byte & 127) * scale;
        if (byte < 128) break;
        scale *= 128;
      }
      change = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    if (out > at) {
      delta += change;
      time += delta;
    }
    const valueClass = tag & 63;
    let isStale = false;
    if (valueClass === VALUE_SAME_STEP) value += step;
    else if (valueClass === VALUE_BYTE) {
      step += ((bytes[read++] ?? 0) << 24) >> 24;
      value += step;
    } else if (valueClass === VALUE_SHORT) {
      step += (((bytes[read] ?? 0) | ((bytes[read + 1] ?? 0) << 8)) << 16) >> 16;
      read += 2;
      value += step;
    } else if (valueClass === VALUE_VARINT) {
      let raw = 0;
      let scale = 1;
      for (;;) {
        const byte = bytes[read++] ?? 0;
        raw += (byte & 127) * scale;
        if (byte < 128) break;
        scale *= 128;
      }
      step += raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      value += step;
    } else {
      step = 0;
      if (valueClass === VALUE_STALE) {
        value = Number.NaN;
        isStale = true;
      } else if (valueClass === VALUE_NAN) value = Number.NaN;
      else if (valueClass >= VALUE_XOR) {
        const length = XOR_LENGTH[valueClass] ?? 0;
        const low = 8 - (XOR_LEADING[valueClass] ?? 0) - length;
        F[0] = Number.isNaN(value) ? Number.NaN : value;
        for (let i = low; i < low + length; i++) B[i] = (B[i] ?? 0) ^ (bytes[read++] ?? 0);
        value = F[0] ?? 0;
      }
    }
    times[out] = time;
    values[out] = value;
    if (isStale) markStaleAt(values, out);
    out++;
  }
}
