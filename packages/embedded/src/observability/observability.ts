import { existsSync, readFileSync } from 'node:fs';
import { type Clock, Disposer, type Logger, MemoryTrimmer } from '@kind-e2e/base';
import { createKubeClient } from '@kind-e2e/kube-client';
import { createQueryApi, type RequestHandler, type UpgradeHandler } from '@kind-e2e/query-api';
import { StateMetrics } from '@kind-e2e/state-metrics';
import { createReceiver, openTelemetryStore, readOtlpJsonTraces } from '@kind-e2e/telemetry-store';
import { createConsoleFiles } from './console-files.ts';
import { createJenkinsProxy } from './jenkins-proxy.ts';
import { KubernetesProxy } from './kubernetes-proxy.ts';
import { createOwnMetrics } from './own-metrics.ts';
import type { Settings } from './settings.ts';
import { createStateMetricsHandler } from './state-metrics-handler.ts';
import { createStoreRoutes } from './store-routes.ts';
import { openGrpc, startWorkers } from './workers.ts';

export interface ObservabilityOptions {
  readonly settings: Settings;
  /** What Vite built. Without it there is no console. */
  readonly consoleFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Observability extends AsyncDisposable {
  readonly handlers: readonly RequestHandler[];
  /** Serves `/metrics` of kube-state-metrics, on an address of its own. */
  readonly stateMetrics: RequestHandler;
  readonly upgradeHandlers: readonly UpgradeHandler[];
}

/** The controller's service; it is there after the first `kind-e2e pipeline run`. */
const JENKINS = 'http://jenkins.jenkins.svc.cluster.local:8080';
/** Resident bytes beyond which memory is given back in the midst of work (docs/adr/0009). */
const BUSY_MEMORY_BYTES = 144 * 1024 * 1024;
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
    const states = disposer.use(
      new StateMetrics({ client, clock, logger: logger.child({ component: 'state-metrics' }) }),
    );
    disposer.use(
      new MemoryTrimmer({ clock, logger: logger.child({ component: 'memory' }), busyBytes: BUSY_MEMORY_BYTES }),
    );
    const { scraper, rules } = startWorkers({ settings, store, client, clock, logger }, disposer);
    disposer.use(await openGrpc(settings, store, clock, logger));
    const receive = createReceiver({ store, clock, logger });
    const query = createQueryApi({
      metrics: store.metrics,
      logs: store.logs,
      traces: store.traces,
      readOtlpTraces: readOtlpJsonTraces,
      targets: scraper,
      rules,
      promqlFeatures: settings.promqlFeatures,
      flags: { 'enable-feature': settings.enableFeature },
      clock,
      logger,
    });
    return {
      handlers: [
        (request, response) => kubernetes.handle(request, response),
        ...(existsSync(options.consoleFolder) ? [createConsoleFiles(options.consoleFolder)] : []),
        createJenkinsProxy(JENKINS),
        receive,
        createOwnMetrics(store.metrics),
        createStoreRoutes(store, clock),
        (request, response) => query.handle(request, response),
      ],
      stateMetrics: createStateMetricsHandler(states),
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
