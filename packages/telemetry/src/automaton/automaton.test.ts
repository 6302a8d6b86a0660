import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearRegex } from '../regex.ts';
import { accepts } from './byte-automaton.ts';
import { literalAutomaton, regexAutomaton } from './compile.ts';
import { utf8Ranges } from './utf8-ranges.ts';

const encoder = new TextEncoder();

describe('utf8Ranges', () => {
  it('has the bytes of exactly the code points of the range', () => {
    const point = fc.integer({ min: 0, max: 0x10ffff });
    fc.assert(
      fc.property(point, point, point, (a, b, c) => {
        if (c >= 0xd800 && c <= 0xdfff) return;
        const [low, high] = a < b ? [a, b] : [b, a];
        const bytes = encoder.encode(String.fromCodePoint(c));
        const isIn = utf8Ranges(low, high).some(
          (run) =>
            run.length === bytes.length &&
            run.every(([from, to], i) => from <= (bytes[i] ?? 0) && (bytes[i] ?? 0) <= to),
        );
        expect(isIn).toBe(low <= c && c <= high);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('byte automata', () => {
  it('find literals as includes does', () => {
    const unit = fc.constantFrom('a', 'b', 'é', '€', '😀');
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
        fc.string({ unit }),
        (literals, text) => {
          const automaton = literalAutomaton(literals);
          expect(automaton && accepts(automaton, encoder.encode(text))).toBe(
            literals.some((literal) => text.includes(literal)),
          );
        },
      ),
    );
  });

  it('match as RE2 does', () => {
    const piece = fc.constantFrom(
      ...['a', 'b+', 'c?', '.', '[ab]', '[^a]', '[é-ü]', '(a|b)', 'a*?', '\\d', '\\W', '^', '$', '(?:ab){2,3}', '€'],
      ...['(?i:k)', '(?i:S)', '(?i:b)', '(?s:.)', '|', '\\p{Armenian}', '[[:upper:]]', '\\x{1F600}', '(^a|b$)', '()'],
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'B', 'c', '1', '\n', 'é', '€', '😀', 'K', 'ſ', 'K') }),
        (pieces, text) => {
          const source = pieces.join('');
          const automaton = regexAutomaton(source);
          expect(automaton && accepts(automaton, encoder.encode(text))).toBe(new LinearRegex(source).test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are not made where they would be large or look around', () => {
    expect(regexAutomaton('a\\b')).toBeUndefined();
    expect(regexAutomaton('(?m)^a')).toBeUndefined();
    expect(regexAutomaton('(a|b)*a(a|b){12}')).toBeUndefined();
    expect(regexAutomaton('^(x{1,30}y?){1,30}$')).toBeUndefined();
    expect(literalAutomaton(['x'.repeat(600)])).toBeUndefined();
  });
});
