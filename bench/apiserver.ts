/**
 * The API server alone, in a process of its own: creates and gets over 8 TLS connections, a list of 3,000 ConfigMaps,
 * and the time from a create to its event with 100 watchers, which are a third process. Beside each figure stands what
 * kube-apiserver 1.36 with etcd and its controller manager gave on two such cores.
 *
 *   node bench/apiserver.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { BENCH_TOKEN, startServerProcess } from './support/api-server-process.ts';
import { sharedNow, startWatchers } from './support/watchers.ts';

const CONNECTIONS = 8;
const OBJECTS = 3_000;
const GETS = 10_000;
const LISTS = 20;
const WATCHERS = 100;
const WRITES_PER_SECOND = 1_000;
const WATCH_SECONDS = 5;
/** Work before measuring, of creates and of watches, so that it is compiled code that is measured. */
const WARM_UP = 1_000;

/** kube-apiserver's figures. */
const PEER = { createsPerSecond: 720, getsPerSecond: 1_200, listMs: 75, eventP50Ms: 11, eventP99Ms: 47, memoryMb: 670 };

const COLLECTION = '/api/v1/namespaces/default/configmaps';

const folder = mkdtempSync(join(tmpdir(), 'bench-apiserver-'));
try {
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  await using server = await startServerProcess(join(folder, 'api.db'));
  const pool = new Pool(server.url, { connections: CONNECTIONS, connect: { rejectUnauthorized: false } });
  const headers = { authorization: `Bearer ${BENCH_TOKEN}`, 'content-type': 'application/json' };
  const ask = async (method: 'GET' | 'POST', path: string, body: string | null = null): Promise<string> => {
    const answer = await pool.request({ method, path, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`);
    return text;
  };
  const create = (name: string, isTimed = false): Promise<unknown> => ask('POST', COLLECTION, configMap(name, isTimed));

  console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  row('', 'here', 'peer', 'ratio');
  row('ready after, ms', String(server.readyMs));
  await inParallel(WARM_UP, (i) => create(`warm-${i}`));
  await higher(
    'creates a second, durable, 8 connections',
    PEER.createsPerSecond,
    await inParallel(OBJECTS, (i) => create(`c${i}`)),
  );
  await higher(
    'gets a second, 8 connections',
    PEER.getsPerSecond,
    await inParallel(GETS, (i) => ask('GET', `${COLLECTION}/c${i % OBJECTS}`)),
  );
  const listMs: number[] = [];
  for (let i = 0; i < LISTS; i++) {
    const start = performance.now();
    await ask('GET', `${COLLECTION}?limit=${OBJECTS}`);
    listMs.push(performance.now() - start);
  }
  lower(`list of ${OBJECTS} ConfigMaps, median ms`, PEER.listMs, quantile(listMs, 0.5));

  const page = JSON.parse(await ask('GET', `${COLLECTION}?limit=1`)) as { metadata: { resourceVersion: string } };
  const { resourceVersion } = page.metadata;
  const before = await server.use();
  // From now on: without a revision a watch begins with all there is.
  const query = `watch=1&resourceVersion=${resourceVersion}`;
  const { ms, perSecond, seconds } = await watchLatencies(`${server.url}${COLLECTION}?${query}`, create);
  const after = await server.use();
  lower(`create to event, p50 ms, ${WATCHERS} watchers, ${perSecond.toFixed(0)}/s`, PEER.eventP50Ms, quantile(ms, 0.5));
  lower('create to event, p99 ms', PEER.eventP99Ms, quantile(ms, 0.99));
  row('  CPU of the server meanwhile, share of a core', ((after.cpuMs - before.cpuMs) / seconds / 1_000).toFixed(2));
  lower('memory of the process at the end, MB', PEER.memoryMb, after.rssMb);
  await pool.destroy();

  async function higher(
    what: string,
    peer: number,
    { perSecond, cpuMs }: { perSecond: number; cpuMs: number },
  ): Promise<void> {
    row(what, perSecond.toFixed(0), String(peer), `× ${(perSecond / peer).toFixed(1)}`);
    row('  CPU of the server for each, µs', (cpuMs * 1_000).toFixed(0));
  }

  async function inParallel(
    count: number,
    one: (index: number) => Promise<unknown>,
  ): Promise<{ perSecond: number; cpuMs: number }> {
    let next = 0;
    const before = await server.use();
    const start = performance.now();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let index = next++; index < count; index = next++) await one(index);
      }),
    );
    const perSecond = (count * 1_000) / (performance.now() - start);
    const after = await server.use();
    return { perSecond, cpuMs: (after.cpuMs - before.cpuMs) / count };
  }
}

/** From each create to its events, once the watches are warm. */
async function watchLatencies(
  url: string,
  create: (name: string, isTimed: boolean) => Promise<unknown>,
): Promise<{ readonly ms: readonly number[]; readonly perSecond: number; readonly seconds: number }> {
  const watchers = await startWatchers(url, WATCHERS);
  const total = WRITES_PER_SECOND * WATCH_SECONDS;
  await atRate(WARM_UP, (i) => create(`v${i}`, false));
  const start = performance.now();
  await atRate(total, (i) => create(`w${i}`, true));
  const seconds = (performance.now() - start) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { ms, measuring } = await watchers.result();
  if (ms.length !== total * measuring)
    throw new Error(`${measuring} watchers saw ${ms.length} events of ${total * measuring}`);
  return { ms, perSecond: total / seconds, seconds };
}

/** At a steady rate, whether or not answers come: what waits for a connection counts. */
async function atRate(total: number, one: (index: number) => Promise<unknown>): Promise<void> {
  const start = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * WRITES_PER_SECOND) / 1_000));
    for (; sent < due; sent++) pending.push(one(sent));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
}

function configMap(name: string, isTimed: boolean): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { app: 'bench' } },
    data: { key: 'value '.repeat(30), ...(isTimed ? { at: String(sharedNow()) } : {}) },
  });
}

function lower(what: string, peer: number, ours: number): void {
  row(what, ours.toFixed(ours < 100 ? 1 : 0), String(peer), `× ${(peer / ours).toFixed(1)}`);
}

function row(what: string, ours: string, peer = '', ratio = ''): void {
  console.log(`${what.padEnd(54)}${ours.padStart(9)}${peer.padStart(9)}${ratio.padStart(9)}`);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
