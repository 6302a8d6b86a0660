import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { type Clock, LabError, type Logger, messageOf } from '@kind-e2e/base';
import type { AgentEvent, Command } from './protocol.ts';
import { runOperation } from './run-operation.ts';

export interface AgentOptions {
  /** `http://jenkins.jenkins:8080` */
  readonly controller: string;
  readonly token: string;
  readonly name: string;
  readonly labels: readonly string[];
  /** How many builds it takes at once. Default 2. */
  readonly executors?: number;
  /** Folder of its workspaces. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly logger: Logger;
}

const OUTPUT_WAIT_MS = 50;
const RECONNECT = { initialMs: 200, maxMs: 5_000 };

/** Connects to the controller, again and again until disposed, and does what it says. */
export async function startAgent(options: AgentOptions): Promise<AsyncDisposable> {
  await mkdir(options.root, { recursive: true });
  const ended = new AbortController();
  const loop = runAgent(options, ended.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort(new LabError('the agent ends', { code: 'AGENT_ENDS', side: 'internal' }));
      await loop;
    },
  };
}

async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  let waitMs = RECONNECT.initialMs;
  while (!signal.aborted) {
    try {
      await runConnection(options, signal, () => {
        waitMs = RECONNECT.initialMs;
        logger.info('agent connected', { name: options.name, controller: options.controller });
      });
    } catch (error) {
      if (!signal.aborted) logger.warn('agent has no controller', { name: options.name, reason: messageOf(error) });
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
    waitMs = Math.min(RECONNECT.maxMs, waitMs * 2);
  }
}

/** One connection: until it ends, or the signal aborts. All that runs then ends too. */
async function runConnection(options: AgentOptions, signal: AbortSignal, connected: () => void): Promise<void> {
  const query = new URLSearchParams({
    name: options.name,
    labels: options.labels.join(' '),
    root: options.root,
    path: options.env.PATH ?? '',
    executors: String(options.executors ?? 2),
  });
  const running = new Map<number, AbortController>();
  const outbox = new Outbox(options);
  const work = new Set<Promise<void>>();
  try {
    await new Promise<void>((done, fail) => {
      const asked = request(
        `${options.controller}/agent/v1/commands?${query}`,
        { headers: { authorization: `Bearer ${options.token}` }, signal, agent: false },
        (answer) => {
          if (answer.statusCode !== 200) {
            answer.resume();
            fail(new LabError(`the controller answered ${answer.statusCode}`, { code: 'AGENT_REFUSED', side: 'user' }));
            return;
          }
          connected();
          const lines = createInterface({ input: answer });
          lines.on('line', (line) => {
            const command = JSON.parse(line) as Command;
            if (command.kind === 'cancel') running.get(command.id)?.abort();
            if (command.kind !== 'run') return;
            const { id, operation } = command;
            const own = new AbortController();
            running.set(id, own);
            const context = {
              root: options.root,
              env: options.env,
              signal: own.signal,
              output: (text: string) => outbox.add({ kind: 'output', id, text }),
            };
            const one = runOperation(operation, context).then((result) => {
              running.delete(id);
              outbox.add({ kind: 'done', id, result });
              work.delete(one);
            });
            work.add(one);
          });
          // A lost connection is told by both.
          lines.once('error', fail);
          answer.once('error', fail);
          answer.once('close', done);
        },
      );
      asked.once('error', fail);
      asked.end();
    });
  } finally {
    for (const own of running.values()) own.abort();
    await Promise.all(work);
    outbox.close();
  }
}

/** Sends events in order, several in one request. */
class Outbox {
  readonly #options: AgentOptions;
  #waiting: AgentEvent[] = [];
  #sending = false;
  #closed = false;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  add(event: AgentEvent): void {
    this.#waiting.push(event);
    if (!this.#sending) void this.#send();
  }

  close(): void {
    this.#closed = true;
  }

  async #send(): Promise<void> {
    this.#sending = true;
    const { controller, token, name, clock, logger } = this.#options;
    while (this.#waiting.length > 0 && !this.#closed) {
      const events = this.#waiting;
      this.#waiting = [];
      try {
        const answer = await fetch(`${controller}/agent/v1/events?name=${encodeURIComponent(name)}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: events.map((event) => JSON.stringify(event)).join('\n'),
        });
        await answer.body?.cancel();
      } catch (error) {
        logger.warn('events could not be sent', { name, reason: messageOf(error) });
      }
      if (events.every((event) => event.kind === 'output')) await clock.sleep(OUTPUT_WAIT_MS).catch(() => undefined);
    }
    this.#sending = false;
  }
}
