import { expect, it } from 'vitest';
import { traceAt } from '../../test/fixture-traces.ts';
import { type Span, type Trace, toTrace, traceListResponse } from '../api/jaeger.ts';
import { microseconds } from '../units/brands.ts';
import { buildTraceTree, criticalPath, selfTime, visibleRows } from './trace-tree.ts';

function span(
  id: string,
  parentId: string | undefined,
  start: number,
  duration: number,
  extra: Partial<Span> = {},
): Span {
  return {
    id,
    parentId,
    traceId: 't',
    service: 's',
    operation: id,
    start: microseconds(start),
    duration: microseconds(duration),
    kind: 'internal',
    hasError: false,
    tags: [],
    process: [],
    events: [],
    links: [],
    warnings: [],
    ...extra,
  };
}
const tree = (...spans: Span[]) => buildTraceTree({ id: 't', spans } satisfies Trace);

it('builds the tree of the slow page: 5 services, 9 deep or so, 13 spans', () => {
  const trace = traceListResponse.parse({ data: [traceAt(Math.ceil(1_768_216_000 / 30) * 30)] }).data[0];
  const built = buildTraceTree(trace ?? toTrace({ traceID: 'none', spans: [], processes: {} }));
  expect(built.services).toHaveLength(5);
  expect(built.nodes.size).toBe(13);
  expect(built.depth).toBeGreaterThanOrEqual(6);
  expect(built.orphans).toBe(0);
  expect(visibleRows(built, new Set())).toHaveLength(13);
});

it('makes roots of orphans and of spans in a circle', () => {
  expect(tree(span('a', 'gone', 0, 10)).orphans).toBe(1);
  const circle = tree(span('a', 'b', 0, 10), span('b', 'a', 0, 10));
  expect(circle.roots.length).toBeGreaterThan(0);
  expect(visibleRows(circle, new Set())).toHaveLength(2);
});

it('hangs the server half of a shared span below the client half', () => {
  const shared = tree(
    span('root', undefined, 0, 100),
    span('x', 'root', 10, 50, { kind: 'client' }),
    span('x', 'root', 20, 30, { kind: 'server' }),
  );
  expect(shared.roots[0]?.children[0]?.children[0]?.span.kind).toBe('server');
});

it('folds', () => {
  const built = tree(span('a', undefined, 0, 100), span('b', 'a', 0, 50), span('c', 'b', 0, 20));
  expect(visibleRows(built, new Set(['b'])).map((node) => node.span.id)).toEqual(['a', 'b']);
  expect(built.roots[0]?.descendants).toBe(2);
});

it('follows the child that ends last', () => {
  const ms = 1000;
  const built = tree(
    span('a', undefined, 0, 100 * ms),
    span('b', 'a', 10 * ms, 30 * ms),
    span('c', 'a', 50 * ms, 40 * ms),
    span('d', 'a', 55 * ms, 10 * ms),
  );
  expect(criticalPath(built).map((section) => [section.spanId, section.from / ms, section.to / ms])).toEqual([
    ['a', 0, 10],
    ['b', 10, 40],
    ['a', 40, 50],
    ['c', 50, 90],
    ['a', 90, 100],
  ]);
});

it('does not wait for what outlives its parent, but for what seems to by the clocks', () => {
  const ms = 1000;
  const outlives = tree(span('a', undefined, 0, 100 * ms), span('async', 'a', 50 * ms, 200 * ms));
  expect(criticalPath(outlives).map((section) => section.spanId)).toEqual(['a']);
  const skewed = tree(
    span('a', undefined, 0, 100 * ms),
    span('b', 'a', 1 * ms, 100 * ms),
    span('c', 'b', 2 * ms, 99 * ms),
  );
  expect(criticalPath(skewed).map((section) => [section.spanId, section.from / ms, section.to / ms])).toEqual([
    ['a', 0, 1],
    ['b', 1, 2],
    ['c', 2, 100],
  ]);
});

it('looks behind a leaf for the siblings that do its work', () => {
  const ms = 1000;
  const built = tree(
    span('page', undefined, 0, 100 * ms),
    span('handler', 'page', 1 * ms, 98 * ms),
    span('custom', 'page', 2 * ms, 96 * ms),
    span('work', 'custom', 3 * ms, 94 * ms),
  );
  const path = criticalPath(built);
  expect(path.find((section) => section.to - section.from > 50 * ms)?.spanId).toBe('work');
});

it('subtracts children once where they overlap', () => {
  const built = tree(span('a', undefined, 0, 100), span('b', 'a', 10, 40), span('c', 'a', 30, 40));
  expect(built.roots[0] && selfTime(built.roots[0])).toBe(40);
});

it('stands a chain of 20,000 spans', () => {
  const spans = Array.from({ length: 20_000 }, (_, index) =>
    span(`s${index}`, index === 0 ? undefined : `s${index - 1}`, index, 40_000 - 2 * index),
  );
  expect(tree(...spans).depth).toBe(20_000);
});
