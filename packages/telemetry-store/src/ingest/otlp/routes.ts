import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../body.ts';
import { type IngestRoute, mediaTypeOf, type RouteContext } from '../receiver.ts';
import { exportOtlp } from './export.ts';
import { type OtlpSignal, sendExportResponse, sendRpcStatus } from './response.ts';

/** POST /v1/traces, /v1/logs, /v1/metrics (OTLP/HTTP), and Prometheus' /api/v1/otlp/v1/metrics. */
export function otlpRoutes(context: RouteContext): IngestRoute[] {
  const route = (signal: OtlpSignal, path: string): IngestRoute => ({
    method: 'POST',
    path,
    handle: async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const type = mediaTypeOf(request);
      if (type !== 'application/json' && type !== 'application/x-protobuf') {
        // What its encoding would be is not known, so this one is no Status (collector otlpreceiver/otlphttp.go).
        request.resume();
        refuse(response, 415, 'unsupported media type, supported: [application/json, application/x-protobuf]');
        return;
      }
      const body = await readBody(request, context.limits);
      const partial = await exportOtlp(signal, body, type, context.store, context.clock);
      sendExportResponse(request, response, signal, partial);
    },
    fail: (request, response, error) => sendRpcStatus(request, response, error.status, error.message),
  });
  const otherMethods = (path: string): IngestRoute => ({
    method: 'other',
    path,
    handle: async (_request, response) => refuse(response, 405, 'method not allowed, supported: [POST]'),
    fail: (request, response, error) => sendRpcStatus(request, response, error.status, error.message),
  });
  return [
    route('traces', '/v1/traces'),
    route('logs', '/v1/logs'),
    route('metrics', '/v1/metrics'),
    ...['/v1/traces', '/v1/logs', '/v1/metrics'].map(otherMethods),
    route('metrics', '/api/v1/otlp/v1/metrics'),
    route('metrics', '/prometheus/api/v1/otlp/v1/metrics'),
  ];
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const body = `${status} ${text}`;
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}
