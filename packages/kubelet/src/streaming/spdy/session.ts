import { Duplex } from 'node:stream';
import {
  controlFrame,
  dataFrameHead,
  FLAG_FIN,
  FRAME,
  FrameReader,
  RST_CANCEL,
  RST_PROTOCOL_ERROR,
  type SpdyFrame,
  uint32,
} from './frames.ts';
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './header-codec.ts';

/** What a stream may hold that its reader has not taken, before the whole session waits for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const MAX_DATA_BYTES = 32 * 1024;

/** One stream of a session: bytes both ways, each way ended on its own. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #session: SpdySession;
  readonly #replied: Promise<void>;
  #wake: (() => void) | undefined;
  #hasEndedBoth = 0;

  constructor(session: SpdySession, id: number, headers: SpdyHeaders, replied: Promise<void>) {
    super({ allowHalfOpen: true, autoDestroy: false, readableHighWaterMark: MAX_BUFFERED_BYTES });
    this.id = id;
    this.headers = headers;
    this.#session = session;
    this.#replied = replied;
  }

  /** A data frame came; resolves when more may come. */
  accept(data: Buffer, isLast: boolean): Promise<void> | undefined {
    if (this.destroyed || this.readableEnded) return undefined;
    const hasRoom = data.length === 0 || this.push(data);
    if (isLast) {
      this.push(null);
      this.#endOneWay();
    }
    if (hasRoom || isLast) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  override _read(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#replied
      .then(() => this.#session.sendData(this.id, chunk, false))
      .then(
        () => done(),
        (error: Error) => done(error),
      );
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#replied
      .then(() => this.#session.sendData(this.id, Buffer.alloc(0), true))
      .then(
        () => {
          done();
          this.#endOneWay();
        },
        (error: Error) => done(error),
      );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wake?.();
    if (this.#hasEndedBoth < 2) this.#session.reset(this.id, RST_CANCEL);
    this.#session.forget(this.id);
    done(error);
  }

  #endOneWay(): void {
    this.#hasEndedBoth++;
    if (this.#hasEndedBoth === 2) this.#session.forget(this.id);
  }
}

/**
 * The server's side of a SPDY/3.1 session over any duplex stream, as moby/spdystream's client speaks it: every stream
 * is answered, pings are echoed, flow control windows are not kept (the connection's own back-pressure does).
 */
export class SpdySession {
  readonly #connection: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #reader = new FrameReader();
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #ended = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(connection: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#connection = connection;
    this.#onStream = onStream;
    connection.on('error', () => this.close());
    connection.on('close', () => this.close());
    void this.#read();
  }

  /** Resolves when the connection is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#connection as AsyncIterable<Buffer>)
        for (const frame of this.#reader.read(chunk)) {
          const wait = frame.kind === 'data' ? this.#data(frame) : this.#control(frame);
          if (wait) await wait;
        }
    } catch {
      // A broken or foreign connection: it is closed.
    }
    this.close();
  }

  #data(frame: Extract<SpdyFrame, { kind: 'data' }>): Promise<void> | undefined {
    const stream = this.#streams.get(frame.streamId);
    if (stream) return stream.accept(frame.data, frame.isLast);
    return undefined;
  }

  async #control(frame: Extract<SpdyFrame, { kind: 'control' }>): Promise<void> {
    const { type, data, flags } = frame;
    switch (type) {
      case FRAME.SYN_STREAM: {
        const id = data.readUInt32BE(0) & 0x7fffffff;
        const headers = await this.#decompressor.decompress(data.subarray(10));
        if (this.#streams.has(id)) {
          this.reset(id, RST_PROTOCOL_ERROR);
          return;
        }
        const replied = this.#reply(id);
        replied.catch(() => undefined);
        const stream = new SpdyStream(this, id, headers, replied);
        stream.on('error', () => undefined);
        this.#streams.set(id, stream);
        if (flags & FLAG_FIN) stream.accept(Buffer.alloc(0), true);
        this.#onStream(stream);
        return;
      }
      case FRAME.HEADERS:
        await this.#decompressor.decompress(data.subarray(4));
        return;
      case FRAME.SYN_REPLY:
        await this.#decompressor.decompress(data.subarray(4));
        return;
      case FRAME.RST_STREAM: {
        const id = data.readUInt32BE(0) & 0x7fffffff;
        const stream = this.#streams.get(id);
        this.#streams.delete(id);
        stream?.destroy();
        return;
      }
      case FRAME.PING:
        // Odd numbers are the client's; an even one answers ours, and we send none.
        if (data.readUInt32BE(0) % 2 === 1) await this.#send(controlFrame(FRAME.PING, 0, data));
        return;
      default:
        // GOAWAY, SETTINGS and WINDOW_UPDATE ask nothing of this side.
        return;
    }
  }

  async #reply(id: number): Promise<void> {
    const block = await this.#compressor.compress(new Map());
    await this.#send(controlFrame(FRAME.SYN_REPLY, 0, uint32(id), block));
  }

  /** Sends bytes of a stream; resolves when the connection takes more. */
  async sendData(id: number, data: Buffer, isLast: boolean): Promise<void> {
    for (let offset = 0; offset < data.length || (offset === 0 && data.length === 0); offset += MAX_DATA_BYTES) {
      const part = data.subarray(offset, offset + MAX_DATA_BYTES);
      const isEnd = offset + MAX_DATA_BYTES >= data.length;
      await this.#send(Buffer.concat([dataFrameHead(id, isLast && isEnd, part.length), part]));
    }
  }

  reset(id: number, status: number): void {
    if (this.#streams.delete(id))
      void this.#send(controlFrame(FRAME.RST_STREAM, 0, uint32(id, status))).catch(() => undefined);
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  #send(frame: Buffer): Promise<void> {
    if (this.#isClosed || this.#connection.destroyed) return Promise.reject(new Error('the connection is closed'));
    return new Promise((resolve, reject) => {
      this.#connection.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the session after what was written went out. */
  finish(): void {
    this.#connection.end();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) stream.destroy();
    this.#streams.clear();
    this.#compressor.close();
    this.#decompressor.close();
    this.#connection.destroy();
    this.#ended.resolve();
  }
}
