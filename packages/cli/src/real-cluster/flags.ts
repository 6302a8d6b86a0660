import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { findTool, resolveDataDir } from '@kind-e2e/embedded';
import { type LabState, RealLab, readState, stateFileOf } from '@kind-e2e/kind';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../context.ts';

/** Options of the engines `kind` and `cluster`, beside those that every engine has. */
export interface RealClusterFlags {
  readonly engine: string;
  readonly dataDir?: string;
  readonly app?: boolean;
  readonly gatewayPort?: number;
  readonly apiPort?: number;
  readonly registryPort?: number;
  readonly clusterName?: string;
  readonly controlPlanes?: number;
  readonly workers?: number;
  readonly oneNode?: boolean;
  readonly mergeKubeconfig?: boolean;
  readonly rebuild?: boolean;
  readonly context?: string;
  readonly registry?: string;
  readonly appNamespace?: string;
  readonly repository?: string;
  readonly adopt?: boolean;
  readonly dryRun?: boolean;
}

type RealEngine = 'kind' | 'cluster';

export function engineOption(): Option {
  return new Option('--engine <name>', 'what to run on: embedded (default), kind, cluster').choices([
    'embedded',
    'kind',
    'cluster',
  ]);
}

export function addRealClusterOptions(command: Command): void {
  command
    .option('--dry-run', 'kind, cluster: print the complete plan, make nothing')
    .option('--control-planes <n>', 'kind: control-plane nodes (default: 3)', parseCount)
    .option('--workers <n>', 'kind: worker nodes (default: 3)', parseCount)
    .option('--one-node', 'kind: one node for all, for small laptops')
    .option('--cluster-name <name>', 'kind: name of the cluster (default: kind-e2e)')
    .option('--merge-kubeconfig', 'kind: add the cluster to your own kubeconfig too')
    .option('--rebuild', 'kind: delete the cluster first')
    .option('--context <name>', 'cluster: context of your kubeconfig')
    .option('--registry <prefix>', 'cluster: where the images go and are pulled from, such as ghcr.io/you')
    .option('--app-namespace <name>', 'kind, cluster: namespace of the app (default: default; demo-app on a cluster)')
    .option('--repository <url>', 'kind, cluster: what Jenkins builds (default: the remote "origin" of the checkout)')
    .option('--adopt', 'cluster: take over releases of the same name');
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`${text} is not a number of nodes.`);
  return Number(text);
}

export function isRealEngine(engine: string | undefined): engine is RealEngine {
  return engine === 'kind' || engine === 'cluster';
}

/** Where a lab of the engine keeps its things: beside those of the embedded engine. */
export function realDataDir(engine: RealEngine, dataDir: string | undefined, cwd: string): string {
  return join(resolveDataDir(dataDir, cwd), engine);
}

/** The lab that the flags mean; a lab of before gives what they leave out. */
export async function realLabOf(flags: RealClusterFlags, context: CommandContext, before?: LabState): Promise<RealLab> {
  const engine = flags.engine as RealEngine;
  const { root } = context.installation;
  const [helm, kubectl] = await Promise.all([programPath('helm', context), programPath('kubectl', context)]);
  const defined = <T extends object>(entries: T): Partial<T> =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as Partial<T>;
  return new RealLab({
    engine,
    root,
    dataDir: realDataDir(engine, flags.dataDir, context.cwd),
    env: context.env,
    logger: context.logger,
    programs: defined({ helm, kubectl }) as { helm?: string; kubectl?: string },
    ports: {
      ...before?.ports,
      ...(defined({ gateway: flags.gatewayPort, api: flags.apiPort, registry: flags.registryPort }) as object),
    },
    app: flags.app ?? true,
    ...defined({
      clusterName: flags.clusterName ?? before?.clusterName,
      controlPlanes: flags.controlPlanes,
      workers: flags.workers,
      oneNode: flags.oneNode,
      mergeKubeconfig: flags.mergeKubeconfig,
      rebuild: flags.rebuild,
      context: flags.context ?? (engine === 'cluster' ? before?.context : undefined),
      imageRegistry: flags.registry,
      appNamespace: flags.appNamespace ?? before?.appNamespace,
      repository: flags.repository,
      adopt: flags.adopt,
    }),
  });
}

/** What is on PATH first, since a real cluster wants a kubectl of its time; else the pinned one, if there is one. */
async function programPath(name: 'helm' | 'kubectl', context: CommandContext): Promise<string | undefined> {
  for (const folder of (context.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && isThere) return path;
  }
  return findTool(name, { directory: context.installation.tools, env: context.env }).catch((error: unknown) => {
    if (error instanceof LabError) return undefined;
    throw error;
  });
}

/** The state of the lab of an engine in the data directory, if one was ever started. */
export function readRealState(
  engine: RealEngine,
  dataDir: string | undefined,
  cwd: string,
): Promise<LabState | undefined> {
  return readState(stateFileOf(realDataDir(engine, dataDir, cwd)));
}
