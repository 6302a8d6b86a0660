import { cpus, release, totalmem } from 'node:os';
import { formatTime } from '@kind-e2e/kube-api';
import type { Node, NodeCondition } from 'kubernetes-types/core/v1.d.ts';
import type { KubeletOptions } from '../options.ts';

/** The Kubernetes version that the lab's interfaces are those of. */
export const KUBELET_VERSION = 'v1.36.2';
export const DEFAULT_POD_CAPACITY = 250;
const DEFAULT_STORAGE = '52428800Ki';

export interface NodeCapacity {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: string;
  readonly 'ephemeral-storage': string;
}

export function capacityOf(options: KubeletOptions): NodeCapacity {
  return {
    cpu: options.capacity?.cpu ?? String(cpus().length),
    memory: options.capacity?.memory ?? `${Math.floor(totalmem() / 1024)}Ki`,
    pods: String(options.capacity?.pods ?? DEFAULT_POD_CAPACITY),
    'ephemeral-storage': DEFAULT_STORAGE,
  };
}

/** Labels that a kubelet gives its node (kubernetes pkg/kubelet/kubelet_node_status.go), with roles and the caller's. */
export function labelsOf(options: KubeletOptions): Record<string, string> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': options.nodeName,
    'kubernetes.io/os': 'linux',
    ...Object.fromEntries((options.roles ?? []).map((role) => [`node-role.kubernetes.io/${role}`, ''])),
    ...options.labels,
  };
}

/** The node as it is first registered; status comes with the heartbeats. */
export function nodeObject(options: KubeletOptions): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: options.nodeName,
      labels: labelsOf(options),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      podCIDR: options.podCidr,
      podCIDRs: [options.podCidr],
      providerID: `kind-e2e://embedded/${options.nodeName}`,
      ...(options.taints && options.taints.length > 0 ? { taints: options.taints.map((taint) => ({ ...taint })) } : {}),
    },
  };
}

export interface NodeStatusInput {
  readonly options: KubeletOptions;
  readonly apiPort: number;
  readonly images: readonly { readonly names: string[]; readonly sizeBytes: number }[];
  readonly before: Node | undefined;
  readonly nowMs: number;
  readonly systemUuid: string;
  readonly bootId: string;
}

export function nodeStatus(input: NodeStatusInput): NonNullable<Node['status']> {
  const { options } = input;
  const capacity = { ...capacityOf(options) };
  return {
    addresses: [
      { type: 'InternalIP', address: options.nodeAddress },
      { type: 'Hostname', address: options.nodeName },
    ],
    capacity,
    allocatable: capacity,
    conditions: [
      condition(
        input,
        'MemoryPressure',
        'False',
        'KubeletHasSufficientMemory',
        'kubelet has sufficient memory available',
      ),
      condition(input, 'DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition(input, 'PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition(input, 'Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: input.apiPort } },
    nodeInfo: {
      machineID: input.systemUuid.replaceAll('-', ''),
      systemUUID: input.systemUuid,
      bootID: input.bootId,
      kernelVersion: release(),
      osImage: 'kind-e2e embedded',
      containerRuntimeVersion: 'containerd://2.2.0',
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    },
    images: input.images.map((image) => ({ names: image.names, sizeBytes: image.sizeBytes })),
  };
}

function condition(
  input: NodeStatusInput,
  type: string,
  status: string,
  reason: string,
  message: string,
): NodeCondition {
  const before = input.before?.status?.conditions?.find((each) => each.type === type);
  return {
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: formatTime(input.nowMs),
    lastTransitionTime:
      before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : formatTime(input.nowMs),
  };
}
