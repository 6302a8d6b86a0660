import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Clock, LabError, type Logger, silentLogger, systemClock, systemCodeOf } from '@kind-e2e/base';
import type { TelemetryStore } from '../open.ts';
import { type BodyLimits, DEFAULT_BODY_LIMITS } from './body.ts';
import { IngestError } from './ingest-error.ts';
import { exportOtlp } from './otlp/export.ts';
import { encodeExportResponse, type OtlpSignal } from './otlp/response.ts';
import { asIngestError } from './receiver.ts';

export interface GrpcReceiverOptions {
  readonly store: Pick<TelemetryStore, 'metrics' | 'logs' | 'traces'>;
  /** One server each; port 0 asks for a free one. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly bodyLimits?: BodyLimits;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface GrpcReceiver extends AsyncDisposable {
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
}

const SERVICES: Readonly<Record<string, OtlpSignal>> = {
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': 'traces',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': 'logs',
  '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export': 'metrics',
};
/** gRPC status codes (grpc.io, "Status codes"). */
const OK = 0;
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const MAX_STREAMS = 128;
/** What a client may send before it hears from us: a usual message as a whole, and several at once. */
const STREAM_WINDOW_BYTES = 1 << 20;
const SESSION_WINDOW_BYTES = 8 << 20;

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

/**
 * OTLP over gRPC (port 4317): three unary methods, straight on node:http2. The protocol is that of grpc.io's
 * PROTOCOL-HTTP2: a message is a byte for "compressed", four for its length, then itself; the status is in trailers.
 */
export async function listenGrpc(options: GrpcReceiverOptions): Promise<GrpcReceiver> {
  const logger = options.logger ?? silentLogger;
  const context = {
    store: options.store,
    limits: options.bodyLimits ?? DEFAULT_BODY_LIMITS,
    clock: options.clock ?? systemClock,
    logger,
  };
  const servers: { server: Http2Server; sessions: Set<{ destroy(): void }> }[] = [];
  const close = async (): Promise<void> => {
    for (const { server, sessions } of servers) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    }
  };
  const addresses: { host: string; port: number }[] = [];
  try {
    for (const { host, port } of options.addresses) {
      const server = createServer({
        settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: STREAM_WINDOW_BYTES },
      });
      const sessions = new Set<{ destroy(): void }>();
      server.on('session', (session) => {
        session.setLocalWindowSize(SESSION_WINDOW_BYTES);
        sessions.add(session);
        session.on('close', () => sessions.delete(session));
        session.on('error', (error) => logger.debug('a gRPC connection failed', { error }));
      });
      server.on('sessionError', (error) => logger.debug('a gRPC connection failed', { error }));
      server.on('stream', (stream, headers) => {
        stream.on('error', (error) => logger.debug('a gRPC call failed', { error }));
        serve(stream, String(headers[':path'] ?? ''), headers, context).catch((error: unknown) => {
          const failure = asIngestError(error);
          if (failure.status >= 500) logger.warn('telemetry could not be taken', { error });
          finish(stream, statusOf(failure), failure.message);
        });
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) =>
          reject(
            systemCodeOf(error) === 'EADDRINUSE'
              ? new LabError(`${host}:${port} is taken by another process`, {
                  code: 'PORT_TAKEN',
                  side: 'user',
                  cause: error,
                })
              : error,
          ),
        );
        server.listen(port, host, () => resolve());
      });
      servers.push({ server, sessions });
      addresses.push({ host, port: (server.address() as AddressInfo).port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses, [Symbol.asyncDispose]: close };
}

interface Context {
  readonly store: GrpcReceiverOptions['store'];
  readonly limits: BodyLimits;
  readonly clock: Clock;
}

async function serve(
  stream: ServerHttp2Stream,
  path: string,
  headers: Readonly<Record<string, unknown>>,
  { store, limits, clock }: Context,
): Promise<void> {
  const signal = SERVICES[path];
  if (!String(headers['content-type'] ?? '').startsWith('application/grpc')) {
    stream.respond({ ':status': 415 }, { endStream: true });
    return;
  }
  if (!signal) {
    finish(stream, UNIMPLEMENTED, `unknown method ${path.slice(0, 200)}`);
    return;
  }
  const encoding = String(headers['grpc-encoding'] ?? 'identity');
  const message = await readMessage(stream, encoding, limits);
  const partial = await exportOtlp(signal, message, 'application/x-protobuf', store, clock);
  const payload = encodeExportResponse(partial);
  const frame = Buffer.alloc(5 + payload.length);
  frame.writeUInt32BE(payload.length, 1);
  payload.copy(frame, 5);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(OK), 'grpc-message': '' }));
  stream.end(frame);
}

async function readMessage(stream: ServerHttp2Stream, encoding: string, limits: BodyLimits): Promise<Buffer> {
  const body = await readAll(stream, limits.maxBodyBytes + 5);
  if (body.length < 5) throw new IngestError(400, 'the message ends before its header does');
  const compressed = body[0];
  const size = body.readUInt32BE(1);
  if (size !== body.length - 5) throw new IngestError(400, 'expected one message of the stated length');
  const message = body.subarray(5);
  if (compressed === 0) return message;
  if (compressed !== 1) throw new IngestError(400, `the compressed flag is ${compressed}`);
  if (encoding !== 'gzip')
    throw new IngestError(
      501,
      `grpc: Decompressor is not installed for grpc-encoding ${JSON.stringify(encoding.slice(0, 40))}`,
    );
  try {
    return await unzip(message, { maxOutputLength: limits.maxDecodedBytes });
  } catch (error) {
    const isLarge = systemCodeOf(error) === 'ERR_BUFFER_TOO_LARGE';
    throw new IngestError(
      isLarge ? 413 : 400,
      isLarge ? 'decompressed message larger than max' : 'the message cannot be decompressed',
      {
        cause: error,
      },
    );
  }
}

/** The stream's bytes; listened for, since frames are small and an iteration over each costs more than the rest. */
function readAll(stream: ServerHttp2Stream, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    stream.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else reject(new IngestError(413, `received message larger than max (${length} vs. ${maxBytes - 5})`));
    });
    stream.once('end', () => resolve(Buffer.concat(parts)));
    stream.once('error', reject);
    stream.once('close', () => reject(new IngestError(400, 'the call was cancelled')));
  });
}

function statusOf({ status }: IngestError): number {
  switch (status) {
    case 400:
    case 415:
      return INVALID_ARGUMENT;
    case 413:
    case 429:
      return RESOURCE_EXHAUSTED;
    case 501:
      return UNIMPLEMENTED;
    case 503:
      return UNAVAILABLE;
    default:
      return INTERNAL;
  }
}

/** Ends a call without a message. */
function finish(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) {
    stream.destroy();
    return;
  }
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': encodeURIComponent(message.slice(0, 500)),
    },
    { endStream: true },
  );
}
