import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type Clock, LabError } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { execa } from 'execa';
import { type Installation, imageFolder } from '../config/installation.ts';
import type { LabConfig } from '../config/lab-config.ts';
import { pushProcessImage } from '../images/build-app.ts';
import { findTool } from '../tools/index.ts';
import { applyManifests, readManifests } from '../up/manifests.ts';
import { waitForDeployments } from '../up/readiness.ts';
import { waitFor } from '../up/wait.ts';

export interface StartJenkinsOptions {
  readonly client: KubeClient;
  readonly config: LabConfig;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly say: (detail: string) => void;
  readonly signal: AbortSignal;
}

export const PIPELINE_JOB = 'kind-e2e';
const NAMESPACE = 'jenkins';
const AGENTS = 3;
const TIMEOUT_MS = 60_000;

/**
 * Brings controller and agents up, where they are not yet: images, objects of `manifests/jenkins`, the agents' token.
 * `up` does not call it, so that a lab without builds stays small.
 */
export async function startJenkins(options: StartJenkinsOptions): Promise<void> {
  const { client, config, installation, clock, say, signal } = options;
  const registry = `localhost:${config.ports.registry}`;
  const gateway = `http://localhost:${config.ports.gateway}`;
  say('building the images');
  const [controller, agent] = await Promise.all([
    pushProcessImage(imageFolder(installation, 'jenkins'), `${registry}/kind-e2e/jenkins:dev`),
    pushProcessImage(imageFolder(installation, 'jenkins-agent'), `${registry}/kind-e2e/jenkins-agent:dev`),
  ]);
  const jobs = [
    {
      name: PIPELINE_JOB,
      description: 'Builds, tests and deploys the demo app',
      scm: { url: installation.root, branch: 'HEAD', scriptPath: 'jenkins/Jenkinsfile' },
    },
  ];
  const objects = await readManifests(join(installation.root, 'packages', 'embedded', 'manifests', 'jenkins'), {
    DATA_DIR: config.dataDir,
    ROOT: installation.root,
    TOOLS: dirname(await findTool('helm', { directory: installation.tools, env: process.env })),
    REGISTRY_PORT: String(config.ports.registry),
    GATEWAY_URL: gateway,
    JENKINS_DIGEST: controller.digest,
    AGENT_DIGEST: agent.digest,
    JOBS: JSON.stringify(jobs).replaceAll("'", "''"),
  });
  await applyManifests(client, objects.slice(0, 1));
  await ensureToken(client);
  const repository = await gitFolderOutside(installation.root);
  await applyManifests(client, repository === undefined ? objects.slice(1) : objects.slice(1).map(seeing(repository)));
  await waitForDeployments(NAMESPACE, { client, clock, timeoutMs: TIMEOUT_MS, say, signal });
  say('waiting for the agents');
  await waitFor(
    async () => {
      const answer = await fetch(`${gateway}/jenkins/computer/api/json`, { signal: AbortSignal.timeout(2_000) });
      if (!answer.ok)
        throw new LabError(`the controller answered ${answer.status}`, { code: 'JENKINS', side: 'internal' });
      const { computer } = (await answer.json()) as { computer: readonly { readonly offline: boolean }[] };
      return computer.filter(({ offline }) => !offline).length >= AGENTS ? true : undefined;
    },
    { clock, timeoutMs: TIMEOUT_MS, intervalMs: 50, what: 'the agents to connect', signal },
  );
}

/** The checkout's repository, where it lies elsewhere: a work tree of `git worktree` keeps its history with the first one. */
async function gitFolderOutside(root: string): Promise<string | undefined> {
  const { stdout, failed } = await execa(
    'git',
    ['-C', root, 'rev-parse', '--path-format=absolute', '--git-common-dir'],
    {
      reject: false,
    },
  );
  return failed || stdout.startsWith(`${root}/`) ? undefined : stdout;
}

/** Lets the pods of a workload see a folder of this machine under its own path. */
function seeing(path: string): (object: ApiObject) => ApiObject {
  return (object) => {
    const { spec } = object as PodOwner;
    const pod = spec?.template?.spec;
    if (!pod) return object;
    const volumes = [...pod.volumes, { name: 'repository', hostPath: { path } }];
    const containers = pod.containers.map((container) => ({
      ...container,
      volumeMounts: [...container.volumeMounts, { name: 'repository', mountPath: path, readOnly: true }],
    }));
    return {
      ...object,
      spec: { ...spec, template: { ...spec.template, spec: { ...pod, volumes, containers } } },
    } as ApiObject;
  };
}

interface PodOwner extends ApiObject {
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly volumes: readonly object[];
        readonly containers: readonly { readonly volumeMounts: readonly object[] }[];
      };
    };
  };
}

async function ensureToken(client: KubeClient): Promise<void> {
  try {
    await client.create(RESOURCES.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'jenkins-agent', namespace: NAMESPACE },
      stringData: { token: randomBytes(24).toString('hex') },
    } as object);
  } catch (error) {
    if (!isStatusError(error, 409)) throw error;
  }
}
