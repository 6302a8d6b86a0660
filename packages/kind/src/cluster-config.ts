import { stringify } from 'yaml';
import type { Settings } from './options.ts';
import { NODE_IMAGE } from './versions.ts';

/** Port of every node that leads to the ingress gateway; `helm/istio-ingressgateway/values.yaml` has the same. */
export const GATEWAY_NODE_PORT = 30_080;
const AUDIT_POLICY_IN_NODE = '/etc/kubernetes/policies/audit-policy.yaml';

export type ClusterShape = Pick<Settings, 'clusterName' | 'controlPlanes' | 'workers' | 'ports'> & {
  /** The audit policy on the host. */
  readonly auditPolicy: string;
};

/**
 * The configuration of `kind create cluster` (kind.x-k8s.io/v1alpha4): pinned nodes, the gateway's port on the host,
 * the API server's address, where containerd finds the hosts of registries, and an audit log of what is created.
 */
export function clusterConfig(shape: ClusterShape): string {
  const node = (role: 'control-plane' | 'worker', extra: object = {}): object => ({
    role,
    image: NODE_IMAGE,
    ...extra,
  });
  const mounts = {
    extraMounts: [{ hostPath: shape.auditPolicy, containerPath: AUDIT_POLICY_IN_NODE, readOnly: true }],
  };
  const config = {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: shape.clusterName,
    networking: { apiServerAddress: '127.0.0.1', apiServerPort: shape.ports.api },
    containerdConfigPatches: [
      '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n',
    ],
    kubeadmConfigPatches: [auditPatch()],
    nodes: [
      node('control-plane', {
        ...mounts,
        extraPortMappings: [
          {
            containerPort: GATEWAY_NODE_PORT,
            hostPort: shape.ports.gateway,
            listenAddress: '127.0.0.1',
            protocol: 'TCP',
          },
        ],
      }),
      ...Array.from({ length: shape.controlPlanes - 1 }, () => node('control-plane', mounts)),
      ...Array.from({ length: shape.workers }, () => node('worker')),
    ],
  };
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** As kind's auditing guide has it, in the list form of kubeadm's v1beta4 for `extraArgs`. */
function auditPatch(): string {
  return stringify({
    kind: 'ClusterConfiguration',
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    apiServer: {
      extraArgs: [
        { name: 'audit-log-path', value: '/var/log/kubernetes/kube-apiserver-audit.log' },
        { name: 'audit-log-maxsize', value: '50' },
        { name: 'audit-log-maxbackup', value: '2' },
        { name: 'audit-policy-file', value: AUDIT_POLICY_IN_NODE },
      ],
      extraVolumes: [
        {
          name: 'audit-policies',
          hostPath: '/etc/kubernetes/policies',
          mountPath: '/etc/kubernetes/policies',
          readOnly: true,
          pathType: 'DirectoryOrCreate',
        },
        {
          name: 'audit-logs',
          hostPath: '/var/log/kubernetes',
          mountPath: '/var/log/kubernetes',
          readOnly: false,
          pathType: 'DirectoryOrCreate',
        },
      ],
    },
  });
}

/** Names that kind gives the containers of the nodes, without the load balancer in front of several control planes. */
export function nodeNames(shape: Pick<Settings, 'clusterName' | 'controlPlanes' | 'workers'>): readonly string[] {
  const names = (role: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${shape.clusterName}-${role}${index === 0 ? '' : index + 1}`);
  return [...names('control-plane', shape.controlPlanes), ...names('worker', shape.workers)];
}
