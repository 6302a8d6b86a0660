import { expect, it } from 'vitest';
import { buildGramFilter, WantedText } from './gram-filter.ts';

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
