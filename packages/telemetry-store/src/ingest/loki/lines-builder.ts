import type { Lines } from '../../logs/chunk-codec.ts';

const BILLION = 1_000_000_000;
const TWO_32 = 4_294_967_296;

/**
 * Memory for the text of one request: it is not larger than the request. Used for the next one again, so whoever gets
 * its lines copies them before the next is read.
 */
let scratch = Buffer.alloc(0);
const MAX_KEPT_BYTES = 1024 * 1024;

export function textScratch(bytes: number): Buffer {
  if (bytes > MAX_KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(Math.min(MAX_KEPT_BYTES, bytes * 2));
  return scratch;
}

/** Lines of one stream as they are read from a request, without strings and numbers of 64 bits for each. */
export class LinesBuilder {
  /** Where the next byte of the text goes; the reader writes it and moves on. */
  text: Buffer;
  length = 0;
  #count = 0;
  #timestamps = new BigInt64Array(256);
  #words = new Uint32Array(this.#timestamps.buffer);
  #ends = new Uint32Array(256);

  /** `text` is large enough for all that will come. */
  constructor(text: Buffer) {
    this.text = text;
  }

  get count(): number {
    return this.#count;
  }

  /** Ends a line, whose bytes are written, with its time in seconds and nanoseconds. */
  end(seconds: number, nanoseconds: number): void {
    const count = this.#count;
    if (count === this.#ends.length) this.#grow();
    // In two halves, so that no product leaves the 53 bits of a number.
    const high = Math.floor(seconds / 65_536) * BILLION;
    const low = (high % 65_536) * 65_536 + (seconds % 65_536) * BILLION + nanoseconds;
    this.#words[count * 2] = low % TWO_32;
    this.#words[count * 2 + 1] = Math.floor(high / 65_536) + Math.floor(low / TWO_32);
    this.#ends[count] = this.length;
    this.#count = count + 1;
  }

  #grow(): void {
    const timestamps = new BigInt64Array(this.#timestamps.length * 2);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    this.#words = new Uint32Array(timestamps.buffer);
    const ends = new Uint32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    this.#ends = ends;
  }

  lines(): Lines {
    return {
      timestamps: this.#timestamps.subarray(0, this.#count),
      ends: this.#ends.subarray(0, this.#count),
      text: this.text.subarray(0, this.length),
      metadata: undefined,
    };
  }
}
