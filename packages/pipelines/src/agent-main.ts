import { hostname } from 'node:os';
import { createLogger, LabError, type LogLevel, systemClock } from '@kind-e2e/base';
import { startAgent } from './agent/start-agent.ts';

/**
 * An agent's process. Environment: `CONTROLLER` (its URL), `AGENT_TOKEN`, `AGENT_NAME` (default the host's name),
 * `AGENT_LABELS` (by spaces), `AGENT_ROOT`, `AGENT_PATH` (folders that go before PATH). What it runs gets the rest of its environment. Ends on SIGTERM.
 */
const { env } = process;
const logger = createLogger({ level: (env.LOG_LEVEL ?? 'info') as LogLevel });
process.on('uncaughtException', (error) => logger.error('uncaught error', { error }));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));

/** What belongs to the agent alone. */
const OWN = new Set([
  'AGENT_TOKEN',
  'CONTROLLER',
  'AGENT_NAME',
  'AGENT_LABELS',
  'AGENT_ROOT',
  'AGENT_PATH',
  'HOST',
  'PORT',
  'NODE_ENV',
]);

const agent = await startAgent({
  controller: required('CONTROLLER'),
  token: required('AGENT_TOKEN'),
  name: env.AGENT_NAME ?? hostname(),
  labels: (env.AGENT_LABELS ?? 'linux').split(' '),
  root: required('AGENT_ROOT'),
  env: {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.has(name))),
    PATH: [env.AGENT_PATH, env.PATH].filter(Boolean).join(':'),
  },
  clock: systemClock,
  logger,
});
const keepAlive = setInterval(() => undefined, 60_000);

const end = (): void => {
  clearInterval(keepAlive);
  agent[Symbol.asyncDispose]().then(
    () => process.exit(),
    () => process.exit(70),
  );
};
process.once('SIGTERM', end);
process.once('SIGINT', end);

function required(name: string): string {
  const value = env[name];
  if (value === undefined || value === '')
    throw new LabError(`${name} is not set`, {
      code: 'SETTING_MISSING',
      side: 'internal',
      remedy: 'look at the StatefulSet agent',
    });
  return value;
}
