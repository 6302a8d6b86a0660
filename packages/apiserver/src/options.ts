import type { Clock, Logger } from '@kind-e2e/base';
import type { GroupVersionResource, KubeObject } from '@kind-e2e/kube-api';

/** Who asks, as authentication found out. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface TokenUser {
  readonly token: string;
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
}

/** What an admission mutator is asked about. */
export interface AdmissionRequest {
  readonly resource: GroupVersionResource;
  readonly operation: 'CREATE' | 'UPDATE';
  /** '' for objects of the cluster. */
  readonly namespace: string;
  readonly namespaceObject?: KubeObject;
  /** The object with its defaults. May be changed in place, or replaced by what the mutator gives back. */
  readonly object: KubeObject;
  readonly user: User;
  readonly dryRun: boolean;
  /** Says something to the client in a `Warning` header. */
  readonly warn: (text: string) => void;
}

/** A mutating webhook, but a function: gives the changed object, or undefined where nothing changes. It must not wait. */
export type AdmissionMutator = (request: AdmissionRequest) => KubeObject | undefined;

/** What an admission validator is asked about: any write, of subresources too, as it will be stored. */
export interface AdmissionReview extends AdmissionRequest {
  readonly subresource: string;
  /** As it is stored now. */
  readonly old: KubeObject | undefined;
}

/** A validating webhook, but a function: throws a `StatusError` to refuse. It must not wait. */
export type AdmissionValidator = (request: AdmissionReview) => void;

export interface KubeletAccess {
  /** Bearer token that the kubelets know the API server by. */
  readonly token: string;
  /** Authority that signed the kubelets' certificates. Without it their certificates are not checked. */
  readonly caPem?: string;
  /** Default `https`. */
  readonly scheme?: 'https' | 'http';
}

export interface ApiServerOptions {
  /** SQLite file. Without it nothing is kept (tests). */
  readonly dataFile?: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem?: string };
  /** Range that ClusterIPs are given from. Default `127.11.0.0/16`. */
  readonly serviceCidr?: string;
  /** ClusterIP of the service `kubernetes`. Default: the first address of the range. */
  readonly apiServiceAddress?: string;
  readonly tokens?: readonly TokenUser[];
  /** Authority whose client certificates are accepted. */
  readonly clientCaPem?: string;
  /** Key that signs and checks service account tokens, PEM: P-256 (ES256) or RSA (RS256). Default: a new one. */
  readonly serviceAccountKey?: { readonly privatePem: string };
  /** `iss` of service account tokens. Default `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer?: string;
  readonly kubelet?: KubeletAccess;
  readonly mutators?: readonly AdmissionMutator[];
  readonly validators?: readonly AdmissionValidator[];
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface ApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  readonly port: number;
  /** Last durable revision. */
  readonly revision: number;
  /** Ends listening, watches and streams, and makes durable what was accepted. */
  close(): Promise<void>;
}
