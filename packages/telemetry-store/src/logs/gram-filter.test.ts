import { expect, it } from 'vitest';
import { isPicked, SHORT_BYTES, SHORT_LENGTH, shortHash, WantedText } from './gram-filter.ts';
import { filterBytes, GROUP_BYTES, groupHash } from './six-byte-groups.ts';

/** As earlier versions made it of a chunk's text. */
function buildGramFilter(text: Uint8Array): Uint8Array {
  const filter = new Uint8Array(SHORT_BYTES + filterBytes(text.length));
  const mask = (filter.length - SHORT_BYTES) * 8 - 1;
  const { length } = text;
  let group = 0;
  let before1 = 0;
  let before2 = 0;
  let before3 = 0;
  for (let i = 0; i < length; i++) {
    group = ((group << 8) | (text[i] ?? 0)) & 0xffffff;
    if (i >= SHORT_LENGTH - 1) {
      const bit = shortHash(group);
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      if (i >= GROUP_BYTES - 1) {
        const hash = groupHash(before3, group);
        if (isPicked(hash)) {
          const place = (hash >>> 3) & mask;
          const at = SHORT_BYTES + (place >>> 3);
          filter[at] = (filter[at] ?? 0) | (1 << (place & 7));
        }
      }
    }
    before3 = before2;
    before2 = before1;
    before1 = group;
  }
  return filter;
}

/** The same "random" bytes in every run. */
function hex(seed: number, digits: number): string {
  let state = seed * 2_654_435_761 + 1;
  let text = '';
  while (text.length < digits) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += (state >>> 16).toString(16).padStart(4, '0');
  }
  return text.slice(0, digits);
}

const lines = Array.from(
  { length: 1500 },
  (_, i) => `level=info trace_id=${hex(i, 32)} span_id=${hex(i + 5000, 16)} msg="caf\u00e9 ${i % 7} served"`,
);
const text = Buffer.from(lines.join(''));
const filter = buildGramFilter(text);
const mayHold = (wanted: string): boolean => new WantedText(Buffer.from(wanted)).mayBeIn(filter);

it('never denies a string that is there', () => {
  for (let i = 0; i < 4000; i++) {
    const from = (i * 7919) % (text.length - 64);
    const part = text.subarray(from, from + 1 + (i % 60));
    expect(new WantedText(part).mayBeIn(filter)).toBe(true);
  }
  expect(mayHold('')).toBe(true);
});

it('denies words and identifiers that are not there', () => {
  for (const word of ['panic', 'OutOfMemory', 'no such text anywhere', 'ERROR']) expect(mayHold(word)).toBe(false);
  const wrong = Array.from({ length: 500 }, (_, i) => hex(i + 90_000, 32)).filter(mayHold);
  // One in eight groups of six is picked: a few of these have none, or only such as are there.
  expect(wrong.length).toBeLessThan(50);
});

it('is small beside its text', () => {
  expect(filter.length / text.length).toBeLessThan(0.1);
});
