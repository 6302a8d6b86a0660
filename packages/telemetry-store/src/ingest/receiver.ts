import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, LabError, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { MalformedError } from '../bytes/byte-reader.ts';
import type { TelemetryStore } from '../open.ts';
import { type BodyLimits, DEFAULT_BODY_LIMITS } from './body.ts';
import { IngestError } from './ingest-error.ts';
import { lokiRoutes } from './loki/routes.ts';
import { otlpRoutes } from './otlp/routes.ts';
import { prometheusRoutes } from './prometheus/routes.ts';
import { zipkinRoutes } from './zipkin/routes.ts';

export interface ReceiverOptions {
  readonly store: Pick<TelemetryStore, 'metrics' | 'logs' | 'traces'>;
  readonly bodyLimits?: BodyLimits;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** One way in: takes a request whose method and path it is for, and answers it; may throw an `IngestError`. */
export interface IngestRoute {
  /** `other` is for every method that has no route of its own. */
  readonly method: 'GET' | 'POST' | 'other';
  readonly path: string;
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
  /** Answers a failure in the form of the protocol. */
  fail(request: IncomingMessage, response: ServerResponse, error: IngestError): void;
}

export interface RouteContext extends Required<Omit<ReceiverOptions, 'bodyLimits'>> {
  readonly limits: BodyLimits;
}

/**
 * Everything that is pushed to the stores over HTTP, whatever the port: Zipkin, OTLP, Loki, Prometheus remote write, and
 * the sampling answers. Gives true where it took the request.
 */
export function createReceiver(
  options: ReceiverOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const context: RouteContext = {
    store: options.store,
    limits: options.bodyLimits ?? DEFAULT_BODY_LIMITS,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
  const routes = new Map<string, IngestRoute[]>();
  for (const route of [
    ...zipkinRoutes(context),
    ...otlpRoutes(context),
    ...lokiRoutes(context),
    ...prometheusRoutes(context),
  ]) {
    const same = routes.get(route.path);
    if (same) same.push(route);
    else routes.set(route.path, [route]);
  }
  return (request, response) => {
    const target = request.url ?? '/';
    const query = target.indexOf('?');
    const found = routes.get(query < 0 ? target : target.slice(0, query));
    const route =
      found?.find((candidate) => candidate.method === request.method) ??
      found?.find((candidate) => candidate.method === 'other');
    if (!route) return false;
    const url = new URL(target, 'http://localhost');
    route.handle(request, response, url).catch((error: unknown) => {
      const failure = asIngestError(error);
      if (failure.status >= 500) context.logger.warn('telemetry could not be taken', { path: route.path, error });
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      // What is left of a body that was too large is not read.
      if (!request.complete) response.setHeader('connection', 'close');
      if (failure.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(failure.retryAfterSeconds));
      route.fail(request, response, failure);
    });
    return true;
  };
}

export function asIngestError(error: unknown): IngestError {
  if (error instanceof IngestError) return error;
  if (error instanceof MalformedError) return new IngestError(400, error.message, { cause: error });
  if (error instanceof LabError && error.code === 'TELEMETRY_WRITE_FAILED')
    return new IngestError(503, error.message, { cause: error, retryAfterSeconds: 5 });
  return new IngestError(500, 'internal error', { cause: error });
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length });
  response.end(body);
}

/** The media type alone, in lower case. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
