import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogWriter } from '@kind-e2e/telemetry';
import { decode, readRaw } from '../body.ts';
import { IngestError } from '../ingest-error.ts';
import { decodeOtlpLogs } from '../otlp/logs.ts';
import { type IngestRoute, mediaTypeOf, type RouteContext, sendText } from '../receiver.ts';
import { decompressSnappy } from '../snappy.ts';
import { parseLokiJson, parseLokiProtobuf } from './push.ts';

/** POST /loki/api/v1/push and Loki's own OTLP path; 204 where all was taken (Loki's distributor/http.go). */
export function lokiRoutes(context: RouteContext): IngestRoute[] {
  const push = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = await readRaw(request, context.limits.maxBodyBytes);
    const type = mediaTypeOf(request);
    const encoding = String(request.headers['content-encoding'] ?? '');
    // What was parsed belongs to no variable of this function, which waits until it is on disk.
    if (type === 'application/json')
      answer(await appendJson(context, await decode(raw, encoding, context.limits.maxDecodedBytes)), response);
    else if (type === '' || type === 'application/x-protobuf') answer(await appendProtobuf(context, raw), response);
    else throw new IngestError(415, `unsupported Content-Type: ${type}`);
  };
  const otlp = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = await readRaw(request, context.limits.maxBodyBytes);
    const body = await decode(raw, String(request.headers['content-encoding'] ?? ''), context.limits.maxDecodedBytes);
    answer(await context.store.logs.append(decodeOtlpLogs(body, mediaTypeOf(request), context.clock)), response);
  };
  const fail = (_request: IncomingMessage, response: ServerResponse, error: IngestError): void =>
    sendText(response, error.status, error.message);
  return ['', '/loki'].flatMap((prefix): IngestRoute[] => [
    { method: 'POST', path: `${prefix}/loki/api/v1/push`, handle: push, fail },
    { method: 'POST', path: prefix === '' ? '/api/prom/push' : '/loki/api/prom/push', handle: push, fail },
    { method: 'POST', path: prefix === '' ? '/otlp/v1/logs' : '/loki/otlp/v1/logs', handle: otlp, fail },
  ]);
}

function appendJson(context: RouteContext, body: Buffer): ReturnType<LogWriter['append']> {
  return context.store.logs.append(parseLokiJson(body));
}

/** The protobuf is always snappy-compressed, whether or not a header says so. */
function appendProtobuf(context: RouteContext, raw: Buffer): ReturnType<LogWriter['append']> {
  return context.store.logs.append(parseLokiProtobuf(decompressSnappy(raw, context.limits.maxDecodedBytes)));
}

function answer({ rejected }: Awaited<ReturnType<LogWriter['append']>>, response: ServerResponse): void {
  if (rejected.length > 0) {
    const isRate = rejected.every(({ reason }) => reason.includes('rate limit'));
    throw new IngestError(
      isRate ? 429 : 400,
      rejected.map(({ reason, count }) => `${reason} (${count} lines refused)`).join('; '),
    );
  }
  response.writeHead(204);
  response.end();
}
