import { request } from 'node:http';
import { Backoff, type Clock, type Logger } from '@kind-e2e/base';

/** A span as Zipkin v2 wants it. Times in microseconds. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: 'CLIENT' | 'SERVER';
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string; readonly ipv4?: string; readonly port?: number };
  readonly tags: Readonly<Record<string, string>>;
}

export interface SpanReporterStats {
  reported: number;
  sent: number;
  dropped: number;
  failures: number;
}

const BATCH_SPANS = 500;
const BATCH_DELAY_MS = 100;
const MAX_QUEUED_BATCHES = 40;
const MAX_ATTEMPTS_PER_BATCH = 30;
const TIMEOUT_MS = 5_000;

/**
 * Sends spans in batches to a collector. What cannot be sent waits, up to a bound; beyond it the oldest is dropped and
 * counted. A span is serialised when it is reported, so that nothing of the request is kept.
 */
export class SpanReporter implements AsyncDisposable {
  readonly stats: SpanReporterStats = { reported: 0, sent: 0, dropped: 0, failures: 0 };
  readonly #clock: Clock;
  readonly #logger: Logger;
  #urls: readonly string[] = [];
  #turn = 0;
  #current: string[] = [];
  readonly #queue: { body: string; spans: number }[] = [];
  #timer: Disposable | undefined;
  #sending: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(options: { clock: Clock; logger: Logger }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  setUrls(urls: readonly string[]): void {
    this.#urls = urls;
  }

  report(span: ZipkinSpan): void {
    this.stats.reported++;
    this.#current.push(JSON.stringify(span));
    if (this.#current.length >= BATCH_SPANS) this.#seal();
    else this.#timer ??= this.#clock.after(BATCH_DELAY_MS, () => this.#seal());
  }

  #seal(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#current.length === 0) return;
    this.#queue.push({ body: `[${this.#current.join(',')}]`, spans: this.#current.length });
    this.#current = [];
    while (this.#queue.length > MAX_QUEUED_BATCHES) {
      const oldest = this.#queue.shift();
      this.stats.dropped += oldest?.spans ?? 0;
    }
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
  }

  async #drain(): Promise<void> {
    const backoff = new Backoff({ initialMs: 100, maxMs: 5_000 });
    let attempts = 0;
    while (this.#queue.length > 0) {
      const batch = this.#queue[0];
      const url = this.#urls[this.#turn++ % Math.max(1, this.#urls.length)];
      if (batch === undefined) return;
      if (url === undefined) {
        this.stats.dropped += batch.spans;
        this.#queue.shift();
        continue;
      }
      const outcome = await post(url, batch.body);
      if (outcome === 'sent' || outcome === 'refused' || ++attempts >= MAX_ATTEMPTS_PER_BATCH) {
        if (this.#queue[0] === batch) this.#queue.shift();
        if (outcome === 'sent') this.stats.sent += batch.spans;
        else {
          this.stats.dropped += batch.spans;
          this.#logger.warn('spans dropped', { url, outcome, spans: batch.spans });
        }
        attempts = 0;
        backoff.reset();
        continue;
      }
      this.stats.failures++;
      try {
        await this.#clock.sleep(backoff.next(), this.#stop.signal);
      } catch {
        return;
      }
    }
  }

  /** Tries once more to send what waits, then gives up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#seal();
    const url = this.#urls[0];
    this.#stop.abort();
    await this.#sending;
    if (url === undefined) return;
    for (const batch of this.#queue.splice(0)) if ((await post(url, batch.body)) !== 'sent') return;
  }
}

type PostOutcome = 'sent' | 'refused' | 'failed';

/** A collector that refuses a batch (4xx but 429) would refuse it again. */
function post(url: string, body: string): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        timeout: TIMEOUT_MS,
      },
      (incoming) => {
        incoming.resume();
        incoming.on('error', () => resolve('failed'));
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve('sent');
          else resolve(status >= 400 && status < 500 && status !== 429 && status !== 404 ? 'refused' : 'failed');
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve('failed'));
    outgoing.end(body);
  });
}
