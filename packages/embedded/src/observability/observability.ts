import { existsSync } from 'node:fs';
import { type Clock, Disposer, type Logger } from '@kind-e2e/base';
import { createQueryApi, type RequestHandler, type UpgradeHandler } from '@kind-e2e/query-api';
import { createReceiver, openTelemetryStore } from '@kind-e2e/telemetry-store';
import { createConsoleFiles } from './console-files.ts';
import { KubernetesProxy } from './kubernetes-proxy.ts';
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
    const receive = createReceiver({ store, clock, logger });
    const query = createQueryApi({ ...store, clock, logger });
    return {
      handlers: [
        (request, response) => kubernetes.handle(request, response),
        ...(existsSync(options.consoleFolder) ? [createConsoleFiles(options.consoleFolder)] : []),
        receive,
        query,
      ],
      upgradeHandlers: [(request, socket, head) => kubernetes.upgrade(request, socket, head)],
      [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposer[Symbol.asyncDispose]();
    throw error;
  }
}
