import { type Framing, ProtocolError } from './head.ts';

/** Gets the pieces of a body as they are decoded. */
export interface BodyReceiver {
  onBodyData(data: Buffer): void;
  onBodyEnd(): void;
}

const MAX_CHUNK_LINE = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
const CR = 13;
const LF = 10;

type ChunkState = 'size' | 'data' | 'data-end' | 'trailer';

/**
 * Takes one message's body out of a byte stream. Strict as RFC 9112 section 7.1 wants it: sizes in hexadecimal digits
 * alone, CRLF everywhere; extensions and trailers are checked for form and dropped.
 */
export class BodyDecoder {
  #framing: Framing = 'none';
  #left = 0;
  #state: ChunkState = 'size';
  #line = '';
  #trailerBytes = 0;
  #done = true;

  start(framing: Framing, contentLength: number | undefined): void {
    this.#framing = framing;
    this.#left = framing === 'length' ? (contentLength ?? 0) : 0;
    this.#state = 'size';
    this.#line = '';
    this.#trailerBytes = 0;
    this.#done = framing === 'none' || (framing === 'length' && this.#left === 0);
  }

  get done(): boolean {
    return this.#done;
  }

  /** True where the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return !this.#done && this.#framing === 'close';
  }

  /** Consumes bytes up to the end of the body and gives back how many. */
  feed(chunk: Buffer, receiver: BodyReceiver): number {
    if (this.#done) return 0;
    if (this.#framing === 'close') {
      receiver.onBodyData(chunk);
      return chunk.length;
    }
    if (this.#framing === 'length') {
      const size = Math.min(this.#left, chunk.length);
      this.#left -= size;
      if (this.#left === 0) this.#done = true;
      if (size > 0) receiver.onBodyData(size === chunk.length ? chunk : chunk.subarray(0, size));
      if (this.#done) receiver.onBodyEnd();
      return size;
    }
    return this.#feedChunked(chunk, receiver);
  }

  #feedChunked(chunk: Buffer, receiver: BodyReceiver): number {
    let at = 0;
    while (at < chunk.length && !this.#done) {
      if (this.#state === 'data') {
        const size = Math.min(this.#left, chunk.length - at);
        this.#left -= size;
        if (this.#left === 0) this.#state = 'data-end';
        receiver.onBodyData(chunk.subarray(at, at + size));
        at += size;
        continue;
      }
      const feed = chunk.indexOf(LF, at);
      const end = feed < 0 ? chunk.length : feed + 1;
      this.#line += chunk.toString('latin1', at, end);
      at = end;
      if (this.#line.length > MAX_CHUNK_LINE) throw new ProtocolError(400, 'http1.codec_error');
      if (feed < 0) {
        // Only a chunk's own CRLF may follow its data: anything else will never be one.
        if (this.#state === 'data-end' && this.#line.charCodeAt(0) !== CR)
          throw new ProtocolError(400, 'http1.codec_error');
        break;
      }
      this.#takeLine(receiver);
    }
    return at;
  }

  #takeLine(receiver: BodyReceiver): void {
    const line = this.#line;
    this.#line = '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    if (!line.endsWith('\r\n') || /[\x00-\x08\x0a-\x1f\x7f]/.test(line.slice(0, -2)))
      throw new ProtocolError(400, 'http1.codec_error');
    const text = line.slice(0, -2);
    if (this.#state === 'data-end') {
      if (text !== '') throw new ProtocolError(400, 'http1.codec_error');
      this.#state = 'size';
      return;
    }
    if (this.#state === 'trailer') {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAX_TRAILER_BYTES) throw new ProtocolError(431, 'http1.trailers_too_large');
      if (text !== '') {
        if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/.test(text)) throw new ProtocolError(400, 'http1.codec_error');
        return;
      }
      this.#done = true;
      receiver.onBodyEnd();
      return;
    }
    const size = /^([0-9a-fA-F]{1,13})(?:[ \t]*;[^\r\n]*)?$/.exec(text)?.[1];
    if (size === undefined) throw new ProtocolError(400, 'http1.codec_error');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
  }
}
