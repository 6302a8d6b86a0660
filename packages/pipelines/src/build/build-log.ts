import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '@kind-e2e/base';

export interface LineContext {
  readonly stage: string | undefined;
  readonly spanId: string;
  readonly timestamps: boolean;
}

export interface BuildLogOptions {
  readonly file: string;
  readonly job: string;
  readonly number: number;
  readonly traceId: string;
  readonly clock: Clock;
  /** Takes each line for the pod's own log, with the ids of the trace. */
  readonly write: (line: string) => void;
}

const MASK = '****';

/** A build's console log: whole lines, secrets masked, on disk before anyone sees them. */
export class BuildLog {
  readonly #options: BuildLogOptions;
  readonly #secrets = new Set<string>();
  #masks: readonly string[] = [];

  constructor(options: BuildLogOptions) {
    this.#options = options;
    mkdirSync(dirname(options.file), { recursive: true });
    appendFileSync(options.file, '');
  }

  /** From now on these never stand in the log; each line of a secret counts, and its base64 form. */
  mask(secret: string): void {
    for (const line of [secret, ...secret.split('\n')]) {
      if (line.trim().length === 0) continue;
      this.#secrets.add(line);
      this.#secrets.add(Buffer.from(line).toString('base64'));
    }
    this.#masks = [...this.#secrets].sort((a, b) => b.length - a.length);
  }

  masked(text: string): string {
    let result = text;
    for (const secret of this.#masks) result = result.replaceAll(secret, MASK);
    return result;
  }

  line(text: string, context: LineContext): void {
    const { file, job, number, traceId, clock, write } = this.#options;
    const lines = this.masked(text).split('\n');
    const time = context.timestamps ? `[${new Date(clock.now()).toISOString()}] ` : '';
    appendFileSync(file, lines.map((line) => `${time}${line}\n`).join(''));
    const stage = context.stage === undefined ? '' : ` stage=${JSON.stringify(context.stage)}`;
    for (const line of lines)
      write(`trace_id=${traceId} span_id=${context.spanId} job=${JSON.stringify(job)} build=${number}${stage} ${line}`);
  }

  /** Turns chunks of output into lines; `end` writes what has no line end. */
  stream(context: LineContext): { write: (text: string) => void; end: () => void } {
    let rest = '';
    return {
      write: (text) => {
        const cut = (rest + text).lastIndexOf('\n');
        const all = rest + text;
        if (cut === -1) {
          rest = all;
          return;
        }
        rest = all.slice(cut + 1);
        this.line(all.slice(0, cut), context);
      },
      end: () => {
        if (rest !== '') this.line(rest, context);
        rest = '';
      },
    };
  }
}
