/**
 * An application with an unmodified OpenTelemetry SDK: makes spans at a rate, in traces of a hundred, exports them, and
 * prints how many it made and the ids of the traces.
 *
 *     node span-client.ts <grpc|http|zipkin> <url> <spans a second> <seconds>
 */
import { type Context, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';

const SPANS_A_TRACE = 100;
const TICK_MS = 20;

const [kind = 'http', url = '', rate = '20000', seconds = '60'] = process.argv.slice(2);

/** The last flush sends all that waits at once, and a busy machine may take its time with that. */
const PATIENCE_MS = 120_000;

function exporterOf(): SpanExporter {
  const options = { url, concurrencyLimit: 2000, timeoutMillis: PATIENCE_MS };
  if (kind === 'grpc') return new GrpcExporter(options);
  return kind === 'zipkin' ? new ZipkinExporter({ url }) : new HttpExporter(options);
}

const processor = new BatchSpanProcessor({
  exporter: exporterOf(),
  maxQueueSize: 1_000_000,
  maxExportBatchSize: 2000,
  scheduledDelayMillis: 50,
  exportTimeoutMillis: PATIENCE_MS,
});
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': `soak-${kind}` }),
  spanProcessors: [processor],
});
const tracer = provider.getTracer('soak');
const total = Math.floor((Number(rate) * Number(seconds)) / SPANS_A_TRACE) * SPANS_A_TRACE;
const traceIds: string[] = [];
let made = 0;

function makeTrace(): void {
  const root = tracer.startSpan(`trace ${traceIds.length % 10}`, { attributes: { 'http.request.method': 'GET' } });
  const { traceId } = root.spanContext();
  const parent = root.spanContext();
  for (let i = 1; i < SPANS_A_TRACE; i++)
    tracer
      .startSpan(
        `step ${i % 10}`,
        { attributes: { 'soak.index': i, 'url.path': `/items/${i}` } },
        // The one context that the SDK needs: a parent.
        contextOf(parent),
      )
      .end();
  root.end();
  traceIds.push(traceId);
  made += SPANS_A_TRACE;
}

function contextOf(spanContext: SpanContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

const began = performance.now();
while (made < total) {
  const due = Math.min(total, ((performance.now() - began) / 1000) * Number(rate));
  while (made < due) makeTrace();
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
const elapsed = (performance.now() - began) / 1000;
// The provider's own flush gives up after 30 seconds.
await processor.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ made, seconds: elapsed, traceIds }));
