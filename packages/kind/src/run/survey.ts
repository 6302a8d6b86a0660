import type { Settings } from '../options.ts';
import type { CommandRunner } from './command-runner.ts';

/** What is there before a run: asked once. */
export interface Survey {
  /** Names that `kind get clusters` gives. */
  readonly clusters: ReadonlySet<string>;
  /** Whether the cluster answers. */
  readonly answers: boolean;
  /** Releases by `namespace/name`. */
  readonly releases: ReadonlyMap<string, ReleaseFound>;
}

export interface ReleaseFound {
  readonly name: string;
  readonly namespace: string;
  /** `deployed`, `failed`, `pending-install`, `pending-upgrade`, `pending-rollback`, `uninstalling`, … */
  readonly status: string;
  /** Name and version of the chart, joined by a dash. */
  readonly chart: string;
}

/** Every status that matters, by flags that Helm 3 and 4 both have: `--all` is gone in 4, where it would be the default. */
const STATUSES = ['--deployed', '--failed', '--pending', '--uninstalling'];

export async function takeSurvey(settings: Settings, runner: CommandRunner, signal: AbortSignal): Promise<Survey> {
  const clusters = settings.engine === 'kind' ? await listClusters(runner, signal) : new Set<string>();
  if (settings.engine === 'kind' && !clusters.has(settings.clusterName))
    return { clusters, answers: false, releases: new Map() };
  const ready = await runner.run(
    { program: 'kubectl', args: [...kubectlFlags(settings), 'get', '--raw=/readyz', '--request-timeout=10s'] },
    signal,
  );
  const answers = ready.exitCode === 0;
  return { clusters, answers, releases: answers ? await listReleases(settings, runner, signal) : new Map() };
}

/** `kind get clusters` says "No kind clusters found." on standard error and nothing on standard output. */
export async function listClusters(runner: CommandRunner, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const result = await runner.run({ program: 'kind', args: ['get', 'clusters'] }, signal);
  return new Set(result.exitCode === 0 ? result.stdout.split('\n').filter((line) => line.trim() !== '') : []);
}

export async function listReleases(
  settings: Settings,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReleaseFound>> {
  const result = await runner.run(
    { program: 'helm', args: ['list', '--all-namespaces', ...STATUSES, '--output', 'json', ...helmFlags(settings)] },
    signal,
  );
  if (result.exitCode !== 0) return new Map();
  const found = JSON.parse(result.stdout || '[]') as ReleaseFound[];
  return new Map(found.map((release) => [`${release.namespace}/${release.name}`, release]));
}

/** Flags that bind kubectl to the lab's cluster, whatever the user's current context is. */
export function kubectlFlags(settings: Settings): readonly string[] {
  return [
    ...(settings.kubeconfig === undefined ? [] : ['--kubeconfig', settings.kubeconfig]),
    '--context',
    settings.context,
  ];
}

/** The same for Helm. */
export function helmFlags(settings: Settings): readonly string[] {
  return [
    ...(settings.kubeconfig === undefined ? [] : ['--kubeconfig', settings.kubeconfig]),
    '--kube-context',
    settings.context,
  ];
}
