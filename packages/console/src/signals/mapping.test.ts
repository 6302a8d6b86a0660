import { expect, it } from 'vitest';
import type { Span } from '../api/jaeger.ts';
import { microseconds } from '../units/brands.ts';
import { linksOfLine, logsOfSpan, metricsOfSpan, podOfSpan, traceOfExemplar } from './mapping.ts';

const span: Span = {
  id: '9e7a13010adc8a80',
  traceId: '0a75f8c5005afeb273ed1b59c5b7714d',
  parentId: undefined,
  service: 'business-logic',
  operation: 'data_transformation',
  start: microseconds(1_768_216_137_000_000),
  duration: microseconds(3_000_000),
  kind: 'internal',
  hasError: false,
  tags: [],
  process: [],
  events: [],
  links: [],
  warnings: [],
};

it('finds the trace of a log line by the derived field', () => {
  const line =
    "2026-01-12 11:08:57,516 INFO [views] [views.ts:47] [trace_id=0a75f8c5005afeb273ed1b59c5b7714d span_id=9e7a13010adc8a80 resource.service.name=business-logic] - Calling the slow function 'data_transformation'";
  expect(linksOfLine(line)).toEqual([
    { label: 'Trace of this line', value: span.traceId, path: `/jaeger/trace/${span.traceId}`, params: {} },
  ]);
  expect(linksOfLine('nothing to see')).toEqual([]);
  expect(linksOfLine('[trace_id=0 span_id=0] - started')).toEqual([]);
});

it('asks for the log lines of a span by app and trace id, in its minutes', () => {
  expect(logsOfSpan(span)?.params).toEqual({
    ds: 'loki',
    expr: '{app="business-logic"} |= "0a75f8c5005afeb273ed1b59c5b7714d"',
    from: String(1_768_216_137_000 - 300_000),
    to: String(1_768_216_140_000 + 300_000),
  });
  expect(logsOfSpan({ ...span, service: 'business-logic.default' })?.params.expr).toContain('{app="business-logic"}');
});

it('leads from exemplars to traces and from spans to metrics and pods', () => {
  expect(traceOfExemplar({ trace_id: 'abc' })).toBe('abc');
  expect(traceOfExemplar({ other: 'abc' })).toBeUndefined();
  expect(metricsOfSpan(span)[0]?.params.expr).toBe(
    'sum by (view) (rate(http_requests_total{app="business-logic"}[1m]))',
  );
  expect(
    podOfSpan({
      ...span,
      tags: [
        { key: 'node_id', type: 'string', value: 'sidecar~127.32.0.6~front-end-x-y.default~default.svc.cluster.local' },
      ],
    }),
  ).toEqual({ name: 'front-end-x-y', namespace: 'default' });
});
