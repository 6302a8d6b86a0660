import { createLogger, LabError, type Logger } from '@kind-e2e/base';
import {
  type Installation,
  installationAt,
  isLabRunning,
  type LabConfig,
  labPaths,
  readLabConfig,
  resolveDataDir,
} from '@kind-e2e/embedded';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@kind-e2e/kube-client';
import { readRealState, realDataDir } from './real-cluster/flags.ts';

/** What every command works with. */
export interface CommandContext {
  readonly installation: Installation;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logger: Logger;
  /** Standard output, for what a command is asked for. */
  readonly out: (text: string) => void;
  /** Standard error, for everything else. */
  readonly err: (text: string) => void;
}

export function createContext(root: string): CommandContext {
  return {
    installation: installationAt(root),
    env: process.env,
    cwd: process.cwd(),
    logger: createLogger({ level: process.env.KIND_E2E_DEBUG ? 'debug' : 'error' }),
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
  };
}

export interface DataDirOption {
  readonly dataDir?: string;
}

/** The lab of the directory; a LabError where none was ever started. */
export async function requireLab(context: CommandContext, options: DataDirOption): Promise<LabConfig> {
  const dataDir = resolveDataDir(options.dataDir, context.cwd);
  const config = await readLabConfig(dataDir);
  if (config && (await isLabRunning(dataDir))) return config;
  const onKind = await kindLab(context, options);
  if (onKind ?? config) return (onKind ?? config) as LabConfig;
  throw new LabError(`there is no lab in ${dataDir}`, {
    code: 'NO_LAB',
    side: 'user',
    remedy: 'start one with `npm run up` (or `npx kind-e2e up`), or name its directory with --data-dir',
  });
}

/** A lab on kind in the same terms: its kubeconfig lies where the embedded engine's would, its gateway answers the same. */
async function kindLab(context: CommandContext, options: DataDirOption): Promise<LabConfig | undefined> {
  const state = await readRealState('kind', options.dataDir, context.cwd);
  if (state === undefined) return undefined;
  const closed = { zipkin: 0, otlpGrpc: 0, otlpHttp: 0, jaeger: 0, prometheus: 0, loki: 0 };
  const dataDir = realDataDir('kind', options.dataDir, context.cwd);
  return { dataDir, ports: { ...closed, ...state.ports }, addressBlock: 0, retention: '7d' };
}

/** Whether the lab's cluster is one of real nodes. */
export function isOnKind(config: LabConfig): boolean {
  return config.addressBlock === 0;
}

export async function kubeClientOf(config: LabConfig): Promise<KubeClient> {
  return createKubeClient(await loadKubeconfig(labPaths(config.dataDir).kubeconfig));
}

/** Base URL of the gateway. */
export function gatewayOf(config: LabConfig): string {
  return `http://127.0.0.1:${config.ports.gateway}`;
}

/** A request that turns "nothing listens" into a clear message. */
export async function ask(config: LabConfig, path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(`${gatewayOf(config)}${path}`, { signal: AbortSignal.timeout(30_000), ...init });
  } catch (error) {
    throw new LabError(`the lab does not answer at ${gatewayOf(config)}`, {
      code: 'LAB_SILENT',
      side: 'user',
      remedy: 'see `kind-e2e status`; start it with `kind-e2e up`',
      cause: error,
    });
  }
}
