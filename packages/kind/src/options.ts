import { join } from 'node:path';
import { type Clock, LabError, type Logger, systemClock } from '@kind-e2e/base';
import { isRepositoryUrl } from './repository.ts';
import type { Program } from './run/command.ts';

export type RealEngine = 'kind' | 'cluster';

export interface RealClusterOptions {
  readonly engine: RealEngine;
  /** The checkout: helmfile.yaml, helm/, kind/ and apps/ are there. */
  readonly root: string;
  /** Where state, kubeconfig, logs and Helm's caches go. Absolute; made where it is not there. */
  readonly dataDir: string;
  /** Path of each program. Default: its name, looked up on PATH. */
  readonly programs?: Partial<Readonly<Record<Program, string>>>;
  readonly env: NodeJS.ProcessEnv;
  /** Default `kind-e2e`. */
  readonly clusterName?: string;
  /** Default 3, or 1 with `oneNode`. */
  readonly controlPlanes?: number;
  /** Default 3, or 0 with `oneNode`. */
  readonly workers?: number;
  /** One node that is both: for laptops with little memory. */
  readonly oneNode?: boolean;
  /** Ports of 127.0.0.1. Default 8080, 6443, 5001. */
  readonly ports?: Partial<RealClusterPorts>;
  /** Context of the kubeconfig; needed by the engine `cluster`, and only there. */
  readonly context?: string;
  /** Where the engine `cluster` pulls the apps' images from, such as `ghcr.io/someone`. */
  readonly imageRegistry?: string;
  /** Namespace of the app. Default `default` on kind (as on the embedded engine), `demo-app` on another cluster. */
  readonly appNamespace?: string;
  /** Build and install the app. Default true. */
  readonly app?: boolean;
  /** What the job of Jenkins builds: an http(s) or ssh URL of a Git repository. Without it there is no job. */
  readonly repository?: string;
  /** Add the cluster to the user's own kubeconfig as well. Default false. */
  readonly mergeKubeconfig?: boolean;
  /** Delete a cluster of ours first. Default false. */
  readonly rebuild?: boolean;
  /** Take over releases on a cluster that this lab did not install. Default false. */
  readonly adopt?: boolean;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Where the kernel's settings are read. Default `/proc`. */
  readonly procDir?: string;
  /** The status of a GET. Default: fetch. */
  readonly askUrl?: (url: string, signal: AbortSignal) => Promise<number>;
  /** How long URLs are waited for at the end. Default 180,000. */
  readonly urlTimeoutMs?: number;
}

export interface RealClusterPorts {
  readonly gateway: number;
  readonly api: number;
  readonly registry: number;
}

export const DEFAULT_CLUSTER_PORTS: RealClusterPorts = { gateway: 8080, api: 6443, registry: 5001 };
export const REGISTRY_CONTAINER = 'kind-registry';
/** Label of what Docker keeps for a lab; its value is the cluster's name. */
export const OWNER_LABEL = 'kind-e2e.cluster';

/** The options with all defaults, checked. */
export interface Settings {
  readonly engine: RealEngine;
  readonly root: string;
  readonly dataDir: string;
  readonly programs: Readonly<Record<Program, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly clusterName: string;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly ports: RealClusterPorts;
  readonly context: string;
  /** The kubeconfig that every command gets, or undefined for the user's own (engine `cluster`). */
  readonly kubeconfig: string | undefined;
  /** Prefix of the apps' images. */
  readonly imageRegistry: string;
  readonly appNamespace: string;
  readonly app: boolean;
  readonly repository: string | undefined;
  readonly mergeKubeconfig: boolean;
  readonly rebuild: boolean;
  readonly adopt: boolean;
  readonly clock: Clock;
  readonly procDir: string;
  readonly askUrl: (url: string, signal: AbortSignal) => Promise<number>;
  readonly urlTimeoutMs: number;
}

const NAME = /^[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?$/;
const MAX_NODES = 20;
const URL_TIMEOUT_MS = 180_000;

/** Throws a LabError of side `usage` for options that do not fit together. */
export function resolveSettings(options: RealClusterOptions): Settings {
  const { engine } = options;
  const clusterName = options.clusterName ?? 'kind-e2e';
  const oneNode = options.oneNode ?? false;
  const controlPlanes = options.controlPlanes ?? (oneNode ? 1 : 3);
  const workers = options.workers ?? (oneNode ? 0 : 3);
  if (!NAME.test(clusterName)) throw usage(`${clusterName} is not a cluster name`, 'use a-z, 0-9, - and .');
  if (controlPlanes < 1 || !Number.isInteger(controlPlanes))
    throw usage(`${controlPlanes} control planes`, 'a cluster has at least one: --control-planes 1');
  if (workers < 0 || !Number.isInteger(workers)) throw usage(`${workers} workers`, 'give 0 or more with --workers');
  if (controlPlanes + workers > MAX_NODES)
    throw usage(`${controlPlanes + workers} nodes on one machine`, `at most ${MAX_NODES} are taken`);
  if (oneNode && controlPlanes + workers !== 1)
    throw usage('--one-node with --control-planes or --workers', 'leave one of them out');
  if (engine === 'kind' && (options.context !== undefined || options.imageRegistry !== undefined))
    throw usage('--context and --registry are for --engine cluster', 'leave them out: kind has its own');
  if (engine === 'cluster' && !options.context)
    throw usage(
      '--engine cluster needs the context',
      'name it with --context; `kubectl config get-contexts` lists them',
    );
  const app = options.app ?? true;
  if (engine === 'cluster' && app && !options.imageRegistry)
    throw usage(
      'the cluster needs a registry to pull the app from',
      'name one that you may push to with --registry, such as ghcr.io/you, or give --no-app',
    );
  if (options.repository !== undefined && !isRepositoryUrl(options.repository))
    throw usage(
      'the repository is not a URL that Jenkins can be given',
      'give an http(s) or ssh URL without a password, such as --repository https://github.com/you/kind-e2e.git',
    );
  const ports = { ...DEFAULT_CLUSTER_PORTS, ...options.ports };
  return {
    engine,
    root: options.root,
    dataDir: options.dataDir,
    programs: { docker: 'docker', kind: 'kind', helm: 'helm', kubectl: 'kubectl', ...options.programs },
    env: options.env,
    clusterName,
    controlPlanes,
    workers,
    ports,
    context: options.context ?? `kind-${clusterName}`,
    kubeconfig: engine === 'kind' ? join(options.dataDir, 'kubeconfig') : undefined,
    imageRegistry: options.imageRegistry ?? `localhost:${ports.registry}`,
    appNamespace: options.appNamespace ?? (engine === 'kind' ? 'default' : 'demo-app'),
    app,
    repository: options.repository,
    mergeKubeconfig: options.mergeKubeconfig ?? false,
    rebuild: options.rebuild ?? false,
    adopt: options.adopt ?? false,
    clock: options.clock ?? systemClock,
    procDir: options.procDir ?? '/proc',
    askUrl: options.askUrl ?? askByFetch,
    urlTimeoutMs: options.urlTimeoutMs ?? URL_TIMEOUT_MS,
  };
}

async function askByFetch(url: string, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
  await answer.body?.cancel();
  return answer.status;
}

function usage(what: string, remedy: string): LabError {
  return new LabError(what, { code: 'KIND_OPTIONS', side: 'usage', remedy });
}
