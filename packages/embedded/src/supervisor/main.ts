import { createLogger, messageOf, systemClock } from '@kind-e2e/base';
import { installationAt } from '../config/installation.ts';
import { Supervisor } from './supervisor.ts';

/** `supervisor DATA_DIR ROOT`: runs until SIGTERM, which ends the whole lab. */
const [dataDir, root] = process.argv.slice(2);
const logger = createLogger({ fields: { component: 'supervisor' } });
if (dataDir === undefined || root === undefined) {
  logger.error('usage: supervisor DATA_DIR ROOT');
  process.exit(2);
}
const supervisor = new Supervisor({ dataDir, installation: installationAt(root), clock: systemClock, logger });
// Timers of the clock do not keep a process alive; this one has to stay.
const stayAlive = setInterval(() => undefined, 0x7fffffff);
const stop = (): void => {
  supervisor
    .stop()
    .catch((error: unknown) => {
      logger.error('the lab could not be ended', { error: messageOf(error) });
      process.exitCode = 70;
    })
    .finally(() => clearInterval(stayAlive));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
await supervisor.start();
