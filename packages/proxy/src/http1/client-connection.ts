import type { Socket } from 'node:net';
import { systemCodeOf } from '@kind-e2e/base';
import type { RequestHead, ResponseReceiver, UpstreamReset, UpstreamStream } from '../http/stream.ts';
import { BodyDecoder, type BodyReceiver } from './body.ts';
import { findHeadEnd, ProtocolError, parseResponseHead } from './head.ts';
import { SocketWriter } from './socket-writer.ts';
import { chunkPrefix, formatFields } from './write.ts';

export interface ClientConnectionOptions {
  readonly socket: Socket;
  readonly remotePrincipal: string | undefined;
  readonly now: () => number;
  /** The connection may take another request. */
  readonly onIdle: (connection: Http1ClientConnection) => void;
  readonly onClose: (connection: Http1ClientConnection) => void;
}

const EMPTY = Buffer.alloc(0);

/** One HTTP/1 connection to an endpoint: one request at a time. */
export class Http1ClientConnection implements BodyReceiver {
  readonly socket: Socket;
  readonly remotePrincipal: string | undefined;
  readonly localAddress: string;
  /** When it last became idle. */
  idleSince = 0;
  /** After how long idle the peer said it closes, less a margin. */
  idleLimitMs = Number.POSITIVE_INFINITY;
  requests = 0;
  readonly openedAt: number;
  readonly #options: ClientConnectionOptions;
  readonly #writer: SocketWriter;
  readonly #decoder = new BodyDecoder();
  #current: Http1ClientStream | undefined;
  #rest: Buffer = EMPTY;
  #headDone = false;
  #keepAlive = true;
  #closed = false;
  #failure: Error | undefined;

  constructor(options: ClientConnectionOptions) {
    this.#options = options;
    this.socket = options.socket;
    this.remotePrincipal = options.remotePrincipal;
    this.openedAt = options.now();
    this.#writer = new SocketWriter(options.socket);
    this.localAddress = `${options.socket.localAddress ?? ''}:${options.socket.localPort ?? 0}`;
    options.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    options.socket.on('end', () => this.#onEnd());
    options.socket.on('error', (error) => {
      this.#failure = error;
    });
    options.socket.on('close', () => this.#onClose());
    options.socket.on('drain', () => this.#current?.receiver.onUpstreamDrain());
  }

  get busy(): boolean {
    return this.#current !== undefined;
  }

  get usable(): boolean {
    return !this.#closed && this.#current === undefined && this.socket.writable && this.socket.readable;
  }

  /** Begins a request. The connection must be idle. */
  open(receiver: ResponseReceiver): UpstreamStream {
    this.requests++;
    this.#headDone = false;
    this.#keepAlive = true;
    const stream = new Http1ClientStream(this, this.#writer, receiver);
    this.#current = stream;
    return stream;
  }

  destroy(): void {
    this.#closed = true;
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    const current = this.#current;
    if (current === undefined) {
      // Nobody asked: whatever it is, the next answer on this connection could not be trusted.
      this.destroy();
      return;
    }
    if (current.tunnel) {
      current.receiver.onResponseData(chunk);
      return;
    }
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    try {
      this.#take(current);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#fail({ reason: 'local reset', unsent: false });
        throw error;
      }
      this.#fail({ reason: 'protocol error', unsent: false });
    }
  }

  #take(current: Http1ClientStream): void {
    while (!this.#headDone) {
      const end = findHeadEnd(this.#rest, 0);
      if (end < 0) return;
      const head = parseResponseHead(this.#rest, end, current.method);
      this.#rest = end === this.#rest.length ? EMPTY : this.#rest.subarray(end);
      if (head.status === 101) {
        if (!current.isUpgrade) throw new ProtocolError(502, 'http1.codec_error');
        this.#headDone = true;
        current.tunnel = true;
        current.receiver.onResponseHead({
          status: 101,
          headers: head.headers,
          hasBody: true,
          contentLength: undefined,
          upgraded: true,
        });
        const bytes = this.#rest;
        this.#rest = EMPTY;
        if (bytes.length > 0) current.receiver.onResponseData(bytes);
        return;
      }
      if (head.status < 200) {
        if (head.status !== 100) current.receiver.onResponseInformational(head.status, head.headers);
        continue;
      }
      this.#headDone = true;
      this.#keepAlive = head.keepAlive;
      if (head.keepAliveSeconds !== undefined) this.idleLimitMs = Math.max(0, head.keepAliveSeconds * 1000 - 1000);
      this.#decoder.start(head.framing, head.contentLength);
      const hasBody = !this.#decoder.done;
      current.receiver.onResponseHead({
        status: head.status,
        headers: head.headers,
        hasBody,
        contentLength: head.contentLength,
        upgraded: false,
      });
      if (this.#current !== current) return;
      if (!hasBody) {
        this.#complete(current, this.#rest.length > 0);
        return;
      }
    }
    if (this.#rest.length === 0 || this.#current !== current) return;
    const bytes = this.#rest;
    this.#rest = EMPTY;
    const used = this.#decoder.feed(bytes, this);
    if (this.#decoder.done && this.#current === current) this.#complete(current, used < bytes.length);
  }

  onBodyData(data: Buffer): void {
    this.#current?.receiver.onResponseData(data);
  }

  onBodyEnd(): void {}

  /** The answer is whole. Bytes behind it belong to nobody, so such a connection is not used again. */
  #complete(current: Http1ClientStream, bytesLeft: boolean): void {
    this.#current = undefined;
    const reusable = this.#keepAlive && current.sent && !bytesLeft && !this.#closed;
    this.idleSince = this.#options.now();
    if (reusable) this.socket.resume();
    current.receiver.onResponseEnd();
    if (reusable) this.#options.onIdle(this);
    else this.destroy();
  }

  #onEnd(): void {
    const current = this.#current;
    if (current?.tunnel) {
      this.#current = undefined;
      current.receiver.onResponseEnd();
    } else if (current && this.#headDone && this.#decoder.endsWithConnection) {
      this.#keepAlive = false;
      this.#complete(current, false);
    } else this.#fail({ reason: 'connection termination', unsent: false });
  }

  #onClose(): void {
    this.#closed = true;
    if (this.#current) {
      const refused = systemCodeOf(this.#failure) === 'ECONNREFUSED';
      this.#fail({ reason: refused ? 'remote connection failure' : 'connection termination', unsent: refused });
    }
    this.#options.onClose(this);
  }

  #fail(reset: UpstreamReset): void {
    const current = this.#current;
    this.#current = undefined;
    this.destroy();
    if (current) current.receiver.onUpstreamReset(current.headSent ? reset : { ...reset, unsent: true });
  }

  /** The stream gives up: what comes back would be for nobody. */
  abandon(stream: UpstreamStream): void {
    if (this.#current !== stream) return;
    this.#current = undefined;
    this.destroy();
  }
}

class Http1ClientStream implements UpstreamStream {
  readonly receiver: ResponseReceiver;
  tunnel = false;
  method = 'GET';
  isUpgrade = false;
  headSent = false;
  /** The whole request is written. */
  sent = false;
  readonly #connection: Http1ClientConnection;
  readonly #writer: SocketWriter;
  #chunked = false;

  constructor(connection: Http1ClientConnection, writer: SocketWriter, receiver: ResponseReceiver) {
    this.#connection = connection;
    this.#writer = writer;
    this.receiver = receiver;
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  get remotePrincipal(): string | undefined {
    return this.#connection.remotePrincipal;
  }

  sendHead(head: RequestHead, hasBody: boolean, length: number | undefined): void {
    this.method = head.method;
    this.headSent = true;
    let text = `${head.method} ${head.path} HTTP/1.1\r\nhost: ${head.authority}\r\n${formatFields(head.headers)}`;
    if (head.upgrade !== undefined) {
      this.isUpgrade = true;
      text += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`;
    } else if (length !== undefined) text += `content-length: ${length}\r\n`;
    else if (hasBody) {
      this.#chunked = true;
      text += 'transfer-encoding: chunked\r\n';
    }
    this.#writer.push(`${text}\r\n`);
    if (this.isUpgrade) this.#writer.flush();
  }

  sendData(data: Buffer): boolean {
    if (data.length === 0) return true;
    if (this.#chunked) {
      this.#writer.push(chunkPrefix(data.length));
      this.#writer.push(data);
      this.#writer.push('\r\n');
    } else this.#writer.push(data);
    return !this.#writer.full;
  }

  sendEnd(): void {
    if (this.sent) return;
    this.sent = true;
    if (this.#chunked) this.#writer.push('0\r\n\r\n');
    this.#writer.flush();
    if (this.tunnel) this.#connection.socket.end();
  }

  cancel(): void {
    this.#connection.abandon(this);
  }

  pauseResponse(): void {
    this.#connection.socket.pause();
  }

  resumeResponse(): void {
    this.#connection.socket.resume();
  }
}
