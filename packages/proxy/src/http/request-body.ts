import type { DownstreamStream, Trailers, UpstreamStream } from './stream.ts';

/** Request bytes kept for another try; a longer body is sent once. */
const MAX_REPLAY_BYTES = 256 * 1024;
/** Request bytes that wait for an upstream before the client is told to wait. */
const MAX_WAITING_BYTES = 64 * 1024;

/** The body of a request on its way: waits for an upstream, is kept for another try, slows a client that is too fast. */
export class RequestBody {
  ended = false;
  /** The whole of what came can still be sent again. */
  replayable: boolean;
  readonly #stream: DownstreamStream;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #trailers: Trailers | undefined;
  #paused = false;

  constructor(stream: DownstreamStream, replayable: boolean) {
    this.#stream = stream;
    this.replayable = replayable;
  }

  take(data: Buffer, upstream: UpstreamStream | undefined): void {
    this.#bytes += data.length;
    if (this.#bytes > MAX_REPLAY_BYTES) this.replayable = false;
    if (this.replayable || upstream === undefined) this.#pieces.push(data);
    else this.#pieces.length = 0;
    if (upstream === undefined) {
      if (this.#bytes > MAX_WAITING_BYTES) this.#pause(true);
    } else if (!upstream.sendData(data)) this.#pause(true);
  }

  end(trailers: Trailers | undefined, upstream: UpstreamStream | undefined): void {
    this.ended = true;
    this.#trailers = trailers;
    upstream?.sendEnd(trailers);
  }

  /** Gives an upstream all that came so far. */
  sendTo(upstream: UpstreamStream): void {
    let open = true;
    for (const data of this.#pieces) open = upstream.sendData(data);
    if (!this.replayable) this.#pieces = [];
    if (this.ended) upstream.sendEnd(this.#trailers);
    else if (open) this.resume();
  }

  /** An answer came: nothing will be sent again. */
  forget(): void {
    this.replayable = false;
    this.#pieces = [];
  }

  resume(): void {
    this.#pause(false);
  }

  #pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#stream.pauseRequest();
    else this.#stream.resumeRequest();
  }
}
