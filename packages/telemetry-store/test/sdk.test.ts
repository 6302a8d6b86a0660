/** An unmodified OpenTelemetry SDK and its Zipkin exporter lose nothing; the long form is bench/soak-spans.ts. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { createReceiver, listenGrpc, openTelemetryStore } from '../src/index.ts';
import { temporaryDirectory } from './fixtures.ts';

const TRACES = 50;
const SPANS_A_TRACE = 100;

/** The ids of the traces that were exported. */
async function exportTraces(exporter: SpanExporter, service: string): Promise<string[]> {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: 100_000, maxExportBatchSize: 500 })],
  });
  const tracer = provider.getTracer('test');
  const ids: string[] = [];
  for (let t = 0; t < TRACES; t++) {
    const root = tracer.startSpan('root');
    const parent = trace.setSpanContext(ROOT_CONTEXT, root.spanContext());
    for (let i = 1; i < SPANS_A_TRACE; i++) tracer.startSpan(`step ${i}`, { attributes: { index: i } }, parent).end();
    root.end();
    ids.push(root.spanContext().traceId);
  }
  await provider.forceFlush();
  await provider.shutdown();
  return ids;
}

it.each(['grpc', 'http', 'zipkin'] as const)(
  'takes every span of the SDK over %s, once',
  { timeout: 30_000 },
  async (kind) => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    await using grpc = await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port: 0 }] });
    const receive = createReceiver({ store });
    const server = createServer((request, response) => {
      if (!receive(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const exporter: SpanExporter =
      kind === 'grpc'
        ? new GrpcExporter({ url: `http://127.0.0.1:${grpc.addresses[0]!.port}` })
        : kind === 'http'
          ? new HttpExporter({ url: `${base}/v1/traces` })
          : new ZipkinExporter({ url: `${base}/api/v2/spans` });
    for (const id of await exportTraces(exporter, `sdk-${kind}`)) {
      const spans = store.traces.trace(id);
      expect(spans).toHaveLength(SPANS_A_TRACE);
      expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(SPANS_A_TRACE);
    }
    server.close().closeAllConnections();
  },
);
