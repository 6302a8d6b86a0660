import { createLogger, LabError, type Logger } from '@kind-e2e/base';
import {
  type Installation,
  installationAt,
  type LabConfig,
  labPaths,
  readLabConfig,
  resolveDataDir,
} from '@kind-e2e/embedded';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@kind-e2e/kube-client';

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
  if (config) return config;
  throw new LabError(`there is no lab in ${dataDir}`, {
    code: 'NO_LAB',
    side: 'user',
    remedy: 'start one with `npm run up` (or `npx kind-e2e up`), or name its directory with --data-dir',
  });
}

export async function kubeClientOf(config: LabConfig): Promise<KubeClient> {
  return createKubeClient(await loadKubeconfig(labPaths(config.dataDir).kubeconfig));
}

/** Base URL of the gateway. */
export function gatewayOf(config: LabConfig): string {
  return `http://127.0.0.1:${config.ports.gateway}`;
}

/** GET that turns "nothing listens" into a clear message. */
export async function ask(config: LabConfig, path: string): Promise<Response> {
  try {
    return await fetch(`${gatewayOf(config)}${path}`, { signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    throw new LabError(`the lab does not answer at ${gatewayOf(config)}`, {
      code: 'LAB_SILENT',
      side: 'user',
      remedy: 'see `kind-e2e status`; start it with `kind-e2e up`',
      cause: error,
    });
  }
}
