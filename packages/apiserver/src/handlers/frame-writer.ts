import type { Socket } from 'node:net';

/** A client that lets this much pile up is let go; it can resume. */
const MAX_BACKLOG_BYTES = 4 << 20;

/**
 * Writes complete chunks to a connection. While the client is behind they wait here, as buffers that all watchers
 * share, and not in the connection, which would keep a copy for each.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onTooSlow: () => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isBehind = false;

  constructor(socket: Socket, onTooSlow: () => void) {
    this.#socket = socket;
    this.#onTooSlow = onTooSlow;
  }

  write(frames: Buffer): void {
    if (this.#socket.destroyed) return;
    if (!this.#isBehind) {
      if (!this.#socket.write(frames)) this.#wait();
      return;
    }
    this.#waiting.push(frames);
    this.#waitingBytes += frames.length;
    if (this.#waitingBytes <= MAX_BACKLOG_BYTES) return;
    this.#waiting = [];
    this.#onTooSlow();
  }

  /** Sends what waits and ends the connection. */
  end(last: Buffer): void {
    this.#waiting.push(last);
    this.#send();
    this.#socket.end();
  }

  #wait(): void {
    this.#isBehind = true;
    this.#socket.once('drain', () => {
      this.#isBehind = false;
      if (this.#waiting.length > 0 && !this.#send()) this.#wait();
    });
  }

  #send(): boolean {
    const frames = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#socket.destroyed) return true;
    this.#socket.cork();
    let isTaken = true;
    for (const frame of frames) isTaken = this.#socket.write(frame);
    this.#socket.uncork();
    return isTaken;
  }
}
