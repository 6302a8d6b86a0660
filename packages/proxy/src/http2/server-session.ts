import type { IncomingHttpHeaders } from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { HeaderList } from '../http/headers.ts';
import type {
  DownstreamConnection,
  DownstreamStream,
  DownstreamTls,
  RequestReceiver,
  Trailers,
} from '../http/stream.ts';
import type { HttpHandler } from '../http1/server-connection.ts';
import { listOf, objectOf } from './fields.ts';

const { performServerHandshake, constants } = process.getBuiltinModule('node:http2');
/** Envoy's default in Istio is 2^31-1; ours keeps one client from taking all memory. */
const MAX_STREAMS = 1000;

/** One client's HTTP/2 connection: each stream is a request. */
export class Http2ServerConnection implements DownstreamConnection {
  readonly tls: DownstreamTls | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  closing = false;
  readonly #session: ServerHttp2Session;

  constructor(socket: Socket, options: { handler: HttpHandler; tls: DownstreamTls | undefined; onClose: () => void }) {
    this.tls = options.tls;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.#session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: MAX_STREAMS, enablePush: false },
      maxHeaderListPairs: 128,
      maxSessionMemory: 32,
    });
    this.#session.on('error', () => {});
    this.#session.on('close', options.onClose);
    this.#session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      const adapter = new Http2ServerStream(this, stream);
      options.handler.onRequest(
        {
          method: String(headers[':method'] ?? 'GET'),
          path: String(headers[':path'] ?? '/'),
          authority: String(headers[':authority'] ?? headers.host ?? ''),
          scheme: this.tls ? 'https' : 'http',
          protocol: 'HTTP/2',
          headers: listOf(withoutLength(headers)),
          hasBody: !stream.endAfterHeaders,
          contentLength: lengthOf(headers),
          upgrade: undefined,
        },
        adapter,
      );
      adapter.start();
    });
  }

  drain(): void {
    this.closing = true;
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}

function withoutLength(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'content-length': _length, ...rest } = headers;
  return rest;
}

function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length'];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

class Http2ServerStream implements DownstreamStream {
  readonly connection: Http2ServerConnection;
  readonly #stream: ServerHttp2Stream;
  #receiver: RequestReceiver | undefined;
  #trailers: Trailers | undefined;
  #ended = false;

  constructor(connection: Http2ServerConnection, stream: ServerHttp2Stream) {
    this.connection = connection;
    this.#stream = stream;
  }

  start(): void {
    const stream = this.#stream;
    let trailers: HeaderList | undefined;
    stream.on('trailers', (fields: IncomingHttpHeaders) => {
      trailers = listOf(fields);
    });
    stream.on('data', (chunk: Buffer) => this.#receiver?.onRequestData(chunk));
    stream.on('end', () => this.#receiver?.onRequestEnd(trailers));
    stream.on('drain', () => this.#receiver?.onDownstreamDrain());
    stream.on('close', () => {
      if (!this.#ended) this.#receiver?.onDownstreamReset('downstream_remote_reset');
      this.#ended = true;
    });
  }

  setReceiver(receiver: RequestReceiver): void {
    this.#receiver = receiver;
  }

  sendInformational(status: number, headers: HeaderList): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ...objectOf(headers), ':status': status });
  }

  sendHead(status: number, headers: HeaderList, hasBody: boolean, length: number | undefined): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const fields: Record<string, string | string[] | number> = { ...objectOf(headers), ':status': status };
    if (length !== undefined && status !== 204) fields['content-length'] = String(length);
    if (!hasBody) {
      stream.respond(fields, { endStream: true });
      return;
    }
    stream.respond(fields, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      if (this.#trailers) stream.sendTrailers(objectOf(this.#trailers));
      else stream.close();
    });
  }

  sendData(data: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.write(data);
  }

  sendEnd(trailers?: Trailers): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    if (!this.#stream.destroyed && this.#stream.headersSent && !this.#stream.writableEnded) this.#stream.end();
  }

  startTunnel(): void {}

  reset(): void {
    this.#ended = true;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  pauseRequest(): void {
    this.#stream.pause();
  }

  resumeRequest(): void {
    if (!this.#stream.destroyed) this.#stream.resume();
  }
}
