import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { SPDY_DICTIONARY } from './dictionary.ts';

export type SpdyHeaders = ReadonlyMap<string, string>;

const MAX_BLOCK_BYTES = 1024 * 1024;

/** Compresses header blocks of one direction of a session: one zlib stream, flushed after each block. */
export class HeaderCompressor {
  readonly #deflate: Deflate = createDeflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  #chunks: Buffer[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#deflate.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.#deflate.on('error', () => undefined);
  }

  compress(headers: SpdyHeaders): Promise<Buffer> {
    const block = encodeHeaders(headers);
    const result = this.#last.then(
      () =>
        new Promise<Buffer>((resolve, reject) => {
          this.#chunks = [];
          this.#deflate.write(block, (error) => {
            if (error) reject(error);
            else this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(Buffer.concat(this.#chunks)));
          });
        }),
    );
    this.#last = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.#deflate.destroy();
  }
}

export class HeaderDecompressor {
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  #chunks: Buffer[] = [];
  #size = 0;

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#size += chunk.length;
      if (this.#size > MAX_BLOCK_BYTES) this.#inflate.destroy(new Error('a header block is too large'));
      else this.#chunks.push(chunk);
    });
  }

  /** Blocks must be given in the order in which they came. */
  decompress(block: Buffer): Promise<SpdyHeaders> {
    this.#chunks = [];
    this.#size = 0;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(error);
      this.#inflate.once('error', fail);
      this.#inflate.write(block, () => {
        this.#inflate.flush(constants.Z_SYNC_FLUSH, () => {
          this.#inflate.off('error', fail);
          try {
            resolve(decodeHeaders(Buffer.concat(this.#chunks)));
          } catch (error) {
            reject(error);
          }
        });
      });
    });
  }

  close(): void {
    this.#inflate.on('error', () => undefined);
    this.#inflate.destroy();
  }
}

function encodeHeaders(headers: SpdyHeaders): Buffer {
  const parts: Buffer[] = [uint32(headers.size)];
  for (const [name, value] of headers)
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(uint32(bytes.length), bytes);
    }
  return Buffer.concat(parts);
}

function decodeHeaders(block: Buffer): SpdyHeaders {
  const headers = new Map<string, string>();
  let offset = 0;
  const next = (): number => {
    if (offset + 4 > block.length) throw new Error('a header block ends too early');
    offset += 4;
    return block.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const length = next();
    if (offset + length > block.length) throw new Error('a header block ends too early');
    offset += length;
    return block.toString('utf8', offset - length, offset);
  };
  for (let left = next(); left > 0; left--) headers.set(text().toLowerCase(), text());
  return headers;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
