import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { appAddressOf, outboundAddressOf } from '@kind-e2e/base';
import type { ContainerConfig, LocalImage } from '@kind-e2e/oci';
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import { ContainerConfigError, containerVariables } from '../env/container-env.ts';
import { expandVariables } from '../env/expand.ts';
import { serviceVariables } from '../env/service-env.ts';
import type { NodeContext } from '../node/node-context.ts';
import { makeCpuGroup } from '../runtime/cpu-cgroups.ts';
import { type ContainerMount, LAB_FOLDER } from '../runtime/view.ts';
import type { PreparedVolume } from '../volumes/pod-volumes.ts';
import { resolveSubPath } from '../volumes/sub-path.ts';
import { formatPod, isInjected } from './pod-model.ts';
import type { PodState } from './pod-state.ts';
import { qosClassOf } from './qos.ts';

/** What a container runs and sees: the container's configuration of the runtime interface. */
export interface ContainerPlan {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `uid:gid` other than 0:0. */
  readonly user?: string;
  readonly mounts: readonly ContainerMount[];
  readonly readOnlyRoot: boolean;
  readonly niceness: number;
  readonly terminationMessageFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** `cgroup.procs` of the group that enforces the CPU limit. */
  readonly cpuGroup?: string;
}

export interface PlanInput {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly state: PodState;
  readonly container: Container;
  readonly containerId: string;
  readonly image: LocalImage;
  readonly volumes: ReadonlyMap<string, PreparedVolume>;
  readonly podFolder: string;
  /** Folder of the run. */
  readonly directory: string;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const NICENESS_OF_BEST_EFFORT = 5;

/** The address on which the containers of a pod listen. */
export function listenAddressOf(pod: Pod, podIP: string): string {
  return isInjected(pod) && !pod.spec?.hostNetwork ? appAddressOf(podIP) : podIP;
}

/** Settles command, environment, user and mounts. Throws ContainerConfigError. */
export async function planContainer(input: PlanInput): Promise<ContainerPlan> {
  const { pod, container, image, directory } = input;
  const config = image.config.config ?? {};
  const user = await resolveUser(input, config);
  const variables = await variablesOf(input, config, user);
  const lookup = (name: string): string | undefined => variables.get(name);
  const expand = (parts: readonly string[]): string[] => parts.map((part) => expandVariables(part, lookup));
  const command = container.command && container.command.length > 0 ? expand(container.command) : undefined;
  const args = container.args && container.args.length > 0 ? expand(container.args) : undefined;
  const argv = [...(command ?? config.Entrypoint ?? []), ...(args ?? (command ? [] : (config.Cmd ?? [])))];
  if (argv.length === 0) throw new ContainerConfigError('no command specified');
  const terminationMessageFile = join(directory, 'termination-log');
  await mkdir(directory, { recursive: true });
  await writeFile(terminationMessageFile, '', { mode: 0o666 });
  return {
    argv,
    env: [...variables].map(([name, value]) => `${name}=${value}`),
    cwd: container.workingDir || config.WorkingDir || '/',
    ...(user.uid === 0 ? {} : { user: `${user.uid}:${user.gid}` }),
    mounts: await mountsOf(input, terminationMessageFile, lookup),
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
    niceness: qosClassOf(pod) === 'BestEffort' && !pod.spec?.priorityClassName ? NICENESS_OF_BEST_EFFORT : 0,
    terminationMessageFile,
    stopSignal: signalOf(config.StopSignal),
    ...cpuGroupOf(input),
  };
}

function cpuGroupOf({ node, container, containerId }: PlanInput): { cpuGroup?: string } {
  const cpuGroup = makeCpuGroup(node.shared.cpu, containerId, container.resources);
  return cpuGroup === undefined ? {} : { cpuGroup };
}

function signalOf(text: string | undefined): NodeJS.Signals {
  const name = (text ?? 'SIGTERM').toUpperCase();
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  return /^SIG(?:TERM|INT|QUIT|HUP|KILL|USR1|USR2|WINCH)$/.test(full) ? (full as NodeJS.Signals) : 'SIGTERM';
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** securityContext first, then the image's user, looked up in the image's /etc/passwd where it is a name. */
async function resolveUser(input: PlanInput, config: ContainerConfig): Promise<User> {
  const { pod, container, image } = input;
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  const isNonRootWanted = own?.runAsNonRoot ?? shared?.runAsNonRoot ?? false;
  const [name = '', group] = (config.User ?? '').split(':');
  const where = `(pod: "${formatPod(pod)}", container: ${container.name})`;
  if (isNonRootWanted) {
    if (runAsUser === undefined && name !== '' && !/^\d+$/.test(name))
      throw new ContainerConfigError(
        `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${where}`,
      );
    if ((runAsUser ?? Number(name || 0)) === 0)
      throw new ContainerConfigError(
        runAsUser === 0
          ? `container's runAsUser breaks non-root policy ${where}`
          : `container has runAsNonRoot and image will run as root ${where}`,
      );
  }
  if (runAsUser !== undefined) return { uid: runAsUser, gid: runAsGroup ?? 0 };
  if (name === '') return { uid: 0, gid: runAsGroup ?? 0 };
  if (/^\d+$/.test(name))
    return { uid: Number(name), gid: runAsGroup ?? (/^\d+$/.test(group ?? '') ? Number(group) : 0) };
  const passwd = await readFile(join(image.rootfs, 'etc/passwd'), 'utf8').catch(() => '');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((each) => each[0] === name);
  if (fields) return { uid: Number(fields[2]), gid: runAsGroup ?? Number(fields[3]) };
  if (name === 'root') return { uid: 0, gid: runAsGroup ?? 0 };
  throw new ContainerConfigError(`unable to find user ${name}: no matching entries in passwd file`);
}

async function variablesOf(input: PlanInput, config: ContainerConfig, user: User): Promise<Map<string, string>> {
  const { node, pod, state, container } = input;
  const { shared } = node;
  const namespace = pod.metadata?.namespace ?? 'default';
  const services = serviceVariables(
    shared.services.list(),
    namespace,
    pod.spec?.enableServiceLinks ?? true,
    shared.lowPortLimit,
  );
  const endpoint = shared.options.apiServerEndpoint;
  if (endpoint && services.has('KUBERNETES_SERVICE_HOST')) {
    services.set('KUBERNETES_SERVICE_HOST', endpoint.host);
    services.set('KUBERNETES_SERVICE_PORT', String(endpoint.port));
    services.set('KUBERNETES_SERVICE_PORT_HTTPS', String(endpoint.port));
  }
  const variables = new Map<string, string>();
  for (const entry of config.Env ?? []) {
    const equals = entry.indexOf('=');
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  const listenAddress = listenAddressOf(pod, state.podIP);
  variables.set('HOSTNAME', pod.spec?.hostname ?? pod.metadata?.name ?? '');
  if (!variables.has('HOME')) variables.set('HOME', user.uid === 0 ? '/root' : '/');
  variables.set('HOST', listenAddress);
  variables.set('POD_IP', state.podIP);
  const wanted = await containerVariables(container, {
    pod,
    addresses: { podIP: state.podIP, hostIP: node.nodeAddress },
    allocatable: node.allocatable,
    services,
    read: (kind, name) => shared.objects.get(node.client, kind, namespace, name),
  });
  for (const [name, value] of wanted) variables.set(name, value);
  const hasOwnNode = await imageHasNode(input.image.rootfs, variables.get('PATH') ?? DEFAULT_PATH);
  const path = variables.get('PATH') ?? DEFAULT_PATH;
  const isNamespace = shared.mode.kind === 'namespace';
  const bin = isNamespace ? `${LAB_FOLDER}/bin` : join(shared.options.dataDir, 'runtime', 'bin');
  variables.set('PATH', hasOwnNode ? path : `${bin}:${path}`);
  const preload = isNamespace ? `${LAB_FOLDER}/preload.cjs` : shared.preloadPath;
  const quoted = /\s/.test(preload) ? `"${preload}"` : preload;
  const options = variables.get('NODE_OPTIONS');
  variables.set('NODE_OPTIONS', `--require ${quoted}${options === undefined ? '' : ` ${options}`}`);
  variables.set('KIND_E2E_HOST', listenAddress);
  const dns = isInjected(pod)
    ? `${outboundAddressOf(state.podIP)}:${shared.sidecarDnsPort}`
    : shared.options.dnsAddress;
  if (dns !== undefined) {
    variables.set('KIND_E2E_DNS', dns);
    variables.set('KIND_E2E_DNS_SEARCH', searchDomains(pod, namespace, shared.clusterDomain).join(' '));
  }
  if (shared.lowPortLimit > 0) variables.set('KIND_E2E_LOW_PORTS', String(shared.lowPortLimit));
  variables.set('KIND_E2E_CONTAINER', input.containerId);
  return variables;
}

/** kubelet's dns.Configurer: the cluster's domains, then those of dnsConfig; none with dnsPolicy Default or None. */
function searchDomains(pod: Pod, namespace: string, clusterDomain: string): string[] {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const own = pod.spec?.dnsConfig?.searches ?? [];
  if (policy === 'Default' || policy === 'None') return [...own];
  return [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...own];
}

async function imageHasNode(rootfs: string, path: string): Promise<boolean> {
  for (const folder of path.split(':'))
    if (folder.startsWith('/') && (await lstat(join(rootfs, folder, 'node')).catch(() => undefined))) return true;
  return false;
}

async function mountsOf(
  input: PlanInput,
  terminationMessageFile: string,
  lookup: (name: string) => string | undefined,
): Promise<ContainerMount[]> {
  const { container, volumes, podFolder, node } = input;
  const mounts: ContainerMount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (!volume) throw new ContainerConfigError(`volume "${mount.name}" is not ready`);
    const subPath = mount.subPathExpr ? expandVariables(mount.subPathExpr, lookup) : mount.subPath;
    const source = subPath ? await resolveSubPath(volume.path, subPath) : volume.path;
    mounts.push({
      source,
      target: posix.normalize(mount.mountPath).replace(/(.)\/$/, '$1'),
      readOnly: volume.readOnly || (mount.readOnly ?? false),
    });
  }
  const isMounted = (target: string): boolean => mounts.some((mount) => mount.target === target);
  const messagePath = container.terminationMessagePath || '/dev/termination-log';
  if (!isMounted(messagePath)) mounts.push({ source: terminationMessageFile, target: messagePath, readOnly: false });
  if (node.shared.mode.kind === 'direct') return mounts;
  for (const name of ['hosts', 'hostname'])
    if (!isMounted(`/etc/${name}`))
      mounts.push({ source: join(podFolder, `etc-${name}`), target: `/etc/${name}`, readOnly: false });
  mounts.push(
    { source: node.shared.nodeBinary, target: `${LAB_FOLDER}/bin/node`, readOnly: true },
    { source: node.shared.preloadPath, target: `${LAB_FOLDER}/preload.cjs`, readOnly: true },
    {
      source: join(dirname(node.shared.preloadPath), 'low-ports.cjs'),
      target: `${LAB_FOLDER}/low-ports.cjs`,
      readOnly: true,
    },
  );
  return mounts;
}
