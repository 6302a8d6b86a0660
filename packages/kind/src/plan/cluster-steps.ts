import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterConfig, nodeNames } from '../cluster-config.ts';
import { OWNER_LABEL, REGISTRY_CONTAINER, type Settings } from '../options.ts';
import type { Command, PlannedCommand } from '../run/command.ts';
import { kubectlFlags, type Survey } from '../run/survey.ts';
import { REGISTRY_IMAGE } from '../versions.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { PlannedStep } from './step.ts';

const CREATE_WAIT = '5m';

/** Registry, cluster and what joins the two, as kind's guide "Local Registry" does it. */
export function clusterSteps(settings: Settings): readonly PlannedStep[] {
  return [registryStep(settings), clusterStep(settings), wiringStep(settings), namespaceStep(settings, ['wiring'])];
}

function registryStep(settings: Settings): PlannedStep {
  const { clusterName, ports } = settings;
  return {
    id: 'registry',
    title: `Local registry on 127.0.0.1:${ports.registry}`,
    needs: [],
    fingerprint: fingerprintOf(REGISTRY_IMAGE, ports.registry, clusterName),
    commands: [
      {
        program: 'docker',
        args: [
          'run',
          '--detach',
          '--restart=always',
          '--publish',
          `127.0.0.1:${ports.registry}:5000`,
          '--network',
          'bridge',
          '--name',
          REGISTRY_CONTAINER,
          '--label',
          `${OWNER_LABEL}=${clusterName}`,
          REGISTRY_IMAGE,
        ],
        unless: {
          says: 'the container is there',
          command: docker('container', 'inspect', REGISTRY_CONTAINER),
          isTrue: ({ exitCode }) => exitCode === 0,
        },
      },
      {
        program: 'docker',
        args: ['start', REGISTRY_CONTAINER],
        unless: {
          says: 'it runs',
          command: docker('container', 'inspect', '--format', '{{.State.Running}}', REGISTRY_CONTAINER),
          isTrue: ({ exitCode, stdout }) => exitCode === 0 && stdout.trim() === 'true',
        },
      },
    ],
  };
}

/** The configuration that the lab gives kind; what `kind/cluster.yaml` shows for the defaults. */
export function clusterConfigOf(settings: Settings): string {
  return clusterConfig({ ...settings, auditPolicy: join(settings.root, 'kind', 'audit-policy.yaml') });
}

export function clusterFingerprint(settings: Settings): string {
  return fingerprintOf(clusterConfigOf(settings));
}

function deleteCluster(settings: Settings): PlannedCommand {
  return {
    program: 'kind',
    args: ['delete', 'cluster', '--name', settings.clusterName, '--kubeconfig', settings.kubeconfig ?? ''],
  };
}

function clusterStep(settings: Settings): PlannedStep {
  const { clusterName, kubeconfig = '', controlPlanes, workers } = settings;
  const config = join(settings.dataDir, 'cluster.yaml');
  const exists = (survey: Survey): boolean => survey.clusters.has(clusterName);
  const parts = [`${controlPlanes} control-plane`, ...(workers > 0 ? [`${workers} worker`] : [])];
  return {
    id: 'cluster',
    title: `Cluster ${clusterName}: ${parts.join(' and ')} node${controlPlanes + workers === 1 ? '' : 's'}`,
    needs: [],
    files: [{ path: config, text: clusterConfigOf(settings) }],
    fingerprint: clusterFingerprint(settings),
    holds: (survey) => exists(survey) && survey.answers && !settings.rebuild,
    // kind gives up on a name that is there: what an interrupted run left, or what is to be rebuilt, goes first.
    repair: (survey) => (exists(survey) ? [deleteCluster(settings)] : []),
    commands: [
      {
        program: 'kind',
        args: [
          'create',
          'cluster',
          '--name',
          clusterName,
          '--config',
          config,
          '--kubeconfig',
          kubeconfig,
          '--wait',
          CREATE_WAIT,
        ],
      },
      ...(settings.mergeKubeconfig
        ? [{ program: 'kind', args: ['export', 'kubeconfig', '--name', clusterName] } as const]
        : []),
    ],
  };
}

function wiringStep(settings: Settings): PlannedStep {
  const host = `localhost:${settings.ports.registry}`;
  const folder = `/etc/containerd/certs.d/${host}`;
  const hosts = `[host."http://${REGISTRY_CONTAINER}:5000"]\n`;
  const hosting = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: local-registry-hosting',
    '  namespace: kube-public',
    'data:',
    '  localRegistryHosting.v1: |',
    `    host: "${host}"`,
    '    help: "https://kind.sigs.k8s.io/docs/user/local-registry/"',
    '',
  ].join('\n');
  return {
    id: 'wiring',
    title: 'Nodes know the registry',
    needs: ['registry', 'cluster'],
    fingerprint: fingerprintOf(host, nodeNames(settings)),
    commands: [
      ...nodeNames(settings).flatMap((node): PlannedCommand[] => [
        { program: 'docker', args: ['exec', node, 'mkdir', '-p', folder] },
        { program: 'docker', args: ['exec', '-i', node, 'cp', '/dev/stdin', `${folder}/hosts.toml`], input: hosts },
      ]),
      {
        program: 'docker',
        args: ['network', 'connect', 'kind', REGISTRY_CONTAINER],
        unless: {
          says: 'it is connected',
          command: docker('inspect', '--format', '{{json .NetworkSettings.Networks.kind}}', REGISTRY_CONTAINER),
          isTrue: ({ exitCode, stdout }) => exitCode === 0 && stdout.trim() !== 'null',
        },
      },
      apply(settings, hosting),
    ],
  };
}

/** The namespaces with their labels. On a cluster of others only those that are ours alone. */
export function namespaceStep(settings: Settings, needs: readonly string[]): PlannedStep {
  const file = settings.engine === 'kind' ? 'namespaces.yaml' : 'namespaces.cluster.yaml';
  const text = readFileSync(join(settings.root, 'kind', file), 'utf8').replaceAll('demo-app', settings.appNamespace);
  return {
    id: 'namespaces',
    title: 'Namespaces',
    needs,
    fingerprint: fingerprintOf(text),
    commands: [apply(settings, text)],
  };
}

/** Server-side, so that `default` and others' namespaces keep what others wrote. */
function apply(settings: Settings, input: string): PlannedCommand {
  return {
    program: 'kubectl',
    args: [
      ...kubectlFlags(settings),
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=kind-e2e',
      '--filename',
      '-',
    ],
    input,
  };
}

function docker(...args: readonly string[]): Command {
  return { program: 'docker', args };
}
