import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createLogger, Disposer, LabError, type LogLevel, systemClock } from '@kind-e2e/base';
import { createKubeClient, inClusterConnection } from '@kind-e2e/kube-client';
import { type JobDefinition, startPipelines } from './index.ts';

/**
 * The controller's process. Environment: `DATA_DIR`, `AGENT_TOKEN`, `OTLP_ENDPOINT`, `JENKINS_URL`, `JOBS_FILE` (a JSON
 * list of jobs, made or changed at start), `HOST`, `PORT`. Ends on SIGTERM.
 */
const { env } = process;
const logger = createLogger({ level: (env.LOG_LEVEL ?? 'info') as LogLevel });
process.on('uncaughtException', (error) => logger.error('uncaught error', { error }));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));

const disposer = new Disposer();
const controller = disposer.use(
  startPipelines({
    client: disposer.use(createKubeClient(await inClusterConnection(env), { clock: systemClock })),
    dataDirectory: required('DATA_DIR'),
    agentToken: required('AGENT_TOKEN'),
    ...(env.OTLP_ENDPOINT === undefined ? {} : { otlpEndpoint: env.OTLP_ENDPOINT }),
    ...(env.JENKINS_URL === undefined ? {} : { url: env.JENKINS_URL }),
    writeLine: (line) => void process.stdout.write(`${line}\n`),
    clock: systemClock,
    logger,
  }),
);
if (env.JOBS_FILE !== undefined && existsSync(env.JOBS_FILE))
  for (const job of JSON.parse(readFileSync(env.JOBS_FILE, 'utf8')) as JobDefinition[])
    controller.pipelines.define(job);

const server = createServer((request, response) => {
  if (controller.handle(request, response)) return;
  response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing is here\n');
});
// Agents keep their connection for as long as they live.
server.requestTimeout = 0;
const port = Number(env.PORT ?? 8080);
server.listen(port, env.HOST ?? '127.0.0.1', () => logger.info('controller started', { port }));

let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  disposer[Symbol.asyncDispose]()
    .catch((error: unknown) => logger.error('could not end in order', { error }))
    .finally(() => process.exit());
};
process.once('SIGTERM', end);
process.once('SIGINT', end);

function required(name: string): string {
  const value = env[name];
  if (value === undefined || value === '')
    throw new LabError(`${name} is not set`, {
      code: 'SETTING_MISSING',
      side: 'internal',
      remedy: 'look at the Deployment jenkins',
    });
  return value;
}
