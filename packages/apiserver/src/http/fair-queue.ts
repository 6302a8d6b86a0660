import { tooManyRequests } from '@kind-e2e/kube-api';

/** Requests worked on at once, by all users and by one; what is more waits in the user's own queue. */
const MAX_RUNNING = 96;
const MAX_RUNNING_PER_USER = 32;
/** A user with this many waiting is told to come back. */
const MAX_WAITING_PER_USER = 1_000;
const RETRY_AFTER_SECONDS = 1;

interface Flow {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Shares the server among users (API priority and fairness, with one flow a user): each user's requests wait in line
 * of their own, and the lines are served in turn, so that a flood delays the one who makes it.
 */
export class FairQueue {
  readonly #flows = new Map<string, Flow>();
  #running = 0;
  #rejected = 0;

  get running(): number {
    return this.#running;
  }

  get rejected(): number {
    return this.#rejected;
  }

  get waiting(): number {
    let count = 0;
    for (const flow of this.#flows.values()) count += flow.waiting.length;
    return count;
  }

  /** Resolves when it is the user's turn; the caller gives the seat back. Throws 429 where the line is too long. */
  async enter(user: string): Promise<Disposable> {
    let flow = this.#flows.get(user);
    if (!flow) {
      flow = { running: 0, waiting: [] };
      this.#flows.set(user, flow);
    }
    if (this.#running >= MAX_RUNNING || flow.running >= MAX_RUNNING_PER_USER || flow.waiting.length > 0) {
      if (flow.waiting.length >= MAX_WAITING_PER_USER) {
        this.#rejected++;
        throw tooManyRequests('too many requests, please try again later', RETRY_AFTER_SECONDS);
      }
      const line = flow.waiting;
      await new Promise<void>((resolve) => line.push(resolve));
    } else this.#take(flow);
    let isHeld = true;
    const held = flow;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#give(user, held);
      },
    };
  }

  #take(flow: Flow): void {
    flow.running++;
    this.#running++;
  }

  #give(user: string, flow: Flow): void {
    flow.running--;
    this.#running--;
    if (flow.running === 0 && flow.waiting.length === 0) this.#flows.delete(user);
    this.#serveNext();
  }

  /** One request of each line in turn: the line that was served goes to the end. */
  #serveNext(): void {
    for (const [user, flow] of this.#flows) {
      if (this.#running >= MAX_RUNNING) return;
      if (flow.running >= MAX_RUNNING_PER_USER) continue;
      const next = flow.waiting.shift();
      if (!next) continue;
      this.#take(flow);
      this.#flows.delete(user);
      this.#flows.set(user, flow);
      next();
    }
  }
}
