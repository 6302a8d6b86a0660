import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelMatcher, MatchOperator, Span } from '@kind-e2e/telemetry';
import { ByteWriter } from '../src/bytes/byte-writer.ts';

export function temporaryDirectory(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'telemetry-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function matcher(name: string, value: string, operator: MatchOperator = '='): LabelMatcher {
  const expression = new RegExp(`^(?:${value})$`);
  const matches = {
    '=': (text: string) => text === value,
    '!=': (text: string) => text !== value,
    '=~': (text: string) => expression.test(text),
    '!~': (text: string) => !expression.test(text),
  }[operator];
  return { name, operator, value, matches };
}

export function hex(n: number, digits: number): string {
  return (BigInt(n) * 0x9e3779b97f4a7c15n + 1n).toString(16).slice(-digits).padStart(digits, '1');
}

/** A trace of front-end calling business-logic: four spans. */
export function makeTrace(n: number, startNs: bigint, durationMs = 100): Span[] {
  const traceId = hex(n, 16) + hex(n + 7, 16);
  const ids = [1, 2, 3, 4].map((i) => hex(n * 10 + i, 16));
  const at = (i: number): bigint => startNs + BigInt(i) * 1_000_000n;
  const front = { attributes: { 'service.name': 'front-end', 'host.name': 'node-1' } };
  const back = { attributes: { 'service.name': 'business-logic', 'process.pid': 42 } };
  const scope = { name: 'http', version: '1.0' };
  const span = (
    i: number,
    name: string,
    kind: Span['kind'],
    resource: Span['resource'],
    extra: Partial<Span> = {},
  ): Span => ({
    traceId,
    spanId: ids[i] ?? '',
    parentSpanId: i === 0 ? '' : (ids[i - 1] ?? ''),
    traceState: '',
    name,
    kind,
    startTimeUnixNano: at(i),
    endTimeUnixNano: startNs + BigInt(durationMs - i) * 1_000_000n,
    status: { code: 'unset', message: '' },
    attributes: { 'http.request.method': 'GET', 'http.response.status_code': 200, 'request.id': `r-${n}-${i}` },
    events: [],
    links: [],
    resource,
    scope,
    ...extra,
  });
  return [
    span(0, 'GET /slow-page', 'server', front),
    span(1, 'GET', 'client', front),
    span(2, 'GET /slow-endpoint', 'server', back),
    span(3, 'data_transformation', 'internal', back, {
      events: [{ timeUnixNano: at(4), name: 'step', attributes: { n, ok: true, ratio: 0.5 } }],
      links: [{ traceId, spanId: ids[0] ?? '', traceState: '', attributes: { why: 'test' } }],
      status: n % 5 === 0 ? { code: 'error', message: 'failed' } : { code: 'ok', message: '' },
      attributes: {
        big: 2n ** 60n,
        list: ['a', 1, false],
        map: { deep: { er: 'x' } },
        bytes: new Uint8Array([1, 2, 3]),
      },
    }),
  ];
}

/** A remote write 1.0 request, snappy's block format with literals only. */
export function remoteWriteBody(
  series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly samples: readonly (readonly [timeMs: number, value: number])[];
  }[],
): Uint8Array<ArrayBuffer> {
  const request = new ByteWriter();
  for (const { labels, samples } of series) {
    const one = new ByteWriter();
    for (const [name, value] of Object.entries(labels).sort()) {
      const pair = new ByteWriter();
      pair.u8(0x0a);
      pair.string(name);
      pair.u8(0x12);
      pair.string(value);
      one.u8(0x0a);
      one.lengthPrefixed(pair.copy());
    }
    for (const [timeMs, value] of samples) {
      const sample = new ByteWriter();
      sample.u8(0x09);
      sample.f64(value);
      sample.u8(0x10);
      sample.varint(timeMs);
      one.u8(0x12);
      one.lengthPrefixed(sample.copy());
    }
    request.u8(0x0a);
    request.lengthPrefixed(one.copy());
  }
  const body = request.copy();
  const out = new ByteWriter(body.length + 16);
  out.varint(body.length);
  for (let at = 0; at < body.length; at += 65_536) {
    const part = body.subarray(at, at + 65_536);
    out.u8(61 << 2);
    out.u16(part.length - 1);
    out.bytes(part);
  }
  return Uint8Array.from(out.copy());
}
