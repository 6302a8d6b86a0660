import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Span, TraceSearch } from '@kind-e2e/telemetry';
import { serviceOf } from '@kind-e2e/telemetry';
import { expect, it } from 'vitest';
import { openTelemetryStore } from '../src/index.ts';
import { hex, temporaryDirectory } from './fixtures.ts';

const START_NS = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
const TRACES = 5_000;
const SEARCHES = 250;
const BATCH = 1_000;

/** Numbers that are the same in each run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Traces of five spans each: services with pods, operations, rare and frequent tags, errors, events, a few very long. */
function makeSpans(): Span[] {
  const roll = dice(7);
  const resources = Array.from({ length: 12 }, (_, i) => ({
    attributes: { 'service.name': `service-${i % 4}`, 'k8s.pod.name': `pod-${i}`, region: i < 6 ? 'north' : 'south' },
  }));
  const scopes = [
    { name: 'made-up', version: '1' },
    { name: 'rare', version: '' },
  ];
  const spans: Span[] = [];
  for (let trace = 0; trace < TRACES; trace++) {
    for (let i = 0; i < 5; i++) {
      const start = START_NS + BigInt(trace * 1_000_000 + roll(900_000)) * 1_000n + BigInt(roll(1_000));
      const durationNs = roll(200) === 0 ? 1_000_000_000 + roll(1_000_000_000) : 1_000 + roll(100_000_000);
      const isError = roll(50) === 0;
      spans.push({
        traceId: hex(trace + 1, 16) + hex(trace + 77, 16),
        spanId: hex(trace * 5 + i + 1, 16),
        parentSpanId: '',
        traceState: roll(100) === 0 ? 'vendor=1' : '',
        name: `GET /items/${roll(6)}`,
        kind: roll(500) === 0 ? 'producer' : i % 2 === 0 ? 'server' : 'client',
        startTimeUnixNano: start,
        endTimeUnixNano: start + BigInt(durationNs),
        status: isError
          ? { code: 'error', message: roll(5) === 0 ? 'out of luck' : '' }
          : { code: roll(300) === 0 ? 'ok' : 'unset', message: '' },
        attributes: {
          'http.response.status_code': roll(60) === 0 ? 503 : 200,
          'url.path': `/items/${roll(500)}`,
          'request.id': `r-${trace}-${i}`,
          ...(roll(400) === 0 ? { 'k8s.pod.name': 'pod-3' } : {}),
          ...(roll(700) === 0 ? { error: 'true', 'span.kind': 'producer' } : {}),
        },
        events: roll(300) === 0 ? [{ name: 'retry', timeUnixNano: start, attributes: { attempt: roll(3) } }] : [],
        links: [],
        resource: resources[roll(resources.length)] ?? { attributes: {} },
        scope: scopes[roll(200) === 0 ? 1 : 0] ?? { name: '', version: '' },
      });
    }
  }
  return spans;
}

function hasTag(span: Span, [key, value]: readonly [string, string]): boolean {
  const all = [span.attributes, span.resource.attributes, ...span.events.map(({ attributes }) => attributes)];
  if (all.some((attributes) => key in attributes && String(attributes[key]) === value)) return true;
  if (key === 'error') return value === String(span.status.code === 'error') && !('error' in span.attributes);
  const { scope, status } = span;
  const derived: Record<string, string> = {
    'span.kind': span.kind,
    'otel.status_code': status.code === 'unset' ? '\0' : status.code.toUpperCase(),
    'otel.status_description': status.message,
    'otel.scope.name': scope.name,
    'otel.library.name': scope.name,
    'otel.scope.version': scope.version,
    'otel.library.version': scope.version,
    'w3c.tracestate': span.traceState,
  };
  return derived[key] === value;
}

/** What a search must find, by looking at every span. */
function scan(spans: readonly Span[], search: TraceSearch): string[] {
  const best = new Map<string, bigint>();
  for (const span of spans) {
    const durationNs = span.endTimeUnixNano - span.startTimeUnixNano;
    const matches =
      (search.service === undefined || serviceOf(span) === search.service) &&
      (search.operation === undefined || span.name === search.operation) &&
      span.startTimeUnixNano >= search.startNs &&
      span.startTimeUnixNano <= search.endNs &&
      (search.minDurationNs === undefined || durationNs >= search.minDurationNs) &&
      (search.maxDurationNs === undefined || durationNs <= search.maxDurationNs) &&
      Object.entries(search.tags ?? {}).every((tag) => hasTag(span, tag));
    if (!matches) continue;
    const rank = search.order === 'longest' ? durationNs : span.startTimeUnixNano;
    if (rank > (best.get(span.traceId) ?? -1n)) best.set(span.traceId, rank);
  }
  return [...best]
    .sort(([, a], [, b]) => (a < b ? 1 : -1))
    .slice(0, search.limit)
    .map(([id]) => id);
}

function makeSearch(roll: (below: number) => number): TraceSearch {
  const some = <T>(share: number, make: () => T): T | undefined => (roll(100) < share ? make() : undefined);
  const tags: Record<string, string> = {};
  const add = (share: number, key: string, value: () => string): void => {
    if (roll(100) < share) tags[key] = value();
  };
  add(20, 'http.response.status_code', () => (roll(2) === 0 ? '503' : '200'));
  add(20, 'url.path', () => `/items/${roll(510)}`);
  add(10, 'request.id', () => `r-${roll(TRACES)}-${roll(5)}`);
  add(15, 'k8s.pod.name', () => `pod-${roll(13)}`);
  add(10, 'region', () => (roll(2) === 0 ? 'north' : 'south'));
  add(15, 'error', () => (roll(3) === 0 ? 'false' : 'true'));
  add(10, 'span.kind', () => ['server', 'client', 'producer', 'consumer'][roll(4)] ?? '');
  add(4, 'otel.status_code', () => ['OK', 'ERROR', 'UNSET', ''][roll(4)] ?? '');
  add(3, 'otel.status_description', () => ['out of luck', 'other', ''][roll(3)] ?? '');
  add(3, 'otel.scope.name', () => ['made-up', 'rare', 'none'][roll(3)] ?? '');
  add(3, 'otel.library.name', () => ['rare', 'none'][roll(2)] ?? '');
  add(3, 'otel.scope.version', () => ['1', ''][roll(2)] ?? '');
  add(2, 'otel.library.version', () => ['1', '2'][roll(2)] ?? '');
  add(3, 'w3c.tracestate', () => ['vendor=1', ''][roll(2)] ?? '');
  add(8, 'attempt', () => String(roll(4)));
  add(3, 'no.such', () => 'tag');
  const from = some(30, () => BigInt(roll(TRACES)) * 1_000_000_000n) ?? 0n;
  const search: Record<string, unknown> = {
    service: some(80, () => `service-${roll(5)}`),
    operation: some(40, () => `GET /items/${roll(7)}`),
    tags: some(70, () => tags),
    minDurationNs: some(25, () => BigInt(roll(3) === 0 ? 900_000_000 : roll(120_000_000))),
    maxDurationNs: some(15, () => BigInt(roll(2) === 0 ? 5_000 : roll(1_500_000_000))),
    order: some(25, () => 'longest'),
    startNs: START_NS + from,
    endNs: START_NS + (some(30, () => from + BigInt(roll(900)) * 1_000_000_000n) ?? BigInt(TRACES) * 1_000_000_000n),
    limit: [1, 20, 20, 20, 300][roll(5)],
  };
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== undefined),
  ) as unknown as TraceSearch;
}

it('finds what a look at every span finds: among those that came just now, in sealed blocks, in files without indexes', async () => {
  using directory = temporaryDirectory();
  const spans = makeSpans();
  const open = () => openTelemetryStore({ directory: directory.path, retention: 'off' });
  const compare = (store: ReturnType<typeof open>, seed: number): void => {
    const roll = dice(seed);
    let hits = 0;
    for (let i = 0; i < SEARCHES; i++) {
      const search = makeSearch(roll);
      const found = store.traces.search(search).map(([first]) => first?.traceId);
      const said = JSON.stringify(search, (_, value) => (typeof value === 'bigint' ? String(value) : value));
      expect(found, said).toEqual(scan(spans, search));
      hits += found.length;
    }
    expect(hits).toBeGreaterThan(SEARCHES);
  };
  {
    await using store = open();
    for (let at = 0; at < spans.length; at += BATCH) await store.traces.append(spans.slice(at, at + BATCH));
    compare(store, 1);
  }
  {
    await using store = open();
    compare(store, 2);
  }
  // A file of an earlier version has none.
  const file = new DatabaseSync(join(directory.path, 'traces.db'));
  file.exec('DROP TABLE group_indexes; DROP TABLE span_prints');
  file.close();
  {
    await using store = open();
    compare(store, 3);
  }
}, 120_000);
