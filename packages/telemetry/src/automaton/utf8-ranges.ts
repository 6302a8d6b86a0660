/** A run of bytes, each within its bounds (both inclusive). */
export type ByteRanges = readonly (readonly [number, number])[];

/** The largest code point of each length in UTF-8. */
const LARGEST = [0x7f, 0x7ff, 0xffff, 0x10ffff] as const;

function encode(point: number): number[] {
  if (point <= 0x7f) return [point];
  if (point <= 0x7ff) return [0xc0 | (point >> 6), 0x80 | (point & 63)];
  if (point <= 0xffff) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
}

/**
 * The UTF-8 of all code points of a range as runs of byte ranges: the range is cut where lengths change, and then
 * wherever a run's last bytes would not cover all that a continuation byte can be.
 */
export function utf8Ranges(low: number, high: number): ByteRanges[] {
  const found: ByteRanges[] = [];
  let from = low;
  for (const largest of LARGEST) {
    if (from > high) break;
    if (from > largest) continue;
    cut(from, Math.min(high, largest), found);
    from = largest + 1;
  }
  return found;
}

function cut(low: number, high: number, found: ByteRanges[]): void {
  const length = encode(low).length;
  for (let rest = 1; rest < length; rest++) {
    const mask = (1 << (6 * rest)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0) {
      cut(low, low | mask, found);
      cut((low | mask) + 1, high, found);
      return;
    }
    if ((high & mask) !== mask) {
      cut(low, (high & ~mask) - 1, found);
      cut(high & ~mask, high, found);
      return;
    }
  }
  const last = encode(high);
  found.push(encode(low).map((byte, i) => [byte, last[i] ?? byte] as const));
}
