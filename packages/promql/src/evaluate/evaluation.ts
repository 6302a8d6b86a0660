import type { Clock } from '@kind-e2e/base';
import type { MetricReader } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import type { Expr, VectorSelector } from '../syntax/index.ts';
import type { Annotations } from './annotations.ts';
import type { Grid, Value } from './values.ts';

export interface Limits {
  readonly lookbackDeltaMs: number;
  readonly maxSamples: number;
  readonly timeoutMs: number;
  readonly defaultSubqueryStepMs: number;
}

function tooManySamples(): PromqlError {
  return new PromqlError('execution', 'query processing would load too many samples into memory in query execution');
}

/** After so long without a pause the evaluator lets the event loop run. */
const SLICE_MS = 10;

/** What the query asks for, for `@ start()` and `@ end()`: the end need not be a step. */
export interface OuterRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** What one query carries through its evaluation: where it reads, its limits, its warnings. */
export class Evaluation {
  readonly reader: MetricReader;
  readonly limits: Limits;
  readonly annotations: Annotations;
  readonly outer: OuterRange;
  /** See there. */
  readonly selectorWithoutBuckets: VectorSelector | undefined;
  /** By how much `@` is off in the subquery that is being evaluated; see there. */
  atShiftMs = 0;
  samplesRead = 0;
  peakSamples = 0;
  readonly #evaluate: (evaluation: Evaluation, expr: Expr, grid: Grid) => Promise<Value>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: number;
  #sliceEnd: number;
  #held = 0;

  constructor(options: {
    readonly reader: MetricReader;
    readonly limits: Limits;
    readonly annotations: Annotations;
    readonly outer: OuterRange;
    readonly selectorWithoutBuckets: VectorSelector | undefined;
    readonly clock: Clock;
    readonly signal: AbortSignal | undefined;
    readonly evaluate: (evaluation: Evaluation, expr: Expr, grid: Grid) => Promise<Value>;
  }) {
    this.reader = options.reader;
    this.limits = options.limits;
    this.annotations = options.annotations;
    this.outer = options.outer;
    this.selectorWithoutBuckets = options.selectorWithoutBuckets;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#evaluate = options.evaluate;
    const now = this.#clock.monotonic();
    this.#deadline = now + this.limits.timeoutMs;
    this.#sliceEnd = now + SLICE_MS;
  }

  evaluate(expr: Expr, grid: Grid): Promise<Value> {
    return this.#evaluate(this, expr, grid);
  }

  get held(): number {
    return this.#held;
  }

  /** Counts samples that are held now; throws where there are more than the limit. */
  hold(samples: number): void {
    this.#held += samples;
    if (this.#held > this.peakSamples) this.peakSamples = this.#held;
    if (this.#held > this.limits.maxSamples) throw tooManySamples();
  }

  /** Refuses a grid on which not even one series would be within the limit. */
  checkSteps(steps: number): void {
    if (steps > this.limits.maxSamples) throw tooManySamples();
  }

  releaseTo(held: number): void {
    this.#held = held;
  }

  get needsPause(): boolean {
    return this.#clock.monotonic() >= this.#sliceEnd;
  }

  /** Lets other work of the process run, then ends the query if it was given up or took too long. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.check();
    this.#sliceEnd = this.#clock.monotonic() + SLICE_MS;
  }

  /** Prometheus names the stage in which a query ended (promql/engine.go, contextDone). */
  check(stage: 'query execution' | 'expression evaluation' = 'expression evaluation'): void {
    if (this.#signal?.aborted) throw new PromqlError('canceled', `query was canceled in ${stage}`);
    const now = this.#clock.monotonic();
    // Go's context is over before the query waits for its turn.
    if (this.limits.timeoutMs <= 0) throw new PromqlError('execution', 'context deadline exceeded');
    if (now > this.#deadline) throw new PromqlError('timeout', `query timed out in ${stage}`);
  }
}
