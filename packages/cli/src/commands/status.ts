import { isLabRunning, isRolledOut, labProcesses, urlsOf } from '@kind-e2e/embedded';
import { pipelineNote } from '@kind-e2e/kind';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Command } from 'commander';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import { type CommandContext, type DataDirOption, isOnKind, kubeClientOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';
import { formatBytes, table } from '../output/table.ts';
import { readRealState } from '../real-cluster/flags.ts';

/** What `status --json` prints. */
interface Status {
  readonly running: boolean;
  readonly ready: boolean;
  readonly nodes: readonly { readonly name: string; readonly ready: boolean }[];
  readonly pods: readonly PodStatus[];
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly pssBytes: number }[];
  readonly memoryBytes: number;
  readonly urls: readonly { readonly title: string; readonly url: string }[];
  /** What is to be done about what does not run. */
  readonly notes: readonly string[];
}

interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly ready: string;
  readonly phase: string;
  readonly restarts: number;
  readonly node: string;
}

export function addStatusCommand(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('what runs, how it is, what it costs; exit code 1 where something is not ready')
    .option('--json', 'print it as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: DataDirOption & { readonly json?: boolean }) => {
      const config = await requireLab(context, flags);
      const running = isOnKind(config) || (await isLabRunning(config.dataDir));
      if (!running) {
        if (flags.json) context.out(JSON.stringify({ running, ready: false }, null, 2));
        else context.out(`The lab in ${config.dataDir} is stopped. Start it with: kind-e2e up`);
        process.exitCode = 1;
        return;
      }
      await using client = await kubeClientOf(config);
      const status: Status = {
        running,
        ...(await readCluster(client)),
        ...(isOnKind(config) ? { processes: [], memoryBytes: 0 } : await readCosts(config.dataDir)),
        urls: urlsOf(config),
        notes: isOnKind(config) ? await notesOnKind(flags, context) : [],
      };
      context.out(flags.json ? JSON.stringify(status, null, 2) : render(status));
      if (!status.ready) process.exitCode = 1;
    });
}

/** What stands in the way of the pipeline on kind. */
async function notesOnKind(flags: DataDirOption, context: CommandContext): Promise<readonly string[]> {
  const state = await readRealState('kind', flags.dataDir, context.cwd);
  if (state === undefined) return [];
  const { app = true, repository, appNamespace } = state;
  const note = pipelineNote({ app, repository, appNamespace });
  return note === undefined ? [] : [note];
}

async function readCluster(client: KubeClient): Promise<Pick<Status, 'ready' | 'nodes' | 'pods'>> {
  const [nodes, pods, deployments] = await Promise.all([
    client.list<Node>(RESOURCES.nodes),
    client.list<Pod>(RESOURCES.pods),
    client.list<Deployment>(RESOURCES.deployments),
  ]);
  const nodeStates = nodes.items.map((node) => ({
    name: node.metadata?.name ?? '',
    ready: node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  }));
  return {
    ready: nodeStates.every((node) => node.ready) && deployments.items.every(isRolledOut),
    nodes: nodeStates,
    pods: pods.items.map(podStatus),
  };
}

function podStatus(pod: Pod): PodStatus {
  const containers = pod.status?.containerStatuses ?? [];
  const waiting = containers.find((container) => container.state?.waiting)?.state?.waiting?.reason;
  return {
    namespace: pod.metadata?.namespace ?? '',
    name: pod.metadata?.name ?? '',
    ready: `${containers.filter((container) => container.ready).length}/${pod.spec?.containers.length ?? 0}`,
    phase: pod.metadata?.deletionTimestamp ? 'Terminating' : (waiting ?? pod.status?.phase ?? 'Unknown'),
    restarts: containers.reduce((sum, container) => sum + container.restartCount, 0),
    node: pod.spec?.nodeName ?? '',
  };
}

async function readCosts(dataDir: string): Promise<Pick<Status, 'processes' | 'memoryBytes'>> {
  const processes = await labProcesses(dataDir);
  return {
    processes: processes.map(({ name, pid, pssBytes }) => ({ name, pid, pssBytes })),
    memoryBytes: processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0),
  };
}

function render(status: Status): string {
  const ready = status.nodes.filter((node) => node.ready).length;
  const parts = [
    `${status.ready ? 'Ready' : 'Not ready'}: ${ready} of ${status.nodes.length} nodes, ${status.pods.length} pods${status.memoryBytes > 0 ? `, ${formatBytes(status.memoryBytes)} of memory` : ''}`,
    podTable(status.pods),
    ...(status.processes.length === 0 ? [] : [processTable(status)]),
    ...status.notes,
    status.urls.map(({ title, url }) => `${title.padEnd(15)} ${url}`).join('\n'),
  ];
  return parts.join('\n\n');
}

/** Restarts are told where there were any: so the table fits into 80 columns. */
function podTable(pods: readonly PodStatus[]): string {
  const withRestarts = pods.some((pod) => pod.restarts > 0);
  return table(
    ['NAMESPACE', 'POD', 'READY', 'STATUS', 'NODE', ...(withRestarts ? ['RESTARTS'] : [])],
    pods.map((pod) => [
      pod.namespace,
      pod.name,
      pod.ready,
      pod.phase,
      pod.node,
      ...(withRestarts ? [String(pod.restarts)] : []),
    ]),
    { right: new Set([5]), whole: new Set([1]), columns: process.stdout.columns },
  );
}

function processTable(status: Status): string {
  return table(
    ['PROCESS', 'PID', 'MEMORY'],
    status.processes.map((entry) => [entry.name, String(entry.pid), formatBytes(entry.pssBytes)]),
    { right: new Set([1, 2]), columns: process.stdout.columns },
  );
}
