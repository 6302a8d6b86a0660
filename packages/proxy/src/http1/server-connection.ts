import type { Socket } from 'node:net';
import type { DownstreamConnection, DownstreamStream, DownstreamTls, RequestHead } from '../http/stream.ts';
import { BodyDecoder, type BodyReceiver } from './body.ts';
import { findHeadEnd, MAX_HEAD_BYTES, ProtocolError, parseRequestHead, type RequestHead1 } from './head.ts';
import { Http1ServerStream } from './server-stream.ts';
import { SocketWriter } from './socket-writer.ts';
import { formatCodecReply } from './write.ts';

export interface HttpHandler {
  /** Called once a request; must set the stream's receiver before it returns. */
  onRequest(head: RequestHead, stream: DownstreamStream): void;
  /** A message that was no request; `status` is what was answered. */
  onProtocolError(connection: DownstreamConnection, status: number, details: string): void;
}

export interface ServerConnectionOptions {
  readonly handler: HttpHandler;
  readonly tls: DownstreamTls | undefined;
  readonly now: () => number;
  readonly onClose: () => void;
}

/** Bytes of an unwanted request body that are read and dropped to keep the connection. */
const MAX_DISCARD_BYTES = 256 * 1024;
const EMPTY = Buffer.alloc(0);

/** One client's HTTP/1 connection: requests in order, one at a time, pipelined ones wait unread. */
export class Http1ServerConnection implements DownstreamConnection, BodyReceiver {
  readonly tls: DownstreamTls | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly socket: Socket;
  readonly writer: SocketWriter;
  /** When something last happened, on the clock given. */
  lastActive: number;
  closing = false;
  readonly #options: ServerConnectionOptions;
  readonly #decoder = new BodyDecoder();
  #rest: Buffer = EMPTY;
  #scanned = 0;
  #current: Http1ServerStream | undefined;
  #taking = false;
  #discarded = 0;
  #finished = false;
  #pausedByRequest = false;
  #pausedByPipeline = false;

  constructor(socket: Socket, options: ServerConnectionOptions) {
    this.socket = socket;
    this.writer = new SocketWriter(socket);
    this.#options = options;
    this.tls = options.tls;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.lastActive = options.now();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#current?.receiver?.onDownstreamDrain());
    socket.resume();
  }

  /** No request is being answered. */
  get idle(): boolean {
    return this.#current === undefined && this.#rest.length === 0;
  }

  /** A request's head has begun and is not whole. */
  get partial(): boolean {
    return this.#current === undefined && this.#rest.length > 0;
  }

  get scheme(): 'http' | 'https' {
    return this.tls ? 'https' : 'http';
  }

  /** Closes after the present answer, at once if there is none. */
  drain(): void {
    this.closing = true;
    if (this.#current === undefined) this.#finish();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#finished) return;
    this.lastActive = this.#options.now();
    const current = this.#current;
    if (current?.tunnel) {
      current.receiver?.onRequestData(chunk);
      return;
    }
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#take();
  }

  /** Goes on with bytes that came while they could not be used. */
  takeWaiting(): void {
    if (this.#rest.length > 0) this.#take();
  }

  #take(): void {
    if (this.#taking) return;
    this.#taking = true;
    try {
      while (this.#takeOne());
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.socket.destroy();
        throw error;
      }
      this.#refuse(error);
    } finally {
      this.#taking = false;
    }
  }

  /** Makes one step; true when another may follow. */
  #takeOne(): boolean {
    if (this.#current?.tunnel) {
      const bytes = this.#rest;
      this.#rest = EMPTY;
      if (bytes.length > 0) this.#current.receiver?.onRequestData(bytes);
      return false;
    }
    if (this.#rest.length === 0) return false;
    if (!this.#decoder.done) {
      const bytes = this.#rest;
      const used = this.#decoder.feed(bytes, this);
      this.#rest = used === bytes.length ? EMPTY : bytes.subarray(used);
      return this.#rest.length > 0;
    }
    if (this.#current !== undefined || this.closing) {
      if (this.#rest.length > MAX_HEAD_BYTES) this.#setPaused(this.#pausedByRequest, true);
      return false;
    }
    return this.#takeHead();
  }

  #takeHead(): boolean {
    // RFC 9112 section 2.2: an empty line in front of a request is ignored.
    while (this.#rest[0] === 13 && this.#rest[1] === 10) this.#rest = this.#rest.subarray(2);
    if (this.#rest.length === 0) return false;
    const end = findHeadEnd(this.#rest, this.#scanned);
    if (end < 0) {
      this.#scanned = this.#rest.length;
      return false;
    }
    this.#scanned = 0;
    const head = parseRequestHead(this.#rest, end);
    this.#rest = end === this.#rest.length ? EMPTY : this.#rest.subarray(end);
    this.#begin(head);
    return true;
  }

  #begin(head: RequestHead1): void {
    const { path, authority } = splitTarget(head);
    this.#decoder.start(head.framing, head.contentLength);
    this.#discarded = 0;
    if (!head.keepAlive) this.closing = true;
    const stream = new Http1ServerStream(this, head.method, head.minorVersion, head.upgrade !== undefined);
    this.#current = stream;
    if (head.expectContinue && !this.#decoder.done && this.#rest.length === 0)
      this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
    const request: RequestHead = {
      method: head.method,
      path,
      authority,
      scheme: this.scheme,
      protocol: head.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0',
      headers: head.headers,
      hasBody: !this.#decoder.done,
      contentLength: head.contentLength,
      upgrade: head.upgrade,
    };
    this.#options.handler.onRequest(request, stream);
    if (this.#decoder.done && !stream.tunnel && !stream.isUpgrade) stream.receiver?.onRequestEnd();
    this.#settle();
  }

  onBodyData(data: Buffer): void {
    const current = this.#current;
    if (current && !current.ended) {
      current.receiver?.onRequestData(data);
      return;
    }
    this.#discarded += data.length;
    if (this.#discarded > MAX_DISCARD_BYTES) this.#finish();
  }

  onBodyEnd(): void {
    const current = this.#current;
    if (current && !current.ended) current.receiver?.onRequestEnd();
    this.#settle();
  }

  /** Called by the stream when its answer is complete, and here when the request is. */
  settleAfterAnswer(): void {
    this.#settle();
  }

  #settle(): void {
    const current = this.#current;
    if (!current?.ended) return;
    if (!this.#decoder.done) {
      // The rest of an unwanted body is read and dropped, within bounds.
      this.#setPaused(false, this.#pausedByPipeline);
      if (!this.closing) return;
    }
    this.#current = undefined;
    this.#setPaused(false, false);
    if (this.closing) this.#finish();
    else if (this.#rest.length > 0) this.#take();
  }

  /** Ends our side; what the client still sends is dropped for a moment, so that it can read our answer. */
  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.closing = true;
    this.#rest = EMPTY;
    this.writer.flush();
    this.socket.end();
    this.socket.resume();
  }

  #refuse(error: ProtocolError): void {
    const current = this.#current;
    this.closing = true;
    this.#finished = true;
    this.#rest = EMPTY;
    this.#decoder.start('none', undefined);
    if (current && !current.ended) {
      const started = current.headSent;
      current.ended = true;
      current.receiver?.onDownstreamReset(error.details);
      this.#current = undefined;
      if (started) {
        this.socket.destroy();
        return;
      }
    }
    this.#options.handler.onProtocolError(this, error.status, error.details);
    this.writer.flush();
    this.socket.end(formatCodecReply(error.status), 'latin1');
  }

  #onEnd(): void {
    const current = this.#current;
    if (current?.tunnel) {
      current.receiver?.onRequestEnd();
      return;
    }
    if (current && !current.ended) this.socket.destroy();
    else this.#finish();
  }

  #onClose(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current && !current.ended) {
      current.ended = true;
      current.receiver?.onDownstreamReset('downstream_remote_disconnect');
    }
    this.#options.onClose();
  }

  pauseRequest(paused: boolean): void {
    this.#setPaused(paused, this.#pausedByPipeline);
  }

  #setPaused(byRequest: boolean, byPipeline: boolean): void {
    const before = this.#pausedByRequest || this.#pausedByPipeline;
    this.#pausedByRequest = byRequest;
    this.#pausedByPipeline = byPipeline;
    const after = byRequest || byPipeline;
    if (before === after) return;
    if (after) this.socket.pause();
    else this.socket.resume();
  }

  touch(): void {
    this.lastActive = this.#options.now();
  }
}

/** RFC 9112 section 3.2: origin, absolute, authority and asterisk form. */
function splitTarget(head: RequestHead1): { path: string; authority: string } {
  const { target } = head;
  if (target.charCodeAt(0) === 47) return { path: target, authority: head.host ?? '' };
  if (target === '*' && head.method === 'OPTIONS') return { path: '*', authority: head.host ?? '' };
  if (head.method === 'CONNECT') return { path: '', authority: target };
  const absolute = /^https?:\/\/([^/?#@]+)([/?].*)?$/i.exec(target);
  if (absolute === null) throw new ProtocolError(400, 'http1.invalid_url');
  const path = absolute[2] ?? '/';
  return { path: path.startsWith('?') ? `/${path}` : path, authority: absolute[1] ?? '' };
}
