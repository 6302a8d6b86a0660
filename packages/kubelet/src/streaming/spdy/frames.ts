/** Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, section 2.2). */
export type SpdyFrame =
  | { readonly kind: 'data'; readonly streamId: number; readonly isLast: boolean; readonly data: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly data: Buffer };

export const FRAME = {
  SYN_STREAM: 1,
  SYN_REPLY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  HEADERS: 8,
  WINDOW_UPDATE: 9,
} as const;

export const FLAG_FIN = 1;
export const RST_PROTOCOL_ERROR = 1;
export const RST_CANCEL = 5;

const VERSION = 3;
const HEAD_BYTES = 8;
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** Cuts a byte stream into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Frames that are whole with this chunk. Throws where the bytes are no SPDY/3. */
  read(chunk: Buffer): SpdyFrame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: SpdyFrame[] = [];
    for (;;) {
      const frame = this.#next();
      if (!frame) return frames;
      frames.push(frame);
    }
  }

  #next(): SpdyFrame | undefined {
    const rest = this.#rest;
    if (rest.length < HEAD_BYTES) return undefined;
    const length = rest.readUIntBE(5, 3);
    if (length > MAX_FRAME_BYTES) throw new Error(`a SPDY frame of ${length} bytes is too large`);
    if (rest.length < HEAD_BYTES + length) return undefined;
    const data = rest.subarray(HEAD_BYTES, HEAD_BYTES + length);
    const word = rest.readUInt32BE(0);
    const flags = rest.readUInt8(4);
    this.#rest = rest.subarray(HEAD_BYTES + length);
    if (word >>> 31 === 0) return { kind: 'data', streamId: word, isLast: (flags & FLAG_FIN) !== 0, data };
    const version = (word >>> 16) & 0x7fff;
    if (version !== VERSION) throw new Error(`SPDY version ${version} is not ${VERSION}`);
    return { kind: 'control', type: word & 0xffff, flags, data };
  }
}

export function controlFrame(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return Buffer.concat([head, ...parts]);
}

export function dataFrameHead(streamId: number, isLast: boolean, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(isLast ? FLAG_FIN : 0, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}
