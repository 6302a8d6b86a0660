import { systemClock } from '@kind-e2e/base';
import { Labels } from '@kind-e2e/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, formatExpr, formatValue, PromqlError, PromqlSyntaxError, parseExpr } from '../src/index.ts';
import { exprText } from '../src/syntax/index.ts';
import { MemoryReader } from './memory-reader.ts';

/** Processor time of this process so far: what a busy machine does to others does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function readerOf(series: number, samples: number): MemoryReader {
  const reader = new MemoryReader();
  for (let i = 0; i < series; i++)
    for (let k = 0; k < samples; k++)
      reader.add(Labels.fromObject({ __name__: 'x_total', i: String(i) }), { timestampMs: k * 15_000, value: k });
  return reader;
}

describe('limits of the engine', () => {
  const reader = readerOf(20, 20);

  it('refuses to hold too many samples', async () => {
    const engine = createEngine({ maxSamples: 1000 });
    await expect(engine.range(reader, 'x_total', 0, 3_600_000, 15_000)).rejects.toThrow(
      'query processing would load too many samples into memory in query execution',
    );
    await expect(engine.instant(reader, 'max_over_time(x_total[1000d:1ms])', 0)).rejects.toThrow(PromqlError);
    await expect(engine.range(reader, '1', 0, 1e15, 1)).rejects.toThrow(PromqlError);
  });

  it('gives up after its time', async () => {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const engine = createEngine({ clock, timeoutMs: 1000 });
    const slow = {
      ...reader,
      scan: (selection: Parameters<MemoryReader['scan']>[0]) => {
        now += 5000;
        return reader.scan(selection);
      },
    } as MemoryReader;
    const error = await engine.instant(slow, 'sum(x_total) + sum(x_total)', 0).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'timeout', message: 'query timed out in expression evaluation' });
  });

  it('gives up when it is told to', async () => {
    const error = await createEngine()
      .instant(reader, 'x_total', 0, { signal: AbortSignal.abort() })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'canceled' });
  });

  it('lets the event loop run', async () => {
    const big = readerOf(200, 200);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      await createEngine().range(big, 'max_over_time(rate(x_total[5m])[10m:15s])', 0, 3_000_000, 1000);
    } finally {
      clearInterval(timer);
    }
    expect(turns).toBeGreaterThan(3);
  });

  it('keeps experimental functions behind their switch', () => {
    expect(() => createEngine().parse('mad_over_time(x[5m])')).toThrow(
      '1:1: parse error: function "mad_over_time" is not enabled',
    );
    expect(() => createEngine().parse('limitk(1, x)')).toThrow(
      'limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    );
    expect(createEngine({ experimentalFunctions: true }).parse('limitk(1, x)').kind).toBe('aggregation');
  });
});

describe('what is written back', () => {
  it.each([
    ['SUM (x{b="1",a=~"2"}) BY(c,d)', 'sum by (c, d) (x{a=~"2",b="1"})'],
    ['x offset -1h30m', 'x offset -1h30m'],
    ['x[90s] @ 5 offset 1d', 'x[1m30s] @ 5.000 offset 1d'],
    ['x[5m:]@end()', 'x[5m:] @ end()'],
    ['- 1^2', '-1 ^ 2'],
    ['a/on(x)group_left(y)b', 'a / on (x) group_left (y) b'],
    ['a==bool b', 'a == bool b'],
    ["{'a.b', c!=''}", '{__name__="a.b",c!=""}'],
    ['1e30', '1000000000000000000000000000000'],
    ['topk(3,x)', 'topk(3, x)'],
    ['sum without() (x)', 'sum without () (x)'],
    ['label_replace(x,"a\\n","$1","b","(.*)")', 'label_replace(x, "a\\n", "$1", "b", "(.*)")'],
  ])('%s is %s', (query, text) => {
    expect(formatExpr(parseExpr(query))).toBe(text);
  });

  it('breaks long queries over lines that parse to the same', () => {
    const query =
      'histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{namespace="default"}[5m]))) / on (service) group_left () sum by (service) (up)';
    const pretty = formatExpr(parseExpr(query));
    expect(pretty.split('\n').length).toBeGreaterThan(3);
    expect(exprText(parseExpr(pretty))).toBe(exprText(parseExpr(query)));
  });
});

describe('hostile queries', () => {
  it('end in an answer or in a syntax error', () => {
    const word = fc.constantFrom(
      ...'sum by ( ) { } [ ] , + - * / ^ == and or on group_left offset @ start() 5m 1 "x" x =~ = rate( bool : . NaN # \n'.split(
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
            const text = exprText(parseExpr(query));
            expect(exprText(parseExpr(text))).toBe(text);
          } catch (error) {
            if (!(error instanceof PromqlSyntaxError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    '('.repeat(100_000),
    `${'('.repeat(20_000)}1${')'.repeat(20_000)}`,
    `1${'+1'.repeat(50_000)}`,
    '-'.repeat(50_000),
    '{'.repeat(50_000),
    'sum('.repeat(50_000),
    `x${'[5m:1m]'.repeat(20_000)}`,
    `{a=~"${'(a|b)*'.repeat(5000)}"}`,
  ])('refuses %.20s… in time', (query) => {
    const started = cpuMs();
    expect(() => parseExpr(query)).toThrow(PromqlSyntaxError);
    expect(cpuMs() - started).toBeLessThan(3000);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-1.25e22, '-12500000000000000000000'],
    [0.1, '0.1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [5e-324, `0.${'0'.repeat(323)}5`],
  ])('%d is %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });
});

describe('duration expressions', () => {
  const engine = createEngine({ durationExpressions: true });

  it.each([
    ['x[5m]', 'x[5m]'],
    ['x[2m+3m]', 'x[2m + 3m]'],
    ['x[ 60 *5 ]', 'x[60 * 5]'],
    ['x[(1m+90s) * 2]', 'x[(1m + 1m30s) * 2]'],
    ['x[10m - 2 ^ 3 ^ 0 * 150]', 'x[10m - 2 ^ 3 ^ 0 * 150]'],
    ['x[-5m+10m]', 'x[-5m + 10m]'],
    ['x[-(5m)*-1]', 'x[-5m * -1]'],
    ['x[65m % 1h]', 'x[1h5m % 1h]'],
  ])('%s is a range of 5 minutes, printed as %s', (query, text) => {
    const expr = engine.parse(query);
    expect(expr).toMatchObject({ kind: 'matrix-selector', rangeMs: 300_000 });
    expect(exprText(expr)).toBe(text);
  });

  it('stand in steps and offsets too; without parentheses an offset is its first number', () => {
    expect(engine.parse('sum_over_time(x[10m/2:1m-30s] offset -(2*1m))')).toMatchObject({
      args: [{ kind: 'subquery', rangeMs: 300_000, stepMs: 30_000, time: { offsetMs: -120_000 } }],
    });
    expect(engine.parse('x offset 1m * 2')).toMatchObject({
      kind: 'binary',
      left: { time: { offsetMs: 60_000 } },
      right: { value: 2 },
    });
  });

  it.each([
    ['x[5m/0]', '1:5: parse error: division by zero'],
    ['x[5m%0]', '1:5: parse error: modulo by zero'],
    ['x[0]', '1:3: parse error: duration must be greater than 0'],
    ['x[step()]', "1:3: parse error: unexpected character in duration expression: 's'"],
    ['x[5m:step()]', "1:6: parse error: unexpected colon 's'"],
    ['x offset (1m) offset (2m)', '1:1: parse error: offset may not be set multiple times'],
  ])('%s is a mistake: %s', (query, message) => {
    expect(() => engine.parse(query)).toThrow(message);
  });

  it.each([
    ['sum_over_time(x[1m-5m])', '16:21: duration must be greater than 0'],
    ['sum_over_time(x[5m/(1-1)])', '16:23: division by zero'],
    ['sum_over_time(x[1m-5m:5m%(1-1)])', '22:29: modulo by zero'],
  ])('%s parses, but no query begins with it: %s', async (query, message) => {
    engine.parse(query);
    await expect(engine.instant(new MemoryReader(), query, 0)).rejects.toMatchObject({ kind: 'bad_data', message });
  });

  it('are refused without the switch', () => {
    for (const query of ['x[5m*2]', 'x[(5m)]', 'x offset (5m)'])
      expect(() => createEngine().parse(query)).toThrow('experimental duration expression is not enabled');
  });
});
