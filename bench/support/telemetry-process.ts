/**
 * The observability process without a cluster: stores, receivers, query APIs, span metrics and rules, as
 * `packages/embedded/src/observability` wires them. Bundled before it runs, as the lab's is.
 *
 *     node telemetry-process.mjs <directory>
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { MemoryTrimmer, silentLogger, systemClock } from '@kind-e2e/base';
import { createQueryApi, listen } from '@kind-e2e/query-api';
import {
  createReceiver,
  listenGrpc,
  openTelemetryStore,
  RuleEngine,
  readOtlpJsonTraces,
  SpanMetrics,
} from '@kind-e2e/telemetry-store';

/** What the process says of its memory, in bytes. */
export interface MemorySplit extends NodeJS.MemoryUsage {
  readonly spaces: Readonly<Record<string, { readonly used: number; readonly committed: number }>>;
}

function memorySplit(): MemorySplit {
  const spaces = getHeapSpaceStatistics().map(
    ({ space_name, space_used_size, physical_space_size }) =>
      [space_name, { used: space_used_size, committed: physical_space_size }] as const,
  );
  return { ...process.memoryUsage(), spaces: Object.fromEntries(spaces) };
}

const directory = process.argv[2] ?? '';
const began = performance.now();
const store = openTelemetryStore({ directory, retention: 'off' });
const trimmer = new MemoryTrimmer({ clock: systemClock, logger: silentLogger, busyBytes: 144 * 1024 * 1024 });
const rules = new RuleEngine({ metrics: store.metrics, files: [], alertmanagers: [] });
const spanMetrics = new SpanMetrics({ traces: store.traces, writer: store.metrics });
const api = createQueryApi({ ...store, rules, readOtlpTraces: readOtlpJsonTraces });
const server = await listen({
  addresses: [{ host: '127.0.0.1', port: 0 }],
  handlers: [createReceiver({ store }), api.handle],
});
const openMs = performance.now() - began;
const grpc = await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port: 0 }] });
console.log(`${server.addresses[0]?.port} ${grpc.addresses[0]?.port} ${openMs}`);
process.on('message', () => process.send?.(memorySplit()));
process.on('SIGTERM', () => {
  trimmer[Symbol.dispose]();
  void Promise.all([server, grpc, spanMetrics, rules].map((part) => part[Symbol.asyncDispose]()))
    .then(() => store.close())
    .then(() => process.exit(0));
});
