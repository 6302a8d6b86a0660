import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { type Clock, LabError, type Logger } from '@kind-e2e/base';
import type { AgentEvent, Command, Operation, OperationResult } from '../agent/protocol.ts';

/** An executor of an agent, with a workspace of its own, for as long as a stage needs it. */
export interface Lease extends Disposable {
  readonly agentName: string;
  /** Absolute path on the agent. */
  readonly workspace: string;
  readonly executor: number;
  /** `PATH` of what runs there. */
  readonly path: string;
  run(operation: Operation, run: { output: (text: string) => void; signal: AbortSignal }): Promise<OperationResult>;
}

export interface AgentState {
  readonly name: string;
  readonly labels: readonly string[];
  readonly executors: number;
  readonly busy: number;
  readonly isOnline: boolean;
  /** Why somebody took it out of service; builds leave it alone until it is back. */
  readonly offlineCause: string | undefined;
}

interface Running {
  readonly output: (text: string) => void;
  readonly done: (result: OperationResult) => void;
}

interface Agent {
  readonly name: string;
  readonly labels: readonly string[];
  readonly root: string;
  readonly path: string;
  readonly executors: number;
  readonly busy: Set<number>;
  readonly workspaces: Set<string>;
  readonly running: Map<number, Running>;
  readonly send: (command: Command) => void;
  readonly close: () => void;
  isOnline: boolean;
}

interface Waiting {
  readonly label: string | undefined;
  readonly job: string;
  readonly take: (lease: Lease) => void;
}

const PING_MS = 10_000;

/** The agents that are connected, and who waits for one. */
export class AgentPool implements Disposable {
  readonly #token: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #agents = new Map<string, Agent>();
  readonly #offline = new Map<string, string>();
  #waiting: Waiting[] = [];
  #nextId = 1;
  #ping: Disposable | undefined;

  constructor(options: { token: string; clock: Clock; logger: Logger }) {
    this.#token = options.token;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Requests of agents; false for any other. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', 'http://controller');
    if (!url.pathname.startsWith('/agent/v1/')) return false;
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.#token}`);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      response.writeHead(401).end();
    } else if (url.pathname === '/agent/v1/commands' && request.method === 'GET') {
      this.#connect(url.searchParams, response);
    } else if (url.pathname === '/agent/v1/events' && request.method === 'POST') {
      const agent = this.#agents.get(url.searchParams.get('name') ?? '');
      const lines = createInterface({ input: request });
      lines.on('line', (line) => agent && line !== '' && this.#receive(agent, JSON.parse(line) as AgentEvent));
      lines.once('error', () => response.destroy());
      lines.once('close', () => response.writeHead(204).end());
    } else response.writeHead(404).end();
    return true;
  }

  #connect(query: URLSearchParams, response: ServerResponse): void {
    const name = query.get('name') ?? '';
    this.#agents.get(name)?.close();
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    const agent: Agent = {
      name,
      labels: (query.get('labels') ?? '').split(' ').filter((label) => label !== ''),
      root: query.get('root') ?? '',
      path: query.get('path') ?? '',
      executors: Number(query.get('executors') ?? '1'),
      busy: new Set(),
      workspaces: new Set(),
      running: new Map(),
      send: (command) => void response.write(`${JSON.stringify(command)}\n`),
      close: () => response.destroy(),
      isOnline: true,
    };
    this.#agents.set(name, agent);
    response.once('close', () => {
      agent.isOnline = false;
      for (const running of agent.running.values())
        running.done({ code: -1, error: `the connection to ${name} was lost` });
      agent.running.clear();
      this.#logger.info('agent disconnected', { agent: name });
    });
    this.#logger.info('agent connected', { agent: name });
    this.#ping ??= this.#pingLater();
    this.#serve();
  }

  #pingLater(): Disposable {
    return this.#clock.after(PING_MS, () => {
      for (const agent of this.#agents.values()) if (agent.isOnline) agent.send({ kind: 'ping' });
      this.#ping = this.#pingLater();
    });
  }

  #receive(agent: Agent, event: AgentEvent): void {
    const running = agent.running.get(event.id);
    if (!running) return;
    if (event.kind === 'output') {
      running.output(event.text);
      return;
    }
    agent.running.delete(event.id);
    running.done(event.result);
  }

  get agents(): readonly AgentState[] {
    return [...this.#agents.values()].map(({ name, labels, executors, busy, isOnline }) => ({
      offlineCause: this.#offline.get(name),
      name,
      labels,
      executors,
      busy: busy.size,
      isOnline,
    }));
  }

  /** Takes an agent out of service with a reason, or puts it back. What runs on it goes on. */
  setOffline(name: string, cause: string | undefined): void {
    if (cause === undefined) this.#offline.delete(name);
    else this.#offline.set(name, cause);
    this.#serve();
  }

  /** An executor of an agent with the label; waits until there is one. */
  acquire(label: string | undefined, job: string, signal: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        label,
        job,
        take: (lease) => {
          signal.removeEventListener('abort', abort);
          resolve(lease);
        },
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiting);
      this.#serve();
    });
  }

  /** Why nobody takes it: for the build's log. */
  describeWait(label: string | undefined): string | undefined {
    const able = [...this.#agents.values()].filter((agent) => this.#isUsable(agent) && hasLabel(agent, label));
    if (able.length === 0)
      return label === undefined ? 'no agent is online' : `there are no agents with the label "${label}"`;
    if (able.every((agent) => agent.busy.size >= agent.executors)) return 'waiting for the next free executor';
    return undefined;
  }

  #isUsable(agent: Agent): boolean {
    return agent.isOnline && !this.#offline.has(agent.name);
  }

  #serve(): void {
    for (const waiting of [...this.#waiting]) {
      const [agent] = [...this.#agents.values()]

        .filter((one) => this.#isUsable(one) && one.busy.size < one.executors && hasLabel(one, waiting.label))
        .sort((a, b) => a.busy.size - b.busy.size || a.name.localeCompare(b.name));
      if (!agent) continue;
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      waiting.take(this.#lease(agent, waiting.job));
    }
  }

  #lease(agent: Agent, job: string): Lease {
    let executor = 0;
    while (agent.busy.has(executor)) executor++;
    agent.busy.add(executor);
    let workspace = `${agent.root}/${job}`;
    for (let copy = 2; agent.workspaces.has(workspace); copy++) workspace = `${agent.root}/${job}@${copy}`;
    agent.workspaces.add(workspace);
    return {
      agentName: agent.name,
      workspace,
      executor,
      path: agent.path,
      run: (operation, run) => this.#run(agent, operation, run),
      [Symbol.dispose]: () => {
        agent.busy.delete(executor);
        agent.workspaces.delete(workspace);
        this.#serve();
      },
    };
  }

  #run(
    agent: Agent,
    operation: Operation,
    run: { output: (text: string) => void; signal: AbortSignal },
  ): Promise<OperationResult> {
    run.signal.throwIfAborted();
    if (!agent.isOnline)
      throw new LabError(`the agent ${agent.name} is offline`, { code: 'AGENT_OFFLINE', side: 'internal' });
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const cancel = (): void => agent.send({ kind: 'cancel', id });
      run.signal.addEventListener('abort', cancel, { once: true });
      agent.running.set(id, {
        output: run.output,
        done: (result) => {
          run.signal.removeEventListener('abort', cancel);
          resolve(result);
        },
      });
      agent.send({ kind: 'run', id, operation });
    });
  }

  [Symbol.dispose](): void {
    this.#ping?.[Symbol.dispose]();
    for (const agent of this.#agents.values()) agent.close();
  }
}

function hasLabel(agent: Agent, label: string | undefined): boolean {
  if (label === undefined || label === '') return true;
  return label
    .split('||')
    .some((any) => any.split('&&').every((one) => agent.name === one.trim() || agent.labels.includes(one.trim())));
}
