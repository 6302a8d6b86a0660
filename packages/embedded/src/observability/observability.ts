import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, Disposer, type Logger, messageOf } from '@kind-e2e/base';
import { createKubeClient } from '@kind-e2e/kube-client';
import { createQueryApi, type RequestHandler, type UpgradeHandler } from '@kind-e2e/query-api';
import { createReceiver, LogCollector, openTelemetryStore, Scraper } from '@kind-e2e/telemetry-store';
import { createConsoleFiles } from './console-files.ts';
import { KubernetesProxy } from './kubernetes-proxy.ts';
import { createOwnMetrics } from './own-metrics.ts';
import type { Settings } from './settings.ts';

export interface ObservabilityOptions {
  readonly settings: Settings;
  /** What Vite built. Without it there is no console. */
  readonly consoleFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Observability extends AsyncDisposable {
  readonly handlers: readonly RequestHandler[];
  readonly upgradeHandlers: readonly UpgradeHandler[];
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Opens the stores and starts what fills them; gives the handlers that serve them. */
export async function createObservability(options: ObservabilityOptions): Promise<Observability> {
  const { settings, clock, logger } = options;
  const disposer = new Disposer();
  try {
    const store = disposer.use(
      openTelemetryStore({ directory: settings.storeDirectory, retention: settings.retention, clock, logger }),
    );
    const kubernetes = new KubernetesProxy({
      server: settings.apiServer,
      caFile: `${SERVICE_ACCOUNT}/ca.crt`,
      tokenFile: `${SERVICE_ACCOUNT}/token`,
      clock,
      logger,
    });
    const client = disposer.use(
      createKubeClient(
        {
          server: settings.apiServer,
          caPem: readFileSync(`${SERVICE_ACCOUNT}/ca.crt`, 'utf8'),
          tokenFile: `${SERVICE_ACCOUNT}/token`,
          userAgent: 'kind-e2e/observability',
        },
        { clock },
      ),
    );
    const scraper = disposer.use(
      new Scraper({
        config: readFileSync(settings.prometheusConfig, 'utf8'),
        writer: store.metrics,
        client,
        clock,
        logger: logger.child({ component: 'scraper' }),
      }),
    );
    disposer.use(reloadOnChange(settings.prometheusConfig, scraper, clock, logger));
    disposer.use(
      new LogCollector({
        directory: settings.podLogDirectory,
        positionsFile: join(settings.storeDirectory, 'positions.json'),
        writer: store.logs,
        client,
        clock,
        logger: logger.child({ component: 'collector' }),
      }),
    );
    const receive = createReceiver({ store, clock, logger });
    const query = createQueryApi({
      metrics: store.metrics,
      logs: store.logs,
      traces: store.traces,
      targets: scraper,
      clock,
      logger,
    });
    return {
      handlers: [
        (request, response) => kubernetes.handle(request, response),
        ...(existsSync(options.consoleFolder) ? [createConsoleFiles(options.consoleFolder)] : []),
        receive,
        createOwnMetrics(store.metrics),
        (request, response) => query.handle(request, response),
      ],
      upgradeHandlers: [
        (request, socket, head) => kubernetes.upgrade(request, socket, head),
        (request, socket, head) => query.upgrade(request, socket, head),
      ],
      [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposer[Symbol.asyncDispose]();
    throw error;
  }
}

const CONFIG_CHECK_MS = 5_000;

/** Reads the scraper's configuration again when its file changed; a wrong one is said and the old one stays. */
function reloadOnChange(file: string, scraper: Scraper, clock: Clock, logger: Logger): Disposable {
  const stopped = new AbortController();
  let known = readFileSync(file, 'utf8');
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(CONFIG_CHECK_MS, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      try {
        const text = readFileSync(file, 'utf8');
        if (text === known) continue;
        known = text;
        scraper.reload(text);
        logger.info('scrape configuration reloaded', { file });
      } catch (error) {
        logger.error('scrape configuration refused, the old one stays', { file, reason: messageOf(error) });
      }
    }
  };
  loop();
  return { [Symbol.dispose]: () => stopped.abort() };
}
