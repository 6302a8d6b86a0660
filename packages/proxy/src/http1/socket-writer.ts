import type { Socket } from 'node:net';

const COALESCE_BYTES = 16 * 1024;

/**
 * Gathers what is written within one turn and hands it to the socket at once: small messages become one buffer and
 * one system call, large pieces are not copied.
 */
export class SocketWriter {
  readonly #socket: Socket;
  #pieces: (string | Buffer)[] = [];
  #bytes = 0;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes written to the socket over its life, unsent ones included. */
  get full(): boolean {
    return this.#socket.writableLength + this.#bytes > this.#socket.writableHighWaterMark;
  }

  /** A string is taken as Latin-1. */
  push(piece: string | Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(flush, this);
  }

  /** Writes now what was gathered; false when the socket is full. */
  flush(): boolean {
    this.#scheduled = false;
    const pieces = this.#pieces;
    if (pieces.length === 0 || !this.#socket.writable) {
      this.#pieces.length = 0;
      this.#bytes = 0;
      return !this.#socket.writableNeedDrain;
    }
    this.#pieces = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (pieces.length === 1) {
      const only = pieces[0] as string | Buffer;
      return typeof only === 'string' ? this.#socket.write(only, 'latin1') : this.#socket.write(only);
    }
    if (bytes <= COALESCE_BYTES) return this.#socket.write(joined(pieces, bytes));
    this.#socket.cork();
    let open = true;
    for (const piece of pieces)
      open = typeof piece === 'string' ? this.#socket.write(piece, 'latin1') : this.#socket.write(piece);
    this.#socket.uncork();
    return open;
  }
}

function flush(writer: SocketWriter): void {
  writer.flush();
}

function joined(pieces: readonly (string | Buffer)[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at, 'latin1');
    else {
      whole.set(piece, at);
      at += piece.length;
    }
  }
  return whole;
}
