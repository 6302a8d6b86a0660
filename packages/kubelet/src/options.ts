import type { Clock, Logger } from '@kind-e2e/base';
import type { KubeClient } from '@kind-e2e/kube-client';
import type { ImageStore } from '@kind-e2e/oci';
import type { KubeletShared } from './shared.ts';

export interface KubeletOptions {
  readonly nodeName: string;
  /** `InternalIP` of the node, where the kubelet API listens. */
  readonly nodeAddress: string;
  /** Acts as `system:node:<nodeName>`. */
  readonly client: KubeClient;
  /** What the kubelets of one process have in common; made by `createKubeletShared`. */
  readonly shared: KubeletShared;
  /** From which pods get their addresses, `127.8.0.0/24`. */
  readonly podCidr: string;
  /** Adds the label `node-role.kubernetes.io/<role>` for each. */
  readonly roles?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Defaults: the machine's CPUs and memory, 250 pods. */
  readonly capacity?: { readonly cpu?: string; readonly memory?: string; readonly pods?: number };
  /** Serving certificate of the kubelet API. */
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Bearer token that callers of the kubelet API must show. */
  readonly apiToken: string;
  /** Port of the kubelet API. Default 10250; 0 takes a free one. */
  readonly apiPort?: number;
  readonly logger: Logger;
}

export interface KubeletSharedOptions {
  /** Reads services, for the service variables. */
  readonly client: KubeClient;
  /** The lab's data directory: `pods/`, `log/pods/`, `volumes/`, `runtime/` below it are the kubelets'. */
  readonly dataDir: string;
  readonly images: ImageStore;
  /** Node.js program that `node` means in containers whose image has none. */
  readonly nodeBinary: string;
  /** The preload for Node.js programs. Default: `preload/kind-e2e-preload.cjs` of this package. */
  readonly preloadPath?: string;
  /** First port that containers have without a shift. Default: what the system says (`readLowPortLimit`). */
  readonly lowPortLimit?: number;
  /** `address:port` of the cluster's DNS for pods without sidecar. */
  readonly dnsAddress?: string;
  /** Port of the sidecar's DNS on a pod's outbound address. Default DNS_PORT of `@kind-e2e/base`. */
  readonly sidecarDnsPort?: number;
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** What KUBERNETES_SERVICE_HOST and _PORT say. Default: the address and port of the service `kubernetes`. */
  readonly apiServerEndpoint?: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly logger: Logger;
  /** `direct` does without namespaces even where they work (for tests). Default: what the machine can do. */
  readonly view?: 'auto' | 'direct';
  /** How often mounted ConfigMaps and Secrets are looked at. Default 5,000 ms. */
  readonly objectRefreshMs?: number;
  /** Back-off of crashed containers. Default 1,000 to 60,000 ms (KEP-4603's reduced decay). */
  readonly crashBackoff?: { readonly initialMs: number; readonly maxMs: number };
  /** Back-off of failed pulls. Default 5,000 to 60,000 ms; upstream takes 10 s to 300 s, too slow for a local registry. */
  readonly pullBackoff?: { readonly initialMs: number; readonly maxMs: number };
  /** Sizes at which container logs rotate. Default 10 MiB and 5 files. */
  readonly logRotation?: { readonly maxBytes: number; readonly maxFiles: number };
}
