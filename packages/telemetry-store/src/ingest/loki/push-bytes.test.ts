import { Labels } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { entriesOf } from '../../logs/line-block.ts';
import { parseStreamLabels } from './labels.ts';
import { parseJsonLabels, parseLokiJson, parseLokiProtobuf } from './push.ts';
import { readJsonLines, readProtobufLines } from './push-bytes.ts';

const time = fc.bigInt({ min: 10n ** 18n, max: 2n ** 63n - 1n });
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    'a "quoted" \\ line',
    'two\nlines\r',
    '{"level":"info"}',
    'café €😀',
    '\u0000',
    '\u2028',
    '\ud800',
  ),
);
const streams = fc.array(
  fc.record({
    stream: fc.dictionary(fc.constantFrom('app', 'pod', 'x_1'), fc.constantFrom('web', 'a}b', 'q"', 'é', ''), {
      minKeys: 1,
    }),
    values: fc.array(fc.tuple(time, text), { maxLength: 5 }),
  }),
  { maxLength: 4 },
);

type Streams = readonly { labels: Labels; entries: readonly unknown[] }[];
const plain = (list: Streams): unknown => list.map(({ labels, entries }) => [labels.toObject(), entries]);

function outcomeOf(run: () => Streams): unknown {
  try {
    return plain(run());
  } catch (error) {
    return (error as Error).message;
  }
}

describe('push requests read as bytes', () => {
  it('are what they are read as JSON', () => {
    let quick = 0;
    fc.assert(
      fc.property(streams, fc.constantFrom(undefined, 1, '\t'), (list, space) => {
        const body = Buffer.from(
          JSON.stringify(
            { streams: list.map(({ stream, values }) => ({ stream, values: values.map(([t, v]) => [String(t), v]) })) },
            undefined,
            space,
          ),
        );
        const outcome = outcomeOf(() => {
          const lines = readJsonLines(body, parseJsonLabels);
          if (!lines) return parseLokiJson(body);
          quick++;
          return lines.map((one) => ({ labels: one.labels, entries: entriesOf(one.lines) }));
        });
        expect(outcome).toEqual(outcomeOf(() => parseLokiJson(body)));
      }),
      { numRuns: 500 },
    );
    expect(quick).toBeGreaterThan(50);
  });

  it('have no control characters within lines, wherever these begin in memory', () => {
    for (const shift of [0, 1, 2, 3])
      for (const char of ['\u0000', '\u0009', '\u001f', '\u0020', '\u007f', 'é'])
        for (const space of ['', '\n'])
          for (let before = 0; before < 9; before++) {
            const line = `${'x'.repeat(before)}${char}y\\"z`;
            const json = `${space}{"streams":[{"stream":{"app":"web"},"values":[["1700000000000000000","${line}"]]}]}`;
            const bytes = Buffer.from(json);
            const memory = Buffer.alloc(bytes.length + shift);
            bytes.copy(memory, shift);
            const lines = readJsonLines(memory.subarray(shift), parseJsonLabels);
            const [entry] = lines?.flatMap((one) => entriesOf(one.lines)) ?? [];
            expect(entry?.line).toBe(char < ' ' ? undefined : line.replace('\\', ''));
          }
  });

  it('leave to the other reader what is not usual', () => {
    const body =
      '{"streams":[{"stream":{"app":"web"},"values":[["1700000000000000000","a"],["1700000000000000001","b"]]}]}';
    expect(readJsonLines(Buffer.from(body), parseJsonLabels)).toBeDefined();
    const changed = [
      body.replace('"b"]', '"b",{"trace":"1"}]'),
      body.replace('"b"', '"\\u0041"'),
      body.replace('1700000000000000001', '17'),
      body.replace('1700000000000000001', '9999999999999999999'),
      body.replace('"b"', 'b'),
      body.replace('{"app":"web"}', '"{}"'),
      `${body}x`,
      body.slice(0, -1),
      body.replace('"values"', '"entries"'),
    ];
    for (const one of changed)
      expect([one, readJsonLines(Buffer.from(one), parseJsonLabels)]).toEqual([one, undefined]);
    for (let length = 0; length < body.length; length++)
      expect(readJsonLines(Buffer.from(body).subarray(0, length), parseJsonLabels)).toBeUndefined();
    expect(
      readJsonLines(Buffer.from([...Buffer.from(body.replace('a"]', '')), 0xff]), parseJsonLabels),
    ).toBeUndefined();
  });

  it('are what they are read as protobuf', () => {
    const message = (field: number, write: (out: ByteWriter) => void): Buffer => {
      const inner = new ByteWriter();
      write(inner);
      const out = new ByteWriter();
      out.varint(field * 8 + 2);
      out.lengthPrefixed(inner.copy());
      return out.copy();
    };
    fc.assert(
      fc.property(streams, fc.boolean(), (list, withMetadata) => {
        const body = Buffer.concat(
          list.map(({ stream, values }) =>
            message(1, (out) => {
              const labels = Object.entries(stream).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
              out.bytes(message(1, (one) => one.utf8(`{${labels.join(', ')}}`)));
              for (const [t, line] of values)
                out.bytes(
                  message(2, (entry) => {
                    entry.bytes(
                      message(1, (stamp) => {
                        stamp.varint(8);
                        stamp.varint(Number(t / 1_000_000_000n));
                        stamp.varint(16);
                        stamp.varint(Number(t % 1_000_000_000n));
                      }),
                    );
                    entry.bytes(message(2, (one) => one.utf8(line)));
                    if (withMetadata)
                      entry.bytes(
                        message(3, (pair) => {
                          pair.bytes(message(1, (one) => one.utf8('trace')));
                          pair.bytes(message(2, (one) => one.utf8('1')));
                        }),
                      );
                  }),
                );
            }),
          ),
        );
        const outcome = outcomeOf(() => {
          const lines = readProtobufLines(body, parseStreamLabels);
          return lines
            ? lines.map((one) => ({ labels: one.labels, entries: entriesOf(one.lines) }))
            : parseLokiProtobuf(body);
        });
        expect(outcome).toEqual(outcomeOf(() => parseLokiProtobuf(body)));
      }),
      { numRuns: 300 },
    );
    expect(() => readProtobufLines(Buffer.from([10, 200, 1]), parseStreamLabels)).toThrow();
    expect(readProtobufLines(Buffer.alloc(0), () => Labels.EMPTY)).toEqual([]);
  });
});

describe('a push by protobuf', () => {
  /** A field of bytes. */
  const field = (number: number, content: Buffer): Buffer => {
    const out = new ByteWriter();
    out.varint((number << 3) | 2);
    out.lengthPrefixed(content);
    return out.copy();
  };
  const stamp = (seconds: bigint, nanoseconds: number): Buffer => {
    const out = new ByteWriter();
    out.varint(1 << 3);
    out.varint64(BigInt.asUintN(64, seconds));
    out.varint(2 << 3);
    out.varint(nanoseconds);
    return out.copy();
  };

  // What is stored holds an int64: a time that does not fit would be found by no query before it is read again.
  it.each([
    [-(2n ** 63n), 1_000_000_000, 1_000_000_000n],
    [2n ** 62n, 7, 7n],
    [9_223_372_037n, 0, -9_223_372_036_709_551_616n],
    [-1n, 5, -999_999_995n],
  ])("has times that wrap as Go's do: %s s and %s ns", (seconds, nanoseconds, expected) => {
    const entry = Buffer.concat([field(1, stamp(seconds, nanoseconds)), field(2, Buffer.from('line'))]);
    const body = field(1, Buffer.concat([field(1, Buffer.from('{app="x"}')), field(2, entry)]));
    expect(parseLokiProtobuf(body)[0]?.entries[0]?.timestampNs).toBe(expected);
  });
});
