import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../src/index.ts';
import { MemoryReader } from './memory-reader.ts';

const MINUTE = 60_000;

function readerOf(
  series: readonly (readonly [labels: Record<string, string>, from: number, to: number])[],
): MemoryReader {
  const reader = new MemoryReader();
  for (const [labels, from, to] of series)
    for (let minute = from; minute <= to; minute++)
      reader.add(Labels.fromObject(labels), { timestampMs: minute * MINUTE, value: 1 });
  return reader;
}

const engine = createEngine({ experimentalFunctions: true });

async function labelsOf(reader: MemoryReader, query: string, minute: number): Promise<Record<string, string>[]> {
  const { value } = await engine.instant(reader, query, minute * MINUTE);
  if (value.type !== 'vector') throw new Error(`not a vector: ${value.type}`);
  return value.samples.map(({ labels }) => ({ ...labels.toObject() }));
}

describe('info()', () => {
  const target = { job: 'j', instance: 'i' };
  const reader = readerOf([
    [{ __name__: 'x', ...target }, 0, 20],
    [{ __name__: 'target_info', ...target, version: '1' }, 0, 5],
    [{ __name__: 'target_info', ...target, version: '2' }, 6, 20],
    [{ __name__: 'other_info', ...target, zone: 'a' }, 0, 20],
    [{ __name__: 'alone' }, 0, 20],
    [{ __name__: 'twice', job: 'k', instance: 'i' }, 0, 20],
    [{ __name__: 'target_info', job: 'k', instance: 'i', version: '1' }, 0, 20],
    [{ __name__: 'target_info', job: 'k', instance: 'i', version: '2' }, 0, 20],
  ]);

  it.each([
    ['info(x)', 3, [{ __name__: 'x', ...target, version: '1' }]],
    // The older one is not stale yet: the newer counts.
    ['info(x)', 8, [{ __name__: 'x', ...target, version: '2' }]],
    ['info(x, {zone="a"})', 8, []],
    ['info(x, {__name__="other_info"})', 8, [{ __name__: 'x', ...target, zone: 'a' }]],
    ['info(x, {__name__=~".+_info", zone=~".+"})', 8, [{ __name__: 'x', ...target, zone: 'a' }]],
    ['info(x, {version=~".*"})', 8, [{ __name__: 'x', ...target, version: '2' }]],
    ['info(alone)', 8, [{ __name__: 'alone' }]],
    ['info(alone, {__name__="other_info"})', 8, []],
    // Info series are read for the times of the selector.
    ['info(x offset 15m)', 20, [{ __name__: 'x', ...target }]],
  ])('%s', async (query, minute, wanted) => {
    expect(await labelsOf(reader, query, minute)).toEqual(wanted);
  });

  it('refuses two series of one time', async () => {
    await expect(labelsOf(reader, 'info(twice)', 8)).rejects.toThrow(
      'found duplicate series for info metric target_info',
    );
  });
});

describe('sort_by_label', () => {
  const reader = readerOf(
    ['10', '9', 'a10', 'a9', '', '1.5'].map((n, i) => [{ __name__: 's', n, i: String(i) }, 0, 1]),
  );

  it.each([
    ['sort_by_label(s{n!=""}, "n")', ['1.5', '9', '10', 'a9', 'a10']],
    ['sort_by_label_desc(s{n!=""}, "n")', ['a10', 'a9', '10', '9', '1.5']],
  ])('%s', async (query, wanted) => {
    expect((await labelsOf(reader, query, 1)).map(({ n }) => n)).toEqual(wanted);
  });
});

describe('label functions', () => {
  const reader = readerOf([
    [{ __name__: 'a', x: '1' }, 0, 1],
    [{ __name__: 'b', x: '1' }, 0, 1],
    [{ __name__: 'b', x: '2' }, 0, 1],
  ]);

  it.each([
    ['label_join(a + on() b, "d", "-", "")', 'invalid source label name in label_join(): '],
    ['label_join(a + on() b, "", "-", "x")', 'invalid destination label name in label_join(): '],
    ['label_replace(a + on() b, "", "r", "s", "t")', 'invalid destination label name in label_replace(): '],
    ['label_replace(a + on() b, "d", "r", "s", "(")', 'invalid regular expression in label_replace(): ('],
  ])('%s is refused before the series are looked at', async (query, message) => {
    await expect(engine.instant(reader, query, MINUTE)).rejects.toThrow(message);
  });
});
