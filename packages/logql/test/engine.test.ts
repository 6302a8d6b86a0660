import { systemClock } from '@kind-e2e/base';
import { Labels } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, formatQuery, LogqlError, LogqlSyntaxError, parseQuery } from '../src/index.ts';
import { exprText } from '../src/syntax/index.ts';
import { MemoryReader } from './memory-reader.ts';

/** Processor time of this process so far: what a busy machine does to others does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function readerOf(streams: number, lines: number): MemoryReader {
  const reader = new MemoryReader();
  for (let i = 0; i < streams; i++)
    reader.add(
      Labels.fromObject({ app: 'a', i: String(i) }),
      Array.from({ length: lines }, (_, k) => ({ timestampNs: BigInt(k * streams + i), line: `n=${k} stream=${i}` })),
    );
  return reader;
}

describe('log queries', () => {
  const reader = readerOf(5, 300);
  const engine = createEngine();

  it.each(['forward', 'backward'] as const)('takes the %s end of all streams together', async (direction) => {
    const { value } = await engine.range(reader, '{app="a"}', 0n, 10_000n, 1n, { limit: 42, direction });
    if (value.type !== 'streams') throw new Error('not streams');
    const times = value.streams.flatMap(({ entries }) => entries.map(({ timestampNs }) => Number(timestampNs)));
    const first = direction === 'forward' ? 0 : 1500 - 42;
    expect(times.sort((a, b) => a - b)).toEqual(Array.from({ length: 42 }, (_, i) => first + i));
    for (const { entries } of value.streams) {
      const sorted = entries.map(({ timestampNs }) => timestampNs).toSorted((a, b) => (a < b ? -1 : 1));
      expect(entries.map(({ timestampNs }) => timestampNs)).toEqual(
        direction === 'forward' ? sorted : sorted.reverse(),
      );
    }
  });

  it('keeps a line of each stream in an interval', async () => {
    const { value } = await engine.range(reader, '{app="a", i="0"}', 0n, 10_000n, 1n, {
      limit: 1000,
      direction: 'forward',
      intervalNs: 100n,
    });
    if (value.type !== 'streams') throw new Error('not streams');
    expect(value.streams[0]?.entries.map(({ timestampNs }) => Number(timestampNs))).toEqual(
      Array.from({ length: 15 }, (_, i) => i * 100),
    );
  });

  it('finds no text that only two lines together have', async () => {
    const split = new MemoryReader();
    split.add(
      Labels.fromObject({ app: 's' }),
      ['abc', 'def', 'cd', 'abcd', 'x'].map((line, i) => ({ timestampNs: BigInt(i), line })),
    );
    for (const direction of ['forward', 'backward'] as const)
      for (const [query, count] of [
        ['|= "cd"', 2],
        ['!= "cd"', 3],
        ['|~ "c+d"', 2],
        ['|= "fcd"', 0],
        ['|= "d" |~ "ab?c"', 1],
      ] as const) {
        const { stats } = await engine.range(split, `{app="s"} ${query}`, 0n, 10n, 1n, { direction });
        expect([query, stats.entriesReturned]).toEqual([query, count]);
      }
  });

  it('tells where labels come from', async () => {
    const one = new MemoryReader();
    one.add(Labels.fromObject({ app: 'a', b: 's' }), [
      { timestampNs: 1n, line: 'c=3', structuredMetadata: Labels.fromObject({ b: 'm', trace: 't' }) },
    ]);
    const { value } = await engine.range(one, '{app="a"} | logfmt', 0n, 10n, 1n);
    if (value.type !== 'streams') throw new Error('not streams');
    const [stream] = value.streams;
    expect(stream?.labels.toObject()).toEqual({ app: 'a', b: 's', b_extracted: 'm', trace: 't', c: '3' });
    expect(stream?.categories.stream.toObject()).toEqual({ app: 'a', b: 's' });
    expect(stream?.categories.structuredMetadata.toObject()).toEqual({ b_extracted: 'm', trace: 't' });
    expect(stream?.categories.parsed.toObject()).toEqual({ c: '3' });
  });

  it('follows lines as they come', () => {
    const follower = engine.follow('{app="a"} |= "x" | logfmt | n > 1 | line_format "{{.n}}"');
    expect(follower.matchers.map(({ name }) => name)).toEqual(['app']);
    const results = follower.process(Labels.fromObject({ app: 'a' }), [
      { timestampNs: 1n, line: 'n=1 x' },
      { timestampNs: 2n, line: 'n=2 x' },
      { timestampNs: 3n, line: 'n=3' },
    ]);
    expect(results.map(({ labels, entries }) => [labels.toObject(), entries])).toEqual([
      [{ app: 'a', n: '2' }, [{ timestampNs: 2n, line: '2' }]],
    ]);
    expect(() => engine.follow('rate({app="a"}[1m])')).toThrow(LogqlError);
  });
});

describe('limits of the engine', () => {
  it('refuses too many series, and too many before they are aggregated', async () => {
    const reader = readerOf(20, 30);
    const engine = createEngine({ maxSeries: 10 });
    await expect(engine.instant(reader, 'count_over_time({app="a"}[1m])', 1000n)).rejects.toThrow(
      'maximum number of series (10) reached for a single query',
    );
    await expect(engine.instant(reader, 'sum(count_over_time({app="a"}[1m]))', 1000n)).resolves.toBeDefined();
    await expect(
      createEngine({ maxSeries: 2 }).instant(reader, 'count(count_over_time({app="a"} | logfmt [1m]))', 1000n),
    ).rejects.toThrow('maximum number of series (2)');
  });

  it('gives up after its time, and when it is told to', async () => {
    const reader = readerOf(2, 10);
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const slow = {
      *select(selection: Parameters<MemoryReader['select']>[0]) {
        for (const chunk of reader.select(selection)) {
          now += 5000;
          yield chunk;
        }
      },
    } as unknown as MemoryReader;
    const engine = createEngine({ clock, timeoutMs: 1000 });
    const error = await engine
      .instant(slow, 'count_over_time({app="a"}[1m])', 1000n)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'timeout' });
    const aborted = await engine
      .instant(reader, 'count_over_time({app="a"}[1m])', 1000n, { signal: AbortSignal.abort() })
      .catch((thrown: unknown) => thrown);
    expect(aborted).toMatchObject({ kind: 'canceled' });
  });

  it('ends templates that would write without end', async () => {
    const reader = readerOf(1, 1);
    const { value } = await createEngine().range(
      reader,
      '{app="a"} | line_format `{{range $i := (int "999999999")}}{{repeat 1000 "x"}}{{end}}` | __error__ != ""',
      0n,
      10n,
      1n,
    );
    if (value.type !== 'streams') throw new Error('not streams');
    expect(value.streams[0]?.labels.get('__error__')).toBe('TemplateFormatErr');
  });
});

describe('what is written back', () => {
  it.each([
    ['{ b="1",a=~"2" }', '{b="1", a=~"2"}'],
    ['{a="b"}|="x"or"y"!=ip("1.1.1.1")', '{a="b"} |= "x" or "y" != ip("1.1.1.1")'],
    ['{a="b"}|json x="y.z",w|logfmt --strict', '{a="b"} | json x="y.z",w="w" | logfmt --strict'],
    [
      'sum by(a)(rate({a="b"}|unwrap duration(d)[90s]offset 1h))',
      'sum by (a)(rate({a="b"} | unwrap duration(d)[1m30s] offset 1h0m0s))',
    ],
    ['topk(3,count_over_time({a="b"}[1h]))', 'topk(3,count_over_time({a="b"}[1h]))'],
    ['1+2*3', '7'],
    ['{a="b"} | s=404 or d>90s and z<1.5KB', '{a="b"} | ( s==404 or ( d>1m30s , z<1.5kB ) )'],
    ['sum(rate({a="b"}[24h])) without (c, d)', 'sum without (c,d)(rate({a="b"}[1d]))'],
    ['rate({a="b"}[1m])>bool 2', '(rate({a="b"}[1m]) > bool 2)'],
  ])('%s is %s', (query, text) => {
    expect(formatQuery(parseQuery(query))).toBe(text);
    expect(exprText(parseQuery(text))).toBe(text);
  });
});

describe('hostile queries', () => {
  it('end in an answer or in an error of the query', () => {
    const engine = createEngine();
    const word = fc.constantFrom(
      ...'{a="b"} { } ( ) [5m] |= != | json logfmt unwrap "x" x = > 5 5m and or by sum( rate( , offset line_format `{{.x}}` label_format drop ip( 1 + on'.split(
        ' ',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
          fc.string(),
        ),
        (query) => {
          try {
            engine.parse(query);
          } catch (error) {
            if (!(error instanceof LogqlError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    '('.repeat(100_000),
    `{a="b"} | ${'('.repeat(100_000)}`,
    'sum('.repeat(50_000),
    '{'.repeat(50_000),
    `{a="b"} | line_format "${'{{if .x}}'.repeat(20_000)}"`,
    `{a="b"} | line_format "{{${'('.repeat(20_000)}"`,
    `{a="b"} |~ "${'(a|b'.repeat(20_000)}"`,
    `{a="b"} | json x="${'[0]'.repeat(50_000)}.["`,
  ])('refuses %.30s… in time', (query) => {
    const started = cpuMs();
    expect(() => createEngine().parse(query)).toThrow(LogqlSyntaxError);
    expect(cpuMs() - started).toBeLessThan(3000);
  });

  it('reads hostile lines', async () => {
    const reader = new MemoryReader();
    const lines = [
      '{"a":'.repeat(20_000),
      `${'['.repeat(50_000)}`,
      `{"a":"${'\\u'.repeat(20_000)}"}`,
      '='.repeat(50_000),
      `a="${'\\'.repeat(20_001)}`,
      '\u0000\ufffd'.repeat(1000),
    ];
    reader.add(
      Labels.fromObject({ app: 'h' }),
      lines.map((line, i) => ({ timestampNs: BigInt(i), line })),
    );
    const started = cpuMs();
    for (const stage of [
      'json',
      'json x="a.a[0].b"',
      'logfmt',
      'logfmt --strict',
      'unpack',
      'pattern "<a> <b>"',
      'regexp "(?P<x>(a+)+)$"',
      'decolorize',
    ]) {
      const { stats } = await createEngine().range(reader, `{app="h"} | ${stage}`, 0n, 10n, 1n);
      expect(stats.entriesReturned).toBe(lines.length);
    }
    expect(cpuMs() - started).toBeLessThan(5000);
  });
});
