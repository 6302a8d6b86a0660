import { type Helmfile, releaseKey } from '../helmfile.ts';
import type { Settings } from '../options.ts';
import { APP_RELEASE } from '../plan/release-steps.ts';
import type { CommandRunner } from '../run/command-runner.ts';
import type { LabState } from '../run/state.ts';
import { kubectlFlags, listReleases } from '../run/survey.ts';
import { MIN_KUBERNETES_MINOR } from '../versions.ts';
import type { Finding } from './finding.ts';

/** A cluster of others: it answers, is new enough, lets us install, and has nothing of the same name. */
export async function checkOtherCluster(
  settings: Settings,
  helmfile: Helmfile,
  runner: CommandRunner,
  state: LabState | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { context } = settings;
  const version = await runner.run(
    { program: 'kubectl', args: [...kubectlFlags(settings), 'version', '--output', 'json', '--request-timeout=10s'] },
    signal,
  );
  const server = version.exitCode === 0 ? serverMinor(version.stdout) : undefined;
  if (server === undefined)
    return [
      {
        check: 'Cluster',
        state: 'problem',
        detail: `the context ${context} does not answer: ${version.stderr.trim().split('\n').at(-1) ?? ''}`,
        remedy: `kubectl config get-contexts lists what there is; kubectl --context ${context} get nodes tries it`,
      },
    ];
  if (server < MIN_KUBERNETES_MINOR)
    return [
      {
        check: 'Cluster',
        state: 'problem',
        detail: `Kubernetes 1.${server}; Istio 1.30 needs 1.${MIN_KUBERNETES_MINOR} or newer`,
        remedy: 'update the cluster, or choose another with --context',
      },
    ];
  const rights = await runner.run(
    { program: 'kubectl', args: [...kubectlFlags(settings), 'auth', 'can-i', '*', '*', '--all-namespaces'] },
    signal,
  );
  if (rights.exitCode !== 0)
    return [
      {
        check: 'Rights',
        state: 'problem',
        detail: `you are no administrator of ${context}; the mesh brings resource definitions and webhooks`,
        remedy: 'ask for the cluster role cluster-admin',
      },
    ];
  const wanted = helmfile.releases.map((release) =>
    releaseKey(release.name === APP_RELEASE ? { ...release, namespace: settings.appNamespace } : release),
  );
  const found = await listReleases(settings, runner, signal);
  const foreign = wanted.filter((key) => found.has(key) && !state?.releases.includes(key));
  if (foreign.length > 0 && !settings.adopt)
    return [
      {
        check: 'Releases',
        state: 'problem',
        detail: `there already, and not installed by this lab: ${foreign.join(', ')}`,
        remedy: 'to upgrade them to the versions of helmfile.yaml, and let `down` remove them: --adopt',
      },
    ];
  return [{ check: 'Cluster', state: 'ok', detail: `${context}, Kubernetes 1.${server}` }];
}

function serverMinor(text: string): number | undefined {
  try {
    const { serverVersion } = JSON.parse(text) as { serverVersion?: { gitVersion?: string } };
    const minor = /^v1\.(\d+)/.exec(serverVersion?.gitVersion ?? '')?.[1];
    return minor === undefined ? undefined : Number(minor);
  } catch {
    return undefined;
  }
}
