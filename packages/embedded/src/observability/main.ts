import { join } from 'node:path';
import { createLogger, Disposer, type LogLevel, messageOf, systemClock } from '@kind-e2e/base';
import { listen } from '@kind-e2e/query-api';
import { createObservability } from './observability.ts';
import { readSettings } from './settings.ts';

/** The observability process: stores, receivers, scraper, collector, query APIs and the console. Ends on SIGTERM. */
const logger = createLogger({ level: (process.env.LOG_LEVEL ?? 'info') as LogLevel });
process.on('uncaughtException', (error) => logger.error('uncaught error', { error }));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));

/** Ports that the services of istio-system lead to; every one serves every API. */
const POD_PORTS = [3000, 9411, 4318, 5778, 16686, 9090, 3100];

/** kube-state-metrics' own; its `/metrics` is not that of this process. */
const STATE_METRICS_PORT = 8080;

const disposer = new Disposer();
const settings = readSettings(process.env);
const observability = disposer.use(
  await createObservability({
    settings,
    consoleFolder: join(import.meta.dirname, 'console'),
    clock: systemClock,
    logger,
  }),
);
const handlers = { handlers: observability.handlers, upgradeHandlers: observability.upgradeHandlers, logger };
disposer.use(await listen({ ...handlers, addresses: POD_PORTS.map((port) => ({ host: settings.address, port })) }));
disposer.use(
  await listen({
    addresses: [{ host: settings.address, port: STATE_METRICS_PORT }],
    handlers: [observability.stateMetrics],
    logger,
  }),
);
const { zipkin, otlpHttp, jaeger, prometheus, loki } = settings.hostPorts;
for (const port of [zipkin, otlpHttp, jaeger, prometheus, loki]) {
  if (port === 0) continue;
  // The lab does without them: they only let programs outside of the cluster send and ask.
  await listen({ ...handlers, addresses: [{ host: '127.0.0.1', port }] }).then(
    (server) => disposer.use(server),
    (error: unknown) => logger.warn('a port of 127.0.0.1 could not be opened', { port, reason: messageOf(error) }),
  );
}
logger.info('observability started', { address: settings.address, uptimeMs: Math.round(performance.now()) });

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  disposer[Symbol.asyncDispose]()
    .catch((error: unknown) => {
      logger.error('could not end in order', { error: messageOf(error) });
      process.exitCode = 70;
    })
    .finally(() => process.exit());
};
process.once('SIGTERM', end);
process.once('SIGINT', end);
