import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Labels, type LogWriter, quote } from '@kind-e2e/telemetry';
import { BodyRooms, decode, readRaw } from '../body.ts';
import { IngestError } from '../ingest-error.ts';
import { decodeOtlpLogs } from '../otlp/logs.ts';
import { type IngestRoute, mediaTypeOf, type RouteContext, sendText } from '../receiver.ts';
import { decompressSnappy } from '../snappy.ts';
import { parseStreamLabels } from './labels.ts';
import { parseJsonLabels, parseLokiJson, parseLokiLines, parseLokiProtobuf } from './push.ts';
import { readJsonLines } from './push-bytes.ts';

/** POST /loki/api/v1/push and Loki's own OTLP path; 204 where all was taken (Loki's distributor/http.go). */
export function lokiRoutes(context: RouteContext): IngestRoute[] {
  const push = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = await readRaw(request, context.limits.maxBodyBytes, rooms);
    const type = mediaTypeOf(request);
    const encoding = String(request.headers['content-encoding'] ?? '');
    const append = type === 'application/json' ? appendJson : appendProtobuf;
    // What was parsed belongs to no variable of this function, which waits until it is on disk.
    const isPlain = encoding === '' || encoding === 'snappy';
    const appended = isPlain ? append(context, raw) : append(context, await plain(raw, encoding));
    rooms.give(raw);
    answer(await appended, response);
  };
  /** Without the compression that a header names; that of protobuf has none. */
  const plain = (raw: Buffer, encoding: string): Promise<Buffer> => {
    if (encoding === 'gzip' || encoding === 'deflate') return decode(raw, encoding, context.limits.maxDecodedBytes);
    throw new IngestError(400, `Content-Encoding ${quote(encoding)} not supported`);
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
  const { logs } = context.store;
  const lines = readJsonLines(body, (json) => knownLabels(json, parseJsonLabels));
  return lines ? logs.appendLines(lines) : logs.append(parseLokiJson(body));
}

/** What is no JSON is protobuf, which is always snappy-compressed, whether or not a header says so. */
function appendProtobuf(context: RouteContext, raw: Buffer): ReturnType<LogWriter['append']> {
  const { logs } = context.store;
  const body = decompressSnappy(raw, context.limits.maxDecodedBytes, (bytes) => rooms.take(bytes));
  const lines = parseLokiLines(body, (text) => knownLabels(text, parseStreamLabels));
  const appended = lines ? logs.appendLines(lines) : logs.append(parseLokiProtobuf(body));
  rooms.give(body);
  return appended;
}

const rooms = new BodyRooms();

const KNOWN_LABELS = 1000;
const known = new Map<string, Labels>();

/** Clients send the same labels again and again. */
function knownLabels(text: string, parse: (text: string) => Labels): Labels {
  const labels = known.get(text) ?? parse(text);
  if (known.size >= KNOWN_LABELS) known.clear();
  known.set(text, labels);
  return labels;
}

type Rejected = Awaited<ReturnType<LogWriter['append']>>['rejected'];

function answer({ rejected }: { readonly rejected: Rejected }, response: ServerResponse): void {
  if (rejected.length > 0) throw new IngestError(isLimit(rejected) ? 429 : 400, refusalText(rejected));
  response.writeHead(204);
  response.end();
}

function isLimit(rejected: Rejected): boolean {
  return rejected.some(({ reason }) => /^Ingestion rate limit exceeded|^Maximum active stream limit/.test(reason));
}

/** Limits and what an ingester does not take are said as they are, the rest by how often (util.GroupedErrors). */
function refusalText(rejected: Rejected): string {
  const plain = rejected.find(({ reason }) => /^(?:Ingestion rate|Maximum active|entry with timestamp)/.test(reason));
  if (plain !== undefined) return plain.reason;
  const groups = rejected.map(({ reason, count }) => `${count} errors like: ${reason}`);
  return (groups.length > 1 ? `${groups.length} errors: ` : '') + groups.join('; ');
}
