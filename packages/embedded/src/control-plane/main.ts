import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createLogger, type LogLevel, MemoryTrimmer, messageOf, systemClock } from '@kind-e2e/base';
import { readLowPortLimit } from '@kind-e2e/kubelet';
import { readLabConfig } from '../config/data-directory.ts';
import { installationAt } from '../config/installation.ts';
import { watchSupervisor } from '../supervisor/watch-supervisor.ts';
import { startControlPlane } from './control-plane.ts';

/** `control-plane DATA_DIR ROOT`: runs until SIGTERM, which ends the lab, pods and all. */
const [dataDir, root] = process.argv.slice(2);
const logger = createLogger({ level: (process.env.LOG_LEVEL ?? 'info') as LogLevel });
if (dataDir === undefined || root === undefined) {
  logger.error('usage: control-plane DATA_DIR ROOT');
  process.exit(2);
}
const config = await readLabConfig(dataDir);
if (config === undefined) {
  logger.error('there is no lab.json in the data directory', { dataDir });
  process.exit(1);
}
// A fault of one component must not take the API server with it; what it was is in the log.
process.on('uncaughtException', (error) => logger.error('uncaught error', { error }));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));

const installation = installationAt(root);
// Probes, port-forwards and proxied requests find what containers have on ports below 1024.
createRequire(import.meta.url)(join(root, 'packages', 'kubelet', 'preload', 'low-ports.cjs'))(readLowPortLimit());
const controlPlane = await startControlPlane({
  config,
  nodeBinary: installation.nodeBinary,
  preloadPath: join(root, 'packages', 'kubelet', 'preload', 'kind-e2e-preload.cjs'),
  clock: systemClock,
  logger,
}).catch((error: unknown) => {
  logger.error('the control plane could not start', { error });
  process.exit(1);
});
const watcher = watchSupervisor({ dataDir, installation, clock: systemClock, logger });
const trimmer = new MemoryTrimmer({ clock: systemClock, logger: logger.child({ component: 'memory' }) });
logger.info('control plane started', { url: controlPlane.url, uptimeMs: Math.round(performance.now()) });

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  watcher[Symbol.dispose]();
  trimmer[Symbol.dispose]();
  controlPlane
    .stopLab()
    .catch((error: unknown) => {
      logger.error('the lab could not be ended in order', { error: messageOf(error) });
      process.exitCode = 70;
    })
    .finally(() => process.exit());
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
