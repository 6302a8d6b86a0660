import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disposer, silentLogger, systemClock } from '@kind-e2e/base';
import { createKubeClient } from '@kind-e2e/kube-client';
import type { Credential } from '../src/build/credentials.ts';
import {
  type BuildRecord,
  type BuildRequest,
  type RunningPipelines,
  startAgent,
  startPipelines,
} from '../src/index.ts';

const TOKEN = 'test-token';

/** A controller with its HTTP server and three agents in this process. */
export class Harness implements AsyncDisposable {
  readonly disposer = new Disposer();
  readonly lines: string[] = [];
  readonly credentials = new Map<string, Credential>();
  folder = '';
  url = '';
  otlpEndpoint: string | undefined;
  controller: RunningPipelines | undefined;

  static async start(options: { otlpEndpoint?: string; agents?: number } = {}): Promise<Harness> {
    const harness = new Harness();
    harness.otlpEndpoint = options.otlpEndpoint;
    harness.folder = await mkdtemp(join(tmpdir(), 'pipelines-'));
    harness.disposer.defer(() => rm(harness.folder, { recursive: true, force: true, maxRetries: 5 }));
    const server = createServer((request, response) => {
      if (!harness.controller?.handle(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    harness.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    harness.disposer.defer(() => {
      server.closeAllConnections();
      return new Promise<void>((done) => server.close(() => done()));
    });
    await harness.open();
    for (let number = 1; number <= (options.agents ?? 3); number++)
      harness.disposer.use(
        await startAgent({
          controller: harness.url,
          token: TOKEN,
          name: `agent-${number}`,
          labels: ['linux', `n${number}`],
          root: join(harness.folder, `agent-${number}`),
          env: { PATH: process.env.PATH },
          clock: systemClock,
          logger: silentLogger,
        }),
      );
    await harness.until(
      () => harness.pipelines.agents.agents.filter((agent) => agent.isOnline).length === (options.agents ?? 3),
    );
    return harness;
  }

  get pipelines() {
    if (!this.controller) throw new Error('closed');
    return this.controller.pipelines;
  }

  async open(): Promise<void> {
    this.controller = startPipelines({
      client: createKubeClient({ server: 'https://127.0.0.1:1' }),
      dataDirectory: join(this.folder, 'data'),
      agentToken: TOKEN,
      ...(this.otlpEndpoint === undefined ? {} : { otlpEndpoint: this.otlpEndpoint }),
      credentials: {
        read: async (id) => {
          const found = this.credentials.get(id);
          if (!found) throw new Error(`Could not find credentials entry with ID '${id}'`);
          return found;
        },
      },
      writeLine: (line) => this.lines.push(line),
      clock: systemClock,
      logger: silentLogger,
    });
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 1_500; attempt++) {
      if (await condition()) return;
      await new Promise((done) => setTimeout(done, 10));
    }
    throw new Error('the condition never held');
  }

  async started(job: string, request: Partial<BuildRequest> = {}): Promise<number> {
    const item = this.pipelines.request(job, {
      cause: { kind: 'UserIdCause', text: 'Started by user admin' },
      ...request,
    });
    await this.until(() => item.build !== undefined);
    return item.build ?? 0;
  }

  async run(
    script: string,
    request: Partial<BuildRequest> = {},
    job = 'job',
  ): Promise<{ record: BuildRecord; log: string }> {
    this.pipelines.define({ name: job, script });
    return this.end(job, await this.started(job, request));
  }

  async end(job: string, number: number): Promise<{ record: BuildRecord; log: string }> {
    await this.pipelines.finished(job, number);
    const record = this.pipelines.build(job, number);
    if (!record) throw new Error('no build');
    const answer = await fetch(`${this.url}/jenkins/job/${job}/${number}/consoleText`);
    return { record, log: await answer.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller?.[Symbol.asyncDispose]();
    await this.disposer[Symbol.asyncDispose]();
  }
}
