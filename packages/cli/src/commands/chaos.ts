import { LabError } from '@kind-e2e/base';
import { POWER_ANNOTATION } from '@kind-e2e/embedded';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { type Command, InvalidArgumentError } from 'commander';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { type Fault, injectFault, listFaults, type RunningFault, undoFaults } from '../chaos/faults.ts';
import { type CommandContext, type DataDirOption, kubeClientOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parseDuration, parsePositive } from '../options.ts';
import { waitForInterrupt } from '../output/interrupt.ts';
import { table } from '../output/table.ts';
import { setPower } from './node.ts';

interface TargetFlags extends DataDirOption {
  readonly namespace: string;
  readonly percent: number;
  readonly for?: number;
}

const NAMESPACE = 'default';

/** `chaos delay|abort|kill|node|list|undo`: breaks something on purpose, and mends it again. */
export function addChaosCommand(program: Command, context: CommandContext): void {
  const chaos = program
    .command('chaos')
    .description('break something on purpose: slow or failing services, killed pods, lost nodes; `undo` mends it');
  const faulty = (name: string, description: string): Command =>
    chaos
      .command(name)
      .description(description)
      .argument('<service>', 'such as business-logic')
      .option('-p, --percent <n>', 'of how many requests in a hundred', parsePercent, 100)
      .option('-n, --namespace <name>', 'where the service is', NAMESPACE)
      .option('--for <time>', 'undo it after that time, such as 30s (Ctrl-C undoes it at once)', parseDuration)
      .option(DATA_DIR_FLAG, DATA_DIR_HELP);
  faulty('delay', 'make a service slow, by a fault of Istio')
    .option('-s, --seconds <n>', 'how slow', parsePositive, 2)
    .action((service: string, flags: TargetFlags & { readonly seconds: number }) =>
      inject(service, flags, context, {
        delay: { fixedDelay: `${flags.seconds}s`, percentage: { value: flags.percent } },
      }),
    );
  faulty('abort', 'make a service answer with an error, by a fault of Istio')
    .option('--status <code>', 'which', parseStatus, 503)
    .action((service: string, flags: TargetFlags & { readonly status: number }) =>
      inject(service, flags, context, { abort: { httpStatus: flags.status, percentage: { value: flags.percent } } }),
    );
  chaos
    .command('kill')
    .description('delete pods at once, without their grace period; their controller makes new ones')
    .argument('<app>', 'a pod, or the app label of several, such as front-end')
    .option('-c, --count <n>', 'how many of them', parsePositive, 1)
    .option('-n, --namespace <name>', 'where they are', NAMESPACE)
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action((app: string, flags: DataDirOption & { readonly namespace: string; readonly count: number }) =>
      kill(app, flags, context),
    );
  chaos
    .command('node')
    .description('switch a node off; undo switches it on again')
    .argument('<node>', 'such as worker-2')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (node: string, flags: DataDirOption) => {
      await setPower(node, 'stop', flags, context);
      context.err(`${node} is switched off. Undo: kind-e2e chaos undo`);
    });
  chaos
    .command('list')
    .description('what is broken now')
    .option('--json', 'print it as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action((flags: DataDirOption & { readonly json?: boolean }) => list(flags, context));
  chaos
    .command('undo')
    .description('mend all that chaos broke, or one service')
    .argument('[service]', 'only this one')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action((service: string | undefined, flags: DataDirOption) => undo(service, flags, context));
  for (const command of chaos.commands) command.exitOverride();
}

async function inject(service: string, flags: TargetFlags, context: CommandContext, fault: Fault): Promise<void> {
  await using client = await clientOf(flags, context);
  const touched = await injectFault(client, { namespace: flags.namespace, service }, fault);
  context.err(`${service}: ${describeFault(fault)} (VirtualService ${touched.join(', ')})`);
  if (flags.for === undefined) {
    context.err(`Undo: kind-e2e chaos undo ${service}`);
    return;
  }
  const interrupted = waitForInterrupt();
  try {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, flags.for);
      interrupted.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  } finally {
    interrupted.dispose();
    await undoFaults(client, service);
    context.err(`${service} is mended`);
  }
}

async function kill(
  app: string,
  flags: DataDirOption & { readonly namespace: string; readonly count: number },
  context: CommandContext,
): Promise<void> {
  await using client = await clientOf(flags, context);
  const { namespace } = flags;
  const { items } = await client.list<Pod & ApiObject>(RESOURCES.pods, { namespace });
  const living = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const named = living.filter(({ metadata }) => metadata?.name === app);
  const found = named.length > 0 ? named : living.filter(({ metadata }) => metadata?.labels?.app === app);
  if (found.length === 0) {
    const apps = new Set(living.map(({ metadata }) => metadata?.labels?.app ?? metadata?.name ?? ''));
    throw new LabError(`there is no pod or app ${app} in ${namespace}`, {
      code: 'NO_POD',
      side: 'user',
      remedy: `apps there: ${[...apps].sort().join(', ') || 'none'}`,
    });
  }
  for (const { metadata } of found.slice(0, flags.count)) {
    await client.delete(RESOURCES.pods, { name: metadata?.name ?? '', namespace }, { gracePeriodSeconds: 0 });
    context.out(`pod ${namespace}/${metadata?.name} killed`);
  }
}

interface Broken {
  readonly faults: readonly RunningFault[];
  readonly nodes: readonly string[];
}

async function readBroken(client: KubeClient): Promise<Broken> {
  const { items } = await client.list<ApiObject>(RESOURCES.nodes);
  const off = items.filter(({ metadata }) => metadata?.annotations?.[POWER_ANNOTATION] === 'off');
  return { faults: await listFaults(client), nodes: off.map(({ metadata }) => metadata?.name ?? '') };
}

async function list(flags: DataDirOption & { readonly json?: boolean }, context: CommandContext): Promise<void> {
  await using client = await clientOf(flags, context);
  const broken = await readBroken(client);
  if (flags.json) {
    context.out(JSON.stringify(broken, null, 2));
    return;
  }
  const rows = [
    ...broken.faults.map(({ namespace, service, fault }) => [`service ${namespace}/${service}`, describeFault(fault)]),
    ...broken.nodes.map((node) => [`node ${node}`, 'switched off']),
  ];
  context.out(rows.length === 0 ? 'nothing is broken by chaos' : table(['WHAT', 'HOW'], rows));
}

async function undo(service: string | undefined, flags: DataDirOption, context: CommandContext): Promise<void> {
  await using client = await clientOf(flags, context);
  const { nodes } = await readBroken(client);
  const mended = (await undoFaults(client, service)).map((name) => `VirtualService ${name}`);
  for (const node of service === undefined ? nodes : []) {
    await setPower(node, 'start', flags, context);
    mended.push(`node ${node}`);
  }
  context.err(mended.length === 0 ? 'nothing is broken by chaos' : `mended: ${mended.join(', ')}`);
}

async function clientOf(flags: DataDirOption, context: CommandContext): Promise<KubeClient> {
  return kubeClientOf(await requireLab(context, flags));
}

function describeFault({ delay, abort }: Fault): string {
  const share = (percent: number): string => (percent === 100 ? 'every request' : `${percent} % of requests`);
  if (delay) return `${delay.fixedDelay} slower, ${share(delay.percentage.value)}`;
  return abort ? `answers ${abort.httpStatus}, ${share(abort.percentage.value)}` : 'no fault any more';
}

function parsePercent(text: string): number {
  const value = parsePositive(text);
  if (value > 100) throw new InvalidArgumentError(`${text} is more than 100 percent.`);
  return value;
}

function parseStatus(text: string): number {
  if (/^[2-5]\d\d$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${text} is not an HTTP status: write 503 or another from 200 to 599.`);
}
