import { LabError, systemClock } from '@kind-e2e/base';
import {
  bundleOf,
  type LabConfig,
  type LabPorts,
  labPaths,
  planUp,
  readRunState,
  resolveDataDir,
  SUPERVISOR_FLAGS,
  Supervisor,
  spawnDetached,
  type UpResult,
} from '@kind-e2e/embedded';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, FEATURE_NAMES, parseFeatures, parsePort, parseRetention } from '../options.ts';
import { waitForInterrupt } from '../output/interrupt.ts';
import { runSteps } from '../output/steps.ts';
import { upReal } from '../real-cluster/commands.ts';
import { addRealClusterOptions, engineOption, isRealEngine, type RealClusterFlags } from '../real-cluster/flags.ts';

interface UpFlags extends RealClusterFlags {
  readonly detach?: boolean;
  readonly dataDir?: string;
  readonly retention?: string;
  readonly enableFeature?: string;
  readonly app: boolean;
  readonly json?: boolean;
  readonly zipkinPort?: number;
  readonly otlpGrpcPort?: number;
  readonly otlpHttpPort?: number;
  readonly jaegerPort?: number;
  readonly prometheusPort?: number;
  readonly lokiPort?: number;
}

const PORT_FLAGS = ['gateway', 'api', 'registry', 'zipkin', 'otlp-grpc', 'otlp-http', 'jaeger', 'prometheus', 'loki'];

export function addUpCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('up')
    .description('start the lab and install the app; stays in the foreground, Ctrl-C ends everything')
    .option('-d, --detach', 'come back when all is ready; `kind-e2e down` ends the lab')
    .addOption(engineOption().default('embedded'))
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .option('--retention <time>', 'how long telemetry is kept: 7d, 12h, off', parseRetention)
    .option('--enable-feature <names>', `features of Prometheus: ${FEATURE_NAMES.join(', ')}`, parseFeatures)
    .option('--no-app', 'leave the demo app out')
    .option('--json', 'print the URLs as JSON when ready');
  for (const name of PORT_FLAGS) command.option(`--${name}-port <port>`, `port of 127.0.0.1 for ${name}`, parsePort);
  addRealClusterOptions(command);
  command.action((flags: UpFlags) => (isRealEngine(flags.engine) ? upReal(flags, context) : up(flags, context)));
}

async function up(flags: UpFlags, context: CommandContext): Promise<void> {
  if (flags.dryRun)
    throw new LabError('--dry-run is for the engines kind and cluster', {
      code: 'DRY_RUN',
      side: 'usage',
      remedy: 'add --engine kind; the embedded engine makes nothing outside of its data directory',
    });
  const dataDir = resolveDataDir(flags.dataDir, context.cwd);
  const started = performance.now();
  let supervisor: Supervisor | undefined;
  const interrupted = waitForInterrupt();
  const plan = planUp({
    dataDir,
    installation: context.installation,
    ports: portsOf(flags),
    ...(flags.retention === undefined ? {} : { retention: flags.retention }),
    ...(flags.enableFeature === undefined ? {} : { enableFeature: flags.enableFeature }),
    app: flags.app,
    env: context.env,
    logger: context.logger,
    startSupervisor: async (config) => {
      if (flags.detach) {
        await startDetached(config, context);
        return;
      }
      supervisor = new Supervisor({
        dataDir,
        installation: context.installation,
        clock: systemClock,
        logger: context.logger,
      });
      await supervisor.start();
    },
  });
  try {
    await runSteps(plan.steps, interrupted.signal, context);
    printReady(plan.result(), performance.now() - started, flags, context);
    if (flags.detach) return;
    await interrupted.wait();
    context.err('\nEnding the lab …');
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    context.err('\nInterrupted; ending the lab …');
  } finally {
    await supervisor?.stop();
    interrupted.dispose();
  }
  context.err('The lab has ended. Its data is kept; `kind-e2e down --purge` removes it.');
}

async function startDetached(config: LabConfig, context: CommandContext): Promise<void> {
  const identity = spawnDetached({
    file: context.installation.nodeBinary,
    args: [
      ...SUPERVISOR_FLAGS,
      bundleOf(context.installation, 'supervisor'),
      config.dataDir,
      context.installation.root,
    ],
    cwd: config.dataDir,
    env: context.env,
    logFile: `${labPaths(config.dataDir).logs}/supervisor.log`,
  });
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await readRunState(config.dataDir)).supervisor?.pid === identity.pid) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new LabError('the supervisor did not start', {
    code: 'SUPERVISOR_SILENT',
    side: 'internal',
    remedy: `see ${labPaths(config.dataDir).logs}/supervisor.log`,
  });
}

function portsOf(flags: UpFlags): Partial<LabPorts> {
  const ports = {
    gateway: flags.gatewayPort,
    api: flags.apiPort,
    registry: flags.registryPort,
    zipkin: flags.zipkinPort,
    otlpGrpc: flags.otlpGrpcPort,
    otlpHttp: flags.otlpHttpPort,
    jaeger: flags.jaegerPort,
    prometheus: flags.prometheusPort,
    loki: flags.lokiPort,
  };
  return Object.fromEntries(Object.entries(ports).filter(([, port]) => port !== undefined));
}

function printReady(result: UpResult, elapsedMs: number, flags: UpFlags, context: CommandContext): void {
  if (flags.json) {
    context.out(JSON.stringify({ urls: result.urls, dataDir: result.config.dataDir, notes: result.notes }, null, 2));
    return;
  }
  const width = Math.max(...result.urls.map(({ title }) => title.length));
  context.out(`\nReady in ${(elapsedMs / 1_000).toFixed(1)} s\n`);
  for (const { title, url } of result.urls) context.out(`  ${title.padEnd(width)}  ${url}`);
  for (const note of result.notes) context.out(`\n  Note: ${note}`);
  context.out(
    flags.detach
      ? '\nkubectl: export KUBECONFIG=$(npx kind-e2e kubeconfig --path)\nEnd it with: npx kind-e2e down'
      : '\nkubectl: export KUBECONFIG=$(npx kind-e2e kubeconfig --path)\nCtrl-C ends everything.',
  );
}
