import { MalformedError } from '../bytes/byte-reader.ts';

/** Runs up to this length are copied by hand, which is faster than a call. */
const SHORT = 64;

/**
 * Snappy's block format (google/snappy, format_description.txt), as remote write and Loki's push use it. Reads only;
 * the length that the input states is checked against the limit before any memory is taken, from `room` where there is
 * one.
 */
export function decompressSnappy(input: Uint8Array, maxBytes: number, room?: (bytes: number) => Buffer): Buffer {
  let at = 0;
  let size = 0;
  let scale = 1;
  for (;;) {
    const byte = input[at++];
    if (byte === undefined || at > 5) throw new MalformedError('snappy: the length is damaged');
    size += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  if (size > maxBytes) throw new MalformedError(`snappy: ${size} bytes are more than the limit of ${maxBytes}`);
  // A copy makes at most 64 bytes of 2: what claims more is damaged or hostile.
  if (size > input.length * 64) throw new MalformedError('snappy: the input is too short for its length');
  const out = room?.(size) ?? Buffer.allocUnsafeSlow(size);
  let written = 0;
  while (at < input.length) {
    const tag = input[at++] ?? 0;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        length = 1;
        for (let i = 0, unit = 1; i < extra; i++, unit *= 256) length += (input[at++] ?? 0) * unit;
      }
      if (at + length > input.length || written + length > size)
        throw new MalformedError('snappy: a literal is too long');
      if (length <= SHORT) for (let i = 0; i < length; i++) out[written + i] = input[at + i] ?? 0;
      else out.set(input.subarray(at, at + length), written);
      at += length;
      written += length;
      continue;
    }
    let length: number;
    let offset: number;
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | (input[at++] ?? 0);
    } else {
      length = (tag >> 2) + 1;
      offset = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8);
      at += 2;
      if ((tag & 3) === 3) {
        offset += (input[at] ?? 0) * 65_536 + (input[at + 1] ?? 0) * 16_777_216;
        at += 2;
      }
    }
    if (at > input.length || offset === 0 || offset > written || written + length > size)
      throw new MalformedError('snappy: a copy leaves the data');
    for (let i = 0; i < length; i++) out[written + i] = out[written - offset + i] ?? 0;
    written += length;
  }
  if (written !== size) throw new MalformedError('snappy: the data ends too early');
  return out;
}
