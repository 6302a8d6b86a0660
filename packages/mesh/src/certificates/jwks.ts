import { type Clock, type Logger, messageOf } from '@kind-e2e/base';

const REFRESH_MS = 20 * 60_000;
const RETRY_MS = 10_000;
const TIMEOUT_MS = 5_000;

/** Fetches key sets by URI, as istiod does on behalf of the proxies, every 20 minutes. */
export class JwksFetcher implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onChange: () => void;
  readonly #known = new Map<string, { text: string | undefined; fetchedAt: number }>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: { clock: Clock; logger: Logger; onChange: () => void }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onChange = options.onChange;
  }

  /** The key set, if it was ever fetched; asks for it in the background where it is missing or old. */
  readonly get = (uri: string): string | undefined => {
    const entry = this.#known.get(uri);
    const age = this.#clock.now() - (entry?.fetchedAt ?? 0);
    const due = entry === undefined || age > (entry.text === undefined ? RETRY_MS : REFRESH_MS);
    if (due && !this.#running.has(uri))
      this.#running.set(
        uri,
        this.#fetch(uri).finally(() => this.#running.delete(uri)),
      );
    return entry?.text;
  };

  async #fetch(uri: string): Promise<void> {
    const before = this.#known.get(uri)?.text;
    let text = before;
    try {
      const response = await fetch(uri, {
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      const body = await response.text();
      JSON.parse(body);
      text = body;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#logger.warn('key set could not be fetched', { uri, reason: messageOf(error) });
      this.#clock.after(RETRY_MS, () => this.get(uri));
    }
    this.#known.set(uri, { text, fetchedAt: this.#clock.now() });
    if (text !== before) this.#onChange();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running.values());
  }
}
