/**
 * The data plane as a process.
 *
 * | variable | what |
 * |---|---|
 * | `DISCOVERY_ADDRESS` | `host:port` of the mesh's control half |
 * | `TOKEN_FILE` | service account token; default the usual place in a pod |
 * | `SNAPSHOT_FILE` | where the last snapshot is kept; none: not kept |
 * | `POD_LOG_DIR` | folder of the pods' logs, for access logs; none: they are not written |
 * | `LOG_LEVEL` | default info |
 */
import { readFileSync } from 'node:fs';
import { createLogger, type LogLevel, systemClock } from '@kind-e2e/base';
import { followSnapshots } from './discovery/follow.ts';
import { startProxy } from './proxy/proxy.ts';
import { PodLogWriter } from './telemetry/pod-log-writer.ts';

const DEFAULT_TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const { env } = process;
const logger = createLogger({ level: (env.LOG_LEVEL ?? 'info') as LogLevel });
const address = env.DISCOVERY_ADDRESS;
if (address === undefined) {
  logger.error('DISCOVERY_ADDRESS is not set: host:port of the mesh discovery');
  process.exit(2);
}
const tokenFile = env.TOKEN_FILE ?? DEFAULT_TOKEN_FILE;
const stop = new AbortController();
const podLogs =
  env.POD_LOG_DIR === undefined ? undefined : new PodLogWriter({ folder: env.POD_LOG_DIR, clock: systemClock, logger });
const proxy = startProxy({
  logger,
  ...(podLogs ? { accessLog: podLogs.write } : {}),
  snapshots: followSnapshots({
    address: address.includes('://') ? address : `http://${address}`,
    token: () => readFileSync(tokenFile, 'utf8').trim(),
    clock: systemClock,
    logger,
    signal: stop.signal,
    ...(env.SNAPSHOT_FILE === undefined ? {} : { cacheFile: env.SNAPSHOT_FILE }),
  }),
});

async function end(signal: string): Promise<void> {
  logger.info('data plane ends', { signal });
  stop.abort();
  await proxy[Symbol.asyncDispose]();
  await podLogs?.[Symbol.asyncDispose]();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(signal));
// One broken connection must not take every sidecar with it.
process.on('uncaughtException', (error) => logger.error('uncaught error', { error }));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));
logger.info('data plane started', { discovery: address });
