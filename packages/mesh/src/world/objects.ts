import type { ObjectMeta } from '@kind-e2e/kube-api';

/** The parts of Kubernetes objects that the mesh reads. */
interface Meta {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

export interface PodLike extends Meta {
  spec?: {
    hostNetwork?: boolean;
    nodeName?: string;
    serviceAccountName?: string;
    containers?: { name?: string; ports?: { name?: string; containerPort: number; protocol?: string }[] }[];
    initContainers?: {
      name?: string;
      restartPolicy?: string;
      ports?: { name?: string; containerPort: number; protocol?: string }[];
    }[];
  };
  status?: { phase?: string; podIP?: string; conditions?: { type?: string; status?: string }[] };
}

export interface ServicePort {
  name?: string;
  protocol?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  appProtocol?: string;
}

export interface ServiceLike extends Meta {
  spec?: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    externalName?: string;
    externalIPs?: string[];
    selector?: Record<string, string>;
    ports?: ServicePort[];
    sessionAffinity?: string;
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
    publishNotReadyAddresses?: boolean;
  };
}

export interface EndpointSliceLike extends Meta {
  addressType?: string;
  endpoints?: {
    addresses?: string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
    targetRef?: { kind?: string; name?: string; namespace?: string };
    hostname?: string;
    nodeName?: string;
    zone?: string;
  }[];
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[];
}

export type NamespaceLike = Meta;

export interface NodeLike extends Meta {
  spec?: unknown;
}

export interface ConfigMapLike extends Meta {
  data?: Record<string, string>;
}

export interface SecretLike extends Meta {
  type?: string;
  data?: Record<string, string>;
}

/** An object of one of Istio's kinds; specs are checked on use. */
export interface IstioObject<Spec> extends Meta {
  spec?: Spec;
  status?: IstioStatus;
}

export interface IstioStatus {
  conditions?: { type?: string; status?: string; reason?: string; message?: string; lastTransitionTime?: string }[];
  validationMessages?: ValidationMessage[];
  observedGeneration?: number | string;
}

export interface ValidationMessage {
  readonly type: { readonly code: string; readonly name: string };
  readonly level: 'ERROR' | 'WARNING' | 'INFO';
  readonly documentationUrl: string;
  readonly message?: string;
}
