import { isStaleAt, markStaleAt } from '@kind-e2e/telemetry';
import { ByteReader, MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

/**
 * Samples of one series in columns, as sealed chunks are: times as differences of differences, values as whole numbers
 * of a decimal unit (metrics are counts, or were written with a few places), their differences bit-packed in blocks of
 * one width. A third of the bytes of the coding that heads use, and faster to read; what does not fit is left to that.
 *
 * Times: the first as a double, then the first difference and pairs of (how many times the difference stays, by how
 * much it then changes). Values: the power of ten, the order (1 differences, 2 differences of differences), the first
 * value, blocks of (smallest, width, bits); then the places of NaN and of stale markers.
 */
const BLOCK = 64;
const MAX_PLACES = 6;
/** Beyond it differences of differences would no longer be exact. */
const MAX_WHOLE = 2 ** 50;
/** Widths up to this fit a 32-bit accumulator; wider ones are whole bytes. */
const MAX_BIT_WIDTH = 24;
const KIND_NAN = 0;
const KIND_STALE = 1;

const POWERS = Float64Array.from({ length: MAX_PLACES + 1 }, (_, places) => 10 ** places);
const out = new ByteWriter(4096);

/** Undefined where the samples do not fit the format. Times rise. */
export function packSamples(times: Float64Array, values: Float64Array, count: number): Uint8Array | undefined {
  out.reset();
  if (count === 0 || !writeTimes(times, count)) return undefined;
  const whole = new Float64Array(count);
  const places = decimalPlaces(values, count);
  if (places < 0) return undefined;
  const power = POWERS[places] ?? 1;
  const special: number[] = [];
  let before = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0;
    if (Number.isNaN(value)) {
      special.push(i);
      whole[i] = before;
      continue;
    }
    before = Math.round(value * power);
    if (before / power !== value || Math.abs(before) >= MAX_WHOLE || Object.is(value, -0)) return undefined;
    whole[i] = before;
  }
  writeWhole(whole, count, places);
  out.varint(special.length);
  let last = 0;
  for (const i of special) {
    out.varint((i - last) * 2 + (isStaleAt(values, i) ? KIND_STALE : KIND_NAN));
    last = i;
  }
  return out.copy();
}

function writeTimes(times: Float64Array, count: number): boolean {
  out.f64(times[0] ?? 0);
  let delta = 0;
  let run = 0;
  for (let i = 1; i < count; i++) {
    const next = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (next >= MAX_WHOLE) return false;
    if (next === delta) {
      run++;
      continue;
    }
    out.varint(run);
    out.zigzag(next - delta);
    delta = next;
    run = 0;
  }
  out.varint(run);
  return true;
}

/** The fewest places with which every value is a whole number of units; -1 where that are too many. */
function decimalPlaces(values: Float64Array, count: number): number {
  let places = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0;
    if (Number.isNaN(value)) continue;
    while (Math.round(value * (POWERS[places] ?? 1)) / (POWERS[places] ?? 1) !== value)
      if (++places > MAX_PLACES) return -1;
  }
  return places;
}

function writeWhole(whole: Float64Array, count: number, places: number): void {
  const first = differences(whole, count);
  const second = differences(first, count);
  const order = bitsOf(second, count) < bitsOf(first, count) ? 2 : 1;
  const steps = order === 2 ? second : first;
  out.u8(places * 2 + order - 1);
  out.zigzag(whole[0] ?? 0);
  if (order === 2) out.zigzag(first[1] ?? 0);
  for (let from = order; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const { least, width } = rangeOf(steps, from, to);
    out.zigzag(least);
    out.u8(width);
    writeBits(steps, from, to, least, width);
  }
}

function differences(values: Float64Array, count: number): Float64Array {
  const result = new Float64Array(count);
  for (let i = 1; i < count; i++) result[i] = (values[i] ?? 0) - (values[i - 1] ?? 0);
  return result;
}

function bitsOf(steps: Float64Array, count: number): number {
  let bits = 0;
  for (let from = 2; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    bits += rangeOf(steps, from, to).width * (to - from);
  }
  return bits;
}

function rangeOf(steps: Float64Array, from: number, to: number): { least: number; width: number } {
  let least = steps[from] ?? 0;
  let most = least;
  for (let i = from + 1; i < to; i++) {
    const step = steps[i] ?? 0;
    if (step < least) least = step;
    else if (step > most) most = step;
  }
  let width = 0;
  for (let rest = most - least; rest >= 1; rest /= 2) width++;
  return { least, width: width <= MAX_BIT_WIDTH ? width : Math.ceil(width / 8) * 8 };
}

function writeBits(steps: Float64Array, from: number, to: number, least: number, width: number): void {
  if (width === 0) return;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    let rest = (steps[i] ?? 0) - least;
    if (width > MAX_BIT_WIDTH) {
      for (let byte = 0; byte < width; byte += 8) {
        out.u8(rest % 256);
        rest = Math.floor(rest / 256);
      }
      continue;
    }
    held |= rest << bits;
    bits += width;
    for (; bits >= 8; bits -= 8) {
      out.u8(held & 255);
      held >>>= 8;
    }
  }
  if (bits > 0) out.u8(held & 255);
}

/** Decodes `count` samples into the arrays from index `at`. Throws a MalformedError where the bytes are damaged. */
export function unpackSamples(
  bytes: Uint8Array,
  count: number,
  times: Float64Array,
  values: Float64Array,
  at: number,
): void {
  const reader = new ByteReader(bytes);
  readTimes(reader, count, times, at);
  readValues(reader, count, values, at);
  let index = 0;
  for (let left = reader.varint(); left > 0; left--) {
    const coded = reader.varint();
    index += Math.floor(coded / 2);
    if (index >= count) throw new MalformedError('a chunk marks a sample that it does not have');
    if (coded % 2 === KIND_STALE) markStaleAt(values, at + index);
    else values[at + index] = Number.NaN;
  }
}

function readTimes(reader: ByteReader, count: number, times: Float64Array, at: number): void {
  let time = reader.f64();
  let delta = 0;
  times[at] = time;
  let done = 1;
  for (;;) {
    const run = reader.varint();
    if (run > count - done) throw new MalformedError('a chunk has more times than samples');
    for (const end = done + run; done < end; done++) {
      time += delta;
      times[at + done] = time;
    }
    if (done === count) return;
    delta += reader.zigzag();
    time += delta;
    times[at + done++] = time;
  }
}

function readValues(reader: ByteReader, count: number, values: Float64Array, at: number): void {
  const head = reader.u8();
  const order = (head & 1) + 1;
  const power = POWERS[head >> 1];
  if (power === undefined) throw new MalformedError('a chunk has values of an unknown unit');
  let value = reader.zigzag();
  values[at] = value / power;
  let step = 0;
  if (order === 2) {
    step = reader.zigzag();
    value += step;
    if (count > 1) values[at + 1] = value / power;
  }
  const state = { value, step };
  for (let from = order; from < count; from += BLOCK) {
    const size = Math.min(count - from, BLOCK);
    const least = reader.zigzag();
    const width = reader.u8();
    if (width > 56) throw new MalformedError('a chunk has values of an impossible width');
    const length = Math.ceil((width * size) / 8);
    const start = reader.at;
    reader.skip(length);
    readBlock(reader.buffer, start, values, at + from, size, least, width, order, power, state);
  }
}

function readBlock(
  bytes: Uint8Array,
  start: number,
  values: Float64Array,
  at: number,
  size: number,
  least: number,
  width: number,
  order: number,
  power: number,
  state: { value: number; step: number },
): void {
  let { value, step } = state;
  const isNarrow = width <= MAX_BIT_WIDTH;
  const mask = isNarrow ? (1 << width) - 1 : 0;
  let from = start;
  let held = 0;
  let bits = 0;
  for (let i = at; i < at + size; i++) {
    let coded = 0;
    if (isNarrow) {
      for (; bits < width; bits += 8) held |= (bytes[from++] ?? 0) << bits;
      coded = held & mask;
      held >>>= width;
      bits -= width;
    } else {
      let unit = 1;
      for (let byte = 0; byte < width; byte += 8, unit *= 256) coded += (bytes[from++] ?? 0) * unit;
    }
    if (order === 2) {
      step += least + coded;
      value += step;
    } else value += least + coded;
    values[i] = value / power;
  }
  state.value = value;
  state.step = step;
}
