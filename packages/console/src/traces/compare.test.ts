import { expect, it } from 'vitest';
import type { Span } from '../api/jaeger.ts';
import { microseconds } from '../units/brands.ts';
import { compareTraces } from './compare.ts';
import { buildTraceTree } from './trace-tree.ts';

const span = (id: string, parentId: string | undefined, operation: string, duration: number): Span => ({
  id,
  parentId,
  traceId: 't',
  service: 's',
  operation,
  start: microseconds(0),
  duration: microseconds(duration),
  kind: 'internal',
  hasError: false,
  tags: [],
  process: [],
  events: [],
  links: [],
  warnings: [],
});

it('sets spans of the same place side by side', () => {
  const a = buildTraceTree({ id: 'a', spans: [span('1', undefined, 'page', 100), span('2', '1', 'work', 80)] });
  const b = buildTraceTree({ id: 'b', spans: [span('1', undefined, 'page', 20), span('3', '1', 'cache', 5)] });
  expect(
    compareTraces(a, b).map((group) => [
      group.operation,
      group.countA,
      group.countB,
      group.durationA - group.durationB,
    ]),
  ).toEqual([
    ['page', 1, 1, 80],
    ['cache', 0, 1, -5],
    ['work', 1, 0, 80],
  ]);
});
