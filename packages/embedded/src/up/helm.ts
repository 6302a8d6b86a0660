import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { execa } from 'execa';

export interface HelmOptions {
  readonly helm: string;
  readonly kubeconfig: string;
  /** For Helm's caches, so that the user's own are not touched. */
  readonly homeDir: string;
}

export interface InstallOptions {
  readonly release: string;
  readonly chart: string;
  readonly namespace: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal;
}

/** `helm upgrade --install --wait`. Throws a LabError with what Helm said. */
export async function helmInstall(options: HelmOptions, install: InstallOptions): Promise<void> {
  await runHelm(
    options,
    [
      'upgrade',
      '--install',
      install.release,
      install.chart,
      '--namespace',
      install.namespace,
      '--wait',
      '--timeout',
      `${install.timeoutSeconds}s`,
      '--values',
      '-',
    ],
    { input: JSON.stringify(install.values), ...(install.signal ? { signal: install.signal } : {}) },
  );
}

/** Runs Helm against the lab and gives its standard output. */
export async function runHelm(
  options: HelmOptions,
  args: readonly string[],
  run: { readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<string> {
  await mkdir(options.homeDir, { recursive: true });
  const result = await execa(options.helm, args, {
    env: {
      KUBECONFIG: options.kubeconfig,
      HELM_CACHE_HOME: join(options.homeDir, 'cache'),
      HELM_CONFIG_HOME: join(options.homeDir, 'config'),
      HELM_DATA_HOME: join(options.homeDir, 'data'),
    },
    reject: false,
    ...(run.input === undefined ? { stdin: 'ignore' as const } : { input: run.input }),
    ...(run.signal ? { cancelSignal: run.signal } : {}),
  });
  if (result.exitCode === 0) return result.stdout;
  run.signal?.throwIfAborted();
  throw new LabError(`helm ${args[0]} failed: ${(result.stderr || result.message || '').trim()}`, {
    code: 'HELM_FAILED',
    side: 'user',
    remedy: 'kubectl get pods,events -A shows what is wrong (kind-e2e kubeconfig gives the kubeconfig)',
  });
}

/** Stands for all that goes into a release: the chart's files and the values. */
export function releaseHash(chart: string, values: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const file of globSync('**/*', { cwd: chart, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(`${file.slice(chart.length)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}
