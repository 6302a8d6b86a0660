import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, LabError } from '@kind-e2e/base';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@kind-e2e/kube-client';
import { readIfThere } from '../config/data-directory.ts';
import { type LabConfig, labPaths } from '../config/lab-config.ts';
import { isRunning } from '../supervisor/process-identity.ts';
import { readRunState } from '../supervisor/run-file.ts';
import { waitFor } from './wait.ts';

const TIMEOUT_MS = 30_000;
/** A control plane that ends so often before it answers will not come up. */
const MAX_STARTS = 3;

/** A client for the lab's API server, once it answers. Fails early, with the reason, where the control plane keeps ending. */
export async function connect(config: LabConfig, clock: Clock, signal?: AbortSignal): Promise<KubeClient> {
  const paths = labPaths(config.dataDir);
  const log = join(paths.logs, 'control-plane.log');
  const starts = new Set<number>();
  return waitFor(
    async () => {
      await failWhereHopeless(config.dataDir, starts, log);
      if ((await readIfThere(paths.kubeconfig)) === undefined) return undefined;
      const client = createKubeClient(await loadKubeconfig(paths.kubeconfig));
      const answer = await client.request('GET', '/readyz').catch(async (error: unknown) => {
        await client[Symbol.asyncDispose]();
        throw error;
      });
      if (answer.ok) return client;
      await client[Symbol.asyncDispose]();
      return undefined;
    },
    {
      clock,
      timeoutMs: TIMEOUT_MS,
      intervalMs: 30,
      what: 'the API server',
      remedy: `its log is ${log}`,
      ...(signal ? { signal } : {}),
    },
  );
}

async function failWhereHopeless(dataDir: string, starts: Set<number>, log: string): Promise<void> {
  const { controlPlane } = await readRunState(dataDir);
  if (!controlPlane) return;
  starts.add(controlPlane.pid);
  if (starts.size < MAX_STARTS || isRunning(controlPlane)) return;
  throw new LabError(`the control plane cannot start: ${await lastError(log)}`, {
    code: 'CONTROL_PLANE_FAILED',
    side: 'user',
    remedy: `its log is ${log}`,
  });
}

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly error?: { readonly message?: string };
}

/** The newest error of a log of JSON lines. */
async function lastError(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n');
  for (const line of lines.reverse()) {
    const entry = parseLine(line);
    if (entry?.level === 'error') return `${entry.msg ?? ''}${entry.error?.message ? `: ${entry.error.message}` : ''}`;
    if (entry === undefined && /^\w*Error: /.test(line)) return line;
  }
  return 'no reason was given';
}

function parseLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
