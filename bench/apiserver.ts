/**
 * The API server alone, in a process of its own: creates and gets over 8 TLS connections, a list of 3,000 ConfigMaps,
 * and the time from a create to its event with 100 watchers. Beside each figure stands what kube-apiserver 1.36 with
 * etcd gave on the same two cores.
 *
 *   node bench/apiserver.ts
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApiServer } from '@kind-e2e/apiserver';
import { createAuthority } from '@kind-e2e/pki';

const TOKEN = 'bench-token';
const CONNECTIONS = 8;
const OBJECTS = 3_000;
const GETS = 10_000;
const WATCHERS = 100;
const WRITES_PER_SECOND = 1_000;
const WATCH_SECONDS = 5;

if (process.argv[2] === 'server') await serve(process.argv[3] ?? '');
else await measure();

async function serve(dataFile: string): Promise<void> {
  const authority = createAuthority({ commonName: 'bench' });
  const tls = authority.issue({
    subject: { commonName: 'bench' },
    altNames: { ipAddresses: ['127.0.0.1'] },
    use: 'server',
  });
  const server = await createApiServer({
    dataFile,
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    tokens: [{ token: TOKEN, user: 'bench', groups: ['system:masters'] }],
  });
  process.send?.({ url: server.url, readyMs: Math.round(performance.now()) });
  process.on('message', (message) => {
    if (message === 'memory') process.send?.({ rssMb: Math.round(process.memoryUsage.rss() / 1e6) });
    if (message === 'cpu') process.send?.(process.cpuUsage());
  });
  process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-apiserver-'));
  const child = fork(fileURLToPath(import.meta.url), ['server', join(folder, 'api.db')], {
    execArgv: process.env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const [ready] = (await once(child, 'message')) as [{ url: string; readyMs: number }];
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false });
    const base = `${ready.url}/api/v1/namespaces/default/configmaps`;
    const ask = (path: string, options: RequestOptions = {}, body?: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const sent = request(
          path,
          {
            agent,
            ...options,
            headers: {
              authorization: `Bearer ${TOKEN}`,
              'content-type': 'application/json',
              accept: 'application/json',
            },
          },
          (response) => {
            let text = '';
            response.setEncoding('latin1');
            response.on('data', (chunk: string) => {
              text += chunk;
            });
            response.on('end', () =>
              (response.statusCode ?? 500) < 300 ? resolve(text) : reject(new Error(text.slice(0, 300))),
            );
          },
        );
        sent.on('error', reject);
        sent.end(body);
      });
    const configMap = (name: string): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { app: 'bench' } },
        data: { key: 'value '.repeat(30), at: String(performance.timeOrigin + performance.now()) },
      });
    const inParallel = async (count: number, one: (index: number) => Promise<unknown>): Promise<number> => {
      let next = 0;
      const start = performance.now();
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          for (let index = next++; index < count; index = next++) await one(index);
        }),
      );
      return (count * 1000) / (performance.now() - start);
    };
    const created = await inParallel(OBJECTS, (i) => ask(base, { method: 'POST' }, configMap(`c${i}`)));
    const got = await inParallel(GETS, (i) => ask(`${base}/c${i % OBJECTS}`));
    const listMs: number[] = [];
    for (let i = 0; i < 10; i++) {
      const start = performance.now();
      await ask(base);
      listMs.push(performance.now() - start);
    }
    const latencies = await watchLatencies(base, (name) => ask(base, { method: 'POST' }, configMap(name)));
    child.send('memory');
    const [memory] = (await once(child, 'message')) as [{ rssMb: number }];
    const row = (what: string, ours: string, peer: string): void =>
      console.log(`${what.padEnd(46)}${ours.padStart(12)}${peer.padStart(16)}`);
    row('', 'here', 'kube-apiserver');
    row('ready after, ms', String(ready.readyMs), '-');
    row(`creates a second, durable, ${CONNECTIONS} connections`, created.toFixed(0), '720');
    row(`gets a second, ${CONNECTIONS} connections`, got.toFixed(0), '1200');
    row(`list of ${OBJECTS} ConfigMaps, median ms`, quantile(listMs, 0.5).toFixed(1), '75');
    row(
      `create to event, p50 ms (${WATCHERS} watchers, ${latencies.rate.toFixed(0)}/s)`,
      quantile(latencies.ms, 0.5).toFixed(1),
      '11',
    );
    row('create to event, p99 ms', quantile(latencies.ms, 0.99).toFixed(1), '47');
    row('memory of the process at the end, MB', String(memory.rssMb), '670');
    agent.destroy();
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function watchLatencies(
  base: string,
  create: (name: string) => Promise<unknown>,
): Promise<{ readonly ms: number[]; readonly rate: number }> {
  const ms: number[] = [];
  const agent = new Agent({ keepAlive: false, maxSockets: WATCHERS, rejectUnauthorized: false });
  const watchers = await Promise.all(
    Array.from({ length: WATCHERS }, async (_, index) => {
      const sent = request(`${base}?watch=1`, { agent, headers: { authorization: `Bearer ${TOKEN}` } });
      sent.end();
      const [response] = await once(sent, 'response');
      const begun = performance.timeOrigin + performance.now();
      response.setEncoding('latin1');
      response.on('error', () => {});
      // One watcher in ten reads what it gets; all are sent everything.
      response.on('data', (chunk: string) => {
        if (index % 10 !== 0) return;
        const now = performance.timeOrigin + performance.now();
        for (const match of chunk.matchAll(/"at":"([0-9.]+)"/g)) {
          const at = Number(match[1]);
          if (at > begun + 1000) ms.push(now - at);
        }
      });
      return sent;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const start = performance.now();
  const total = WRITES_PER_SECOND * WATCH_SECONDS;
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * WRITES_PER_SECOND) / 1000));
    for (; sent < due; sent++) pending.push(create(`w${sent}`));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(pending);
  const rate = (total * 1000) / (performance.now() - start);
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const watcher of watchers) watcher.destroy();
  agent.destroy();
  return { ms, rate };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
