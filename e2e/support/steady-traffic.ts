/** What became of one request of a steady stream. */
export interface Outcome {
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly text: string;
}

/** Requests at a steady rate until it is stopped; each is answered or counted as failed. */
export class SteadyTraffic {
  readonly #url: string;
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly outcomes: Outcome[] = [];

  constructor(url: string, requestsPerSecond: number) {
    this.#url = url;
    const startedAt = performance.now();
    let sent = 0;
    // Sends what is due by now, so that a late timer does not lower the rate.
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * requestsPerSecond);
      for (; sent < due; sent++) this.#send();
    }, 1_000 / requestsPerSecond);
  }

  #send(): void {
    const request = this.#one().then((outcome) => void this.outcomes.push(outcome));
    this.#open.add(request);
    request.finally(() => this.#open.delete(request));
  }

  async #one(): Promise<Outcome> {
    try {
      const answer = await fetch(this.#url, { headers: { accept: 'application/json' } });
      return { status: answer.status, error: undefined, text: await answer.text() };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return { status: undefined, error: `${error}${cause}`, text: '' };
    }
  }

  get failures(): readonly Outcome[] {
    return this.outcomes.filter((outcome) => outcome.status !== 200);
  }

  /** Sends no more and waits for the open ones. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }
}
