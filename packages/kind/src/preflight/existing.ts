import { nodeNames } from '../cluster-config.ts';
import { OWNER_LABEL, REGISTRY_CONTAINER, type Settings } from '../options.ts';
import { clusterFingerprint } from '../plan/cluster-steps.ts';
import type { CommandRunner } from '../run/command-runner.ts';
import type { LabState } from '../run/state.ts';
import { listClusters, takeSurvey } from '../run/survey.ts';
import type { Finding } from './finding.ts';

export interface Existing {
  readonly findings: readonly Finding[];
  /** Ports that are held by what is ours. */
  readonly ourPorts: ReadonlySet<keyof Settings['ports']>;
}

/** A cluster and a registry that are there already: ours and well, ours and not well, or somebody else's. */
export async function checkExisting(
  settings: Settings,
  runner: CommandRunner,
  state: LabState | undefined,
  signal: AbortSignal,
): Promise<Existing> {
  const registry = await checkRegistry(settings, runner, signal);
  const cluster = await checkCluster(settings, runner, state, signal);
  return {
    findings: [registry.finding, cluster.finding],
    ourPorts: new Set([
      ...(registry.isOurs ? (['registry'] as const) : []),
      ...(cluster.isOurs ? (['gateway', 'api'] as const) : []),
    ]),
  };
}

interface Found {
  readonly isOurs: boolean;
  readonly finding: Finding;
}

async function checkRegistry(settings: Settings, runner: CommandRunner, signal: AbortSignal): Promise<Found> {
  const check = 'Registry container';
  const result = await runner.run(
    {
      program: 'docker',
      args: ['container', 'inspect', '--format', `{{index .Config.Labels "${OWNER_LABEL}"}}`, REGISTRY_CONTAINER],
    },
    signal,
  );
  if (result.exitCode !== 0)
    return { isOurs: false, finding: { check, state: 'ok', detail: 'none yet; it will be made' } };
  if (result.stdout.trim() === settings.clusterName)
    return { isOurs: true, finding: { check, state: 'ok', detail: `${REGISTRY_CONTAINER} is there` } };
  return {
    isOurs: false,
    finding: {
      check,
      state: 'problem',
      detail: `a container ${REGISTRY_CONTAINER} is there that this lab did not make`,
      remedy: `if nobody needs it: docker rm --force ${REGISTRY_CONTAINER}`,
    },
  };
}

async function checkCluster(
  settings: Settings,
  runner: CommandRunner,
  state: LabState | undefined,
  signal: AbortSignal,
): Promise<Found> {
  const check = 'Cluster';
  const name = settings.clusterName;
  const problem = (detail: string, remedy: string, isOurs = true): Found => ({
    isOurs,
    finding: { check, state: 'problem', detail, remedy },
  });
  const fine = (detail: string, isOurs = true): Found => ({ isOurs, finding: { check, state: 'ok', detail } });
  if (!(await listClusters(runner, signal)).has(name)) return fine('none yet; it will be made', false);
  const record = state?.steps.cluster;
  if (state === undefined || record === undefined || state.clusterName !== name)
    return problem(
      `a kind cluster ${name} is there that this lab did not make`,
      `if nobody needs it: kind delete cluster --name ${name}   or choose another name with --cluster-name`,
      false,
    );
  if (settings.rebuild) return fine(`${name} will be deleted and made anew, as you asked`);
  if (record.finishedAt === undefined) return fine(`${name} was left half made; it will be made anew`);
  if (record.fingerprint !== clusterFingerprint(settings))
    return problem(
      `${name} was made with other options (nodes, ports or version), and kind cannot change a cluster`,
      'give the same options, or make it anew with --rebuild',
    );
  if ((await takeSurvey(settings, runner, signal)).answers) return fine(`${name} is there and answers`);
  return problem(await whySilent(settings, runner, signal), 'kind-e2e up --engine kind --rebuild');
}

/** With several control planes a kind cluster does not come back after a reboot (kind issue 1689). */
async function whySilent(settings: Settings, runner: CommandRunner, signal: AbortSignal): Promise<string> {
  const result = await runner.run(
    {
      program: 'docker',
      args: ['ps', '--filter', `label=io.x-k8s.kind.cluster=${settings.clusterName}`, '--format', '{{.Names}}'],
    },
    signal,
  );
  const running = new Set(result.stdout.split('\n').filter(Boolean));
  const stopped = nodeNames(settings).filter((node) => !running.has(node));
  const why =
    stopped.length > 0 ? `${stopped.length} of its nodes are stopped` : 'its nodes run, but its API does not answer';
  return `the cluster ${settings.clusterName} did not survive, probably a reboot: ${why}`;
}
