import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import type { AccessLogWriter } from '../proxy/workload.ts';

const FLUSH_MS = 100;
const MAX_WAITING_LINES = 20_000;

/** Writes access logs where a kubelet would write those of a container `istio-proxy`, in CRI format, in batches. */
export class PodLogWriter implements AsyncDisposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #waiting = new Map<string, string[]>();
  #lines = 0;
  #dropped = 0;
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #made = new Set<string>();

  constructor(options: { folder: string; clock: Clock; logger: Logger }) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  readonly write: AccessLogWriter = (workload, line) => {
    if (workload.uid === undefined) return;
    if (this.#lines >= MAX_WAITING_LINES) {
      this.#dropped++;
      return;
    }
    const file = join(this.#folder, `${workload.namespace}_${workload.name}_${workload.uid}`, 'istio-proxy', '0.log');
    const entry = `${new Date(this.#clock.now()).toISOString().replace('Z', '000000Z')} stdout F ${line}\n`;
    const lines = this.#waiting.get(file);
    if (lines) lines.push(entry);
    else this.#waiting.set(file, [entry]);
    this.#lines++;
    this.#timer ??= this.#clock.after(FLUSH_MS, () => this.#flush());
  };

  #flush(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#lines = 0;
    if (this.#dropped > 0) this.#logger.warn('access log lines dropped', { lines: this.#dropped });
    this.#dropped = 0;
    this.#writing = this.#writing.then(async () => {
      for (const [file, lines] of batch)
        try {
          if (!this.#made.has(file)) await mkdir(dirname(file), { recursive: true });
          this.#made.add(file);
          await appendFile(file, lines.join(''));
        } catch (error) {
          this.#made.delete(file);
          this.#logger.warn('access log not written', { file, reason: messageOf(error) });
        }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    await this.#writing;
  }
}
