export interface BackoffOptions {
  /** First delay. Default 100 ms. */
  readonly initialMs?: number;
  /** Largest delay. Default 30,000 ms. */
  readonly maxMs?: number;
  /** Factor between delays. Default 2. */
  readonly factor?: number;
  /** Part of the delay that is random, 0 to 1. Default 0.1. */
  readonly jitter?: number;
  /** Source of randomness in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/** Exponential back-off with jitter: `next()` gives the delay in ms and grows it, `reset()` starts over. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #factor: number;
  readonly #jitter: number;
  readonly #random: () => number;
  #currentMs: number;

  constructor(options: BackoffOptions = {}) {
    this.#initialMs = options.initialMs ?? 100;
    this.#maxMs = options.maxMs ?? 30_000;
    this.#factor = options.factor ?? 2;
    this.#jitter = options.jitter ?? 0.1;
    this.#random = options.random ?? Math.random;
    this.#currentMs = this.#initialMs;
  }

  next(): number {
    const delay = this.#currentMs * (1 + this.#jitter * (2 * this.#random() - 1));
    this.#currentMs = Math.min(this.#currentMs * this.#factor, this.#maxMs);
    return Math.round(delay);
  }

  reset(): void {
    this.#currentMs = this.#initialMs;
  }
}
