import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { RequestHandler, Router } from 'express';
import { Counter, collectDefaultMetrics, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';

const BODY_BUCKETS_BYTES = [100, 1_000, 10_000, 100_000, 1_000_000];
const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 3, 3.1, 5, 10];

/** The service's metrics in OpenMetrics, with exemplars that name the trace of a request. */
export class HttpMetrics {
  readonly registry = new Registry<OpenMetricsContentType>();
  readonly #requests;
  readonly #responses;
  readonly #exceptions;
  readonly #durations;
  readonly #requestBytes;
  readonly #responseBytes;

  constructor() {
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    collectDefaultMetrics({ register: this.registry });
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Requests by method, view and transport',
      labelNames: ['method', 'view', 'transport'],
      registers,
    });
    this.#responses = new Counter({
      name: 'http_responses_total',
      help: 'Responses by status, method, view and transport',
      labelNames: ['status', 'method', 'view', 'transport'],
      registers,
    });
    this.#exceptions = new Counter({
      name: 'http_exceptions_total',
      help: 'Exceptions that reached the framework, by type and view',
      labelNames: ['type', 'view'],
      registers,
    });
    // prom-client's types want exemplar labels among the label names; its check at run time does not.
    this.#durations = new Histogram<'method' | 'view' | 'trace_id' | 'span_id'>({
      name: 'http_request_duration_seconds',
      help: 'Seconds from the head of a request to the end of its answer',
      labelNames: ['method', 'view'],
      buckets: DURATION_BUCKETS_SECONDS,
      enableExemplars: true,
      registers,
    });
    this.#requestBytes = new Histogram({
      name: 'http_request_body_bytes',
      help: 'Bytes of request bodies',
      labelNames: ['method', 'view'],
      buckets: BODY_BUCKETS_BYTES,
      registers,
    });
    this.#responseBytes = new Histogram({
      name: 'http_response_body_bytes',
      help: 'Bytes of response bodies',
      labelNames: ['method', 'view'],
      buckets: BODY_BUCKETS_BYTES,
      registers,
    });
  }

  /** Counts and times every request that is not about health or metrics. */
  middleware(untracked: readonly string[]): RequestHandler {
    return (request, response, next) => {
      if (untracked.includes(request.path)) {
        next();
        return;
      }
      const started = process.hrtime.bigint();
      const method = request.method;
      const transport = request.protocol;
      const span = trace.getActiveSpan()?.spanContext();
      response.on('close', () => {
        const view = viewOf(request.route);
        const seconds = Number(process.hrtime.bigint() - started) / 1e9;
        this.#requests.inc({ method, view, transport });
        if (response.writableFinished)
          this.#responses.inc({ status: String(response.statusCode), method, view, transport });
        this.#durations.observe({
          labels: { method, view },
          value: seconds,
          ...(span && isSpanContextValid(span)
            ? { exemplarLabels: { trace_id: span.traceId, span_id: span.spanId } }
            : {}),
        });
        this.#requestBytes.observe({ method, view }, Number(request.headers['content-length']) || 0);
        this.#responseBytes.observe({ method, view }, Number(response.getHeader('content-length')) || 0);
      });
      next();
    };
  }

  countException(error: unknown, route: unknown): void {
    const type = error instanceof Error ? error.constructor.name : typeof error;
    this.#exceptions.inc({ type, view: viewOf(route) });
  }

  /** `GET /metrics`. */
  route(router: Router): void {
    router.get('/metrics', async (_request, response) => {
      const text = await this.registry.metrics();
      response.set('content-type', this.registry.contentType).send(text);
    });
  }
}

/** The route's pattern: few values, whatever paths are asked. */
function viewOf(route: unknown): string {
  if (typeof route !== 'object' || route === null || !('path' in route)) return '<unnamed view>';
  return String(route.path);
}
