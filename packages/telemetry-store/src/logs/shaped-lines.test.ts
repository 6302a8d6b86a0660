import { createHash } from 'node:crypto';
import { accepts, literalAutomaton, regexAutomaton } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompress } from './chunk-codec.ts';
import { encodeShaped, type ShapedText } from './shaped-encode.ts';
import { ShapedLines } from './shaped-lines.ts';
import { WantedWords } from './word-filter.ts';

function encode(lines: readonly string[]): ShapedText {
  const bytes = lines.map((line) => Buffer.from(line));
  let end = 0;
  return encodeShaped({
    text: Buffer.concat(bytes),
    ends: Uint32Array.from(bytes, ({ length }) => {
      end += length;
      return end;
    }),
    timestamps: new BigInt64Array(lines.length),
    metadata: undefined,
  });
}

function pack(lines: readonly string[]): ShapedLines {
  const { index, order, parts } = encode(lines);
  return new ShapedLines({
    index: () => decompress(index),
    order: () => decompress(order),
    part: (number, size) => decompress(parts[number] ?? index, size + 1, size),
  });
}

function filterOf(lines: readonly string[]): Uint8Array {
  return encode(lines).words;
}

function unpack(packed: ShapedLines, wanted?: Uint8Array): string[] {
  const { text, ends } = packed.text(wanted);
  return Array.from(ends, (end, i) => Buffer.from(text.subarray(i === 0 ? 0 : ends[i - 1], end)).toString());
}

const word = fc.constantFrom(
  ...['level=info', 'level=warn', 'took', '12ms', '7ms', '0', '', '-', 'shard-13', 'shard-9', '10.0.0.1:80', 'é9', '€'],
  ...['00ffaa0123456789', 'ffffffffffffffff', 'deadbeefdeadbeef', '2026-01-12T11:08:57.123Z', '\n', '{"a":1}', 'x'],
);
const line = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
const chunk = fc.oneof(
  fc.array(line, { minLength: 1, maxLength: 60 }),
  // Few shapes, many lines.
  fc
    .tuple(fc.array(line, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(300), { minLength: 1, maxLength: 60 }))
    .map(([shapes, numbers]) =>
      numbers.map((n) => (shapes[n % shapes.length] ?? '').replaceAll(/\d/g, String(n % 10))),
    ),
);

describe('lines by shapes', () => {
  it('are given back as they were, all or some', () => {
    fc.assert(
      fc.property(chunk, fc.infiniteStream(fc.boolean()), (lines, choice) => {
        const packed = pack(lines);
        expect(unpack(packed)).toEqual(lines);
        const wanted = Uint8Array.from(lines, () => (choice.next().value ? 1 : 0));
        expect(unpack(packed, wanted)).toEqual(lines.filter((_, i) => wanted[i] === 1));
      }),
      { numRuns: 300 },
    );
  });

  it('are searched as their text is', () => {
    const automata = [
      ...[
        'shard-[0-9]*',
        '[0-9]+ms$',
        '^level=(info|warn)',
        'f+ took',
        '^$',
        '(?i)LEVEL=W',
        '.é',
        '[^a-z]00ff',
        'a.*z',
      ],
      ...['\\d\\d\\d', 'beef.*7ms', '', '^-|x$', '[é-ü]9'],
    ].map(regexAutomaton);
    const literal = fc.oneof(word, fc.constantFrom('ms level', 'f', 'aa0', ' sh', 'ef ', 'o', '1', '7', '9 €'));
    fc.assert(
      fc.property(
        chunk,
        fc.oneof(
          literal.map((text) => literalAutomaton([text])),
          fc.constantFrom(...automata),
        ),
        (lines, automaton) => {
          if (automaton === undefined) return;
          const packed = pack(lines);
          const matches = packed.search(automaton);
          const wanted = lines.map((text) => (accepts(automaton, Buffer.from(text)) ? 1 : 0));
          expect([...packed.marks(matches)]).toEqual(wanted);
          expect(packed.countOf(matches)).toBe(wanted.filter((mark) => mark === 1).length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('have a filter that never denies a string that is there', () => {
    const lines = Array.from(
      { length: 300 },
      (_, i) =>
        `level=info id=${createHash('md5').update(String(i)).digest('hex')} user-${i}:web say="caf\u00e9 ${i % 7}"`,
    );
    const filter = filterOf(lines);
    const mayHold = (wanted: string): boolean => new WantedWords(Buffer.from(wanted)).mayBeIn(filter);
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.nat(), fc.nat(), (text, a, b) => {
        const start = a % text.length;
        expect(mayHold(text.slice(start, start + 1 + (b % (text.length - start))))).toBe(true);
      }),
    );
    const absent = Array.from({ length: 200 }, (_, i) => createHash('md5').update(`no ${i}`).digest('hex'));
    expect(absent.filter(mayHold).length).toBeLessThan(20);
  });

  it('are kept whole where there are too many shapes, words or bytes', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const lines = [
      ...Array.from({ length: 400 }, (_, i) => `${letters[i % 26]}${letters[Math.floor(i / 26)]} has 1 shape`),
      Array.from({ length: 200 }, (_, i) => `word${i}`).join(' '),
      `${'long '.repeat(10_000)}1`,
      'aa has 2 shapes',
    ];
    const packed = pack(lines);
    expect(unpack(packed)).toEqual(lines);
    const automaton = literalAutomaton(['has 1', 'word199']);
    expect(automaton && packed.countOf(packed.search(automaton))).toBe(401);
  });

  it('refuses what makes no sense', () => {
    const { index } = encodeShaped({
      text: Buffer.from('a 1b 2'),
      ends: Uint32Array.of(3, 6),
      timestamps: new BigInt64Array(2),
      metadata: undefined,
    });
    const bytes = decompress(index);
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 1, 127, 255]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        const read = (): unknown => {
          const packed = new ShapedLines({
            index: () => damaged,
            order: () => Uint8Array.of(0, 1),
            part: (_number, size) => new Uint8Array(size),
          });
          return packed.text();
        };
        try {
          read();
        } catch (error) {
          expect((error as Error).name).toBe('MalformedError');
        }
      }
  });
});
