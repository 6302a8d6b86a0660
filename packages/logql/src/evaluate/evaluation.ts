import type { Clock } from '@kind-e2e/base';
import type { LogReader } from '@kind-e2e/telemetry';
import { LogqlError } from '../results.ts';

/** After so long without a pause the evaluator lets the event loop run. */
const SLICE_MS = 10;

/** What one query carries through its evaluation: where it reads, its limits, what it counted. */
export class Evaluation {
  readonly reader: LogReader;
  readonly maxSeries: number;
  lines = 0;
  bytes = 0;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: number;
  #sliceEnd: number;

  constructor(options: {
    readonly reader: LogReader;
    readonly maxSeries: number;
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
  }) {
    this.reader = options.reader;
    this.maxSeries = options.maxSeries;
    this.#clock = options.clock;
    this.#signal = options.signal;
    const now = this.#clock.monotonic();
    this.#deadline = now + options.timeoutMs;
    this.#sliceEnd = now + SLICE_MS;
  }

  nowNs(): bigint {
    return BigInt(Math.trunc(this.#clock.now())) * 1_000_000n;
  }

  /** Whether a long loop over lines should stop for a pause; asked for every few hundred lines. */
  get needsPause(): boolean {
    return this.#clock.monotonic() >= this.#sliceEnd;
  }

  async pause(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.check();
    this.#sliceEnd = this.#clock.monotonic() + SLICE_MS;
  }

  check(): void {
    if (this.#signal?.aborted) throw new LogqlError('canceled', 'context canceled');
    if (this.#clock.monotonic() > this.#deadline)
      throw new LogqlError(
        'timeout',
        'request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed',
      );
  }

  checkSeries(count: number): void {
    if (count > this.maxSeries)
      throw new LogqlError(
        'bad_request',
        `maximum number of series (${this.maxSeries}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()`,
      );
  }
}
