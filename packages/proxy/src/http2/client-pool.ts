import type { IncomingHttpHeaders } from 'node:http';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { openConnection } from '../cluster/connect.ts';
import {
  DEFAULT_CONNECT_TIMEOUT_MS,
  type PoolOptions,
  type PoolWaiter,
  type UpstreamPool,
} from '../cluster/endpoint-pool.ts';
import type { RequestHead, ResponseReceiver, Trailers, UpstreamStream } from '../http/stream.ts';
import { listOf, objectOf } from './fields.ts';

const http2 = process.getBuiltinModule('node:http2');
const DEFAULT_IDLE_MS = 300_000;

interface Session {
  readonly session: ClientHttp2Session;
  readonly localAddress: string;
  readonly remotePrincipal: string | undefined;
  streams: number;
  idleSince: number;
}

/** HTTP/2 to one endpoint: one connection carries all requests. */
export class Http2Pool implements UpstreamPool {
  readonly #options: PoolOptions;
  #session: Session | undefined;
  readonly #pending: PoolWaiter[] = [];
  #cancelConnect: (() => void) | undefined;
  #draining = false;
  #streams = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#streams + this.#pending.length;
  }

  get connections(): number {
    return this.#session ? 1 : 0;
  }

  acquire(waiter: PoolWaiter): void {
    const open = this.#session;
    if (open && !open.session.closed && !open.session.destroyed) {
      this.#open(open, waiter);
      return;
    }
    this.#pending.push(waiter);
    if (this.#cancelConnect === undefined) this.#connect();
  }

  forget(waiter: PoolWaiter): void {
    const at = this.#pending.indexOf(waiter);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  #connect(): void {
    const { clock, address, port, localAddress } = this.#options;
    const limits = this.#options.limits();
    this.#cancelConnect = openConnection(
      {
        address,
        port,
        localAddress,
        tls: this.#options.tls(),
        timeoutMs: limits.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
        keepaliveMs: limits.keepalive?.timeMs,
      },
      (ms, call) => clock.after(ms, call),
      (connected) => {
        this.#cancelConnect = undefined;
        const session = http2.connect('http://upstream', {
          createConnection: () => connected.socket,
          settings: { enablePush: false },
        });
        const entry: Session = {
          session,
          localAddress: `${connected.socket.localAddress}:${connected.socket.localPort}`,
          remotePrincipal: connected.remotePrincipal,
          streams: 0,
          idleSince: clock.monotonic(),
        };
        session.on('error', () => {});
        session.on('goaway', () => {
          if (this.#session === entry) this.#session = undefined;
        });
        session.on('close', () => {
          this.#options.onConnection(false, false);
          if (this.#session === entry) this.#session = undefined;
        });
        this.#options.onConnection(true, false);
        this.#session = entry;
        for (const waiter of this.#pending.splice(0)) this.#open(entry, waiter);
        if (this.#draining) session.close();
      },
      (failure) => {
        this.#cancelConnect = undefined;
        this.#options.onConnection(false, true);
        for (const waiter of this.#pending.splice(0)) waiter.onUpstreamReset({ ...failure, unsent: true });
      },
    );
  }

  #open(entry: Session, waiter: PoolWaiter): void {
    entry.streams++;
    this.#streams++;
    const stream = new Http2ClientStream(entry.session, entry.localAddress, entry.remotePrincipal, waiter, () => {
      entry.streams--;
      this.#streams--;
      entry.idleSince = this.#options.clock.monotonic();
    });
    waiter.onUpstreamReady(stream);
  }

  sweep(now: number): void {
    const open = this.#session;
    const limit = this.#options.limits().idleTimeoutMs ?? DEFAULT_IDLE_MS;
    if (open && open.streams === 0 && limit > 0 && now - open.idleSince > limit) open.session.close();
  }

  drain(): void {
    this.#draining = true;
    this.#session?.session.close();
  }

  destroy(): void {
    this.#draining = true;
    this.#cancelConnect?.();
    for (const waiter of this.#pending.splice(0)) waiter.onUpstreamReset({ reason: 'local reset', unsent: true });
    this.#session?.session.destroy();
  }
}

class Http2ClientStream implements UpstreamStream {
  readonly localAddress: string;
  readonly remotePrincipal: string | undefined;
  readonly #session: ClientHttp2Session;
  readonly #receiver: ResponseReceiver;
  readonly #onDone: () => void;
  #stream: ClientHttp2Stream | undefined;
  #trailersToSend: Trailers | undefined;
  #done = false;

  constructor(
    session: ClientHttp2Session,
    localAddress: string,
    remotePrincipal: string | undefined,
    receiver: ResponseReceiver,
    onDone: () => void,
  ) {
    this.#session = session;
    this.localAddress = localAddress;
    this.remotePrincipal = remotePrincipal;
    this.#receiver = receiver;
    this.#onDone = onDone;
  }

  sendHead(head: RequestHead, hasBody: boolean, length: number | undefined): void {
    const fields: Record<string, string | string[] | number> = {
      ':method': head.method,
      ':path': head.path,
      ':scheme': head.scheme,
      ':authority': head.authority,
      ...objectOf(head.headers),
    };
    if (length !== undefined) fields['content-length'] = String(length);
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(fields, { endStream: !hasBody, waitForTrailers: hasBody });
    } catch {
      this.#fail(true);
      return;
    }
    this.#stream = stream;
    let trailers: Trailers | undefined;
    stream.on('response', (answer: IncomingHttpHeaders & { ':status'?: number }, flags: number) => {
      if (this.#done) return;
      const list = listOf(answer);
      const at = list.indexOf('content-length');
      const text = at >= 0 ? list[at + 1] : undefined;
      if (at >= 0) list.splice(at, 2);
      this.#receiver.onResponseHead({
        status: answer[':status'] ?? 502,
        headers: list,
        hasBody: (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) === 0,
        contentLength: text === undefined ? undefined : Number(text),
        upgraded: false,
      });
    });
    stream.on('headers', (informational: IncomingHttpHeaders & { ':status'?: number }) => {
      const status = informational[':status'] ?? 0;
      if (!this.#done && status > 100) this.#receiver.onResponseInformational(status, listOf(informational));
    });
    stream.on('trailers', (answer: IncomingHttpHeaders) => {
      trailers = listOf(answer);
    });
    stream.on('wantTrailers', () => {
      if (this.#trailersToSend) stream.sendTrailers(objectOf(this.#trailersToSend));
      else stream.sendTrailers({});
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#done) this.#receiver.onResponseData(chunk);
    });
    stream.on('drain', () => {
      if (!this.#done) this.#receiver.onUpstreamDrain();
    });
    stream.on('end', () => {
      if (this.#done || stream.rstCode !== 0) return;
      this.#finish();
      this.#receiver.onResponseEnd(trailers);
    });
    stream.on('error', () => {});
    stream.on('close', () => this.#fail(stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM));
  }

  #finish(): boolean {
    if (this.#done) return false;
    this.#done = true;
    this.#onDone();
    return true;
  }

  #fail(refused: boolean): void {
    if (!this.#finish()) return;
    this.#receiver.onUpstreamReset(
      refused
        ? { reason: 'remote refused stream reset', unsent: true }
        : { reason: this.#session.destroyed ? 'connection termination' : 'remote reset', unsent: false },
    );
  }

  sendData(data: Buffer): boolean {
    const stream = this.#stream;
    return stream === undefined || stream.destroyed || stream.writableEnded || stream.write(data);
  }

  sendEnd(trailers?: Trailers): void {
    this.#trailersToSend = trailers;
    const stream = this.#stream;
    if (stream && !stream.destroyed && !stream.writableEnded) stream.end();
  }

  cancel(): void {
    this.#finish();
    if (this.#stream && !this.#stream.destroyed) this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  pauseResponse(): void {
    this.#stream?.pause();
  }

  resumeResponse(): void {
    if (this.#stream && !this.#stream.destroyed) this.#stream.resume();
  }
}
