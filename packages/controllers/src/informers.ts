import type { Clock, Logger } from '@kind-e2e/base';
import {
  type ApiObject,
  createInformer,
  dropManagedFields,
  type Informer,
  type KubeClient,
  RESOURCES,
} from '@kind-e2e/kube-client';
import type { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1.d.ts';
import type { Lease } from 'kubernetes-types/coordination/v1.d.ts';
import type {
  ConfigMap,
  Endpoints,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  ResourceQuota,
  Service,
  ServiceAccount,
} from 'kubernetes-types/core/v1.d.ts';
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import { controllerOf } from './ownership/owner-references.ts';
import { leanPod } from './pods/lean-pod.ts';

/** The resources that controllers watch, and the types of their objects. */
export interface WatchedObjects {
  certificatesigningrequests: CertificateSigningRequest;
  configmaps: ConfigMap;
  controllerrevisions: ControllerRevision;
  cronjobs: CronJob;
  daemonsets: DaemonSet;
  deployments: Deployment;
  endpoints: Endpoints;
  endpointslices: EndpointSlice;
  horizontalpodautoscalers: HorizontalPodAutoscaler;
  jobs: Job;
  leases: Lease;
  namespaces: Namespace;
  nodes: Node;
  persistentvolumeclaims: PersistentVolumeClaim;
  persistentvolumes: PersistentVolume;
  poddisruptionbudgets: PodDisruptionBudget;
  pods: Pod;
  replicasets: ReplicaSet;
  replicationcontrollers: ReplicationController;
  resourcequotas: ResourceQuota;
  serviceaccounts: ServiceAccount;
  services: Service;
  statefulsets: StatefulSet;
  storageclasses: StorageClass;
}

export type WatchedName = keyof WatchedObjects;

type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** By the uid of the controlling owner; and, for those that nobody controls, by namespace. */
const byController = {
  controller: (object: ApiObject): readonly string[] => {
    const owner = controllerOf(object);
    return owner ? [owner.uid] : [];
  },
  orphan: (object: ApiObject): readonly string[] => (controllerOf(object) ? [] : [object.metadata?.namespace ?? '']),
};

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

const INDEXERS: { readonly [K in WatchedName]?: Indexers<WatchedObjects[K]> } = {
  pods: {
    ...byController,
    node: (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []),
    claim: (pod) =>
      (pod.spec?.volumes ?? []).flatMap((volume) => {
        const name =
          volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod.metadata?.name}-${volume.name}` : '');
        return name === '' ? [] : [`${pod.metadata?.namespace}/${name}`];
      }),
  },
  replicasets: byController,
  controllerrevisions: byController,
  jobs: byController,
  endpointslices: {
    service: (slice) => {
      const name = slice.metadata?.labels?.[SERVICE_NAME_LABEL];
      return name ? [`${slice.metadata?.namespace}/${name}`] : [];
    },
  },
};

/** What the cache need not hold of an object, taken away to save memory. */
const TRANSFORMS: { readonly [K in WatchedName]?: (object: WatchedObjects[K]) => WatchedObjects[K] } = {
  pods: leanPod,
};

/** One informer for each resource, shared by all controllers of a process, started when it is first asked for. */
export class SharedInformers implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #informers = new Map<WatchedName, Informer<never>>();

  constructor(options: { readonly client: KubeClient; readonly logger: Logger; readonly clock: Clock }) {
    this.#client = options.client;
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  of<K extends WatchedName>(name: K): Informer<WatchedObjects[K]> {
    let informer = this.#informers.get(name) as Informer<WatchedObjects[K]> | undefined;
    if (!informer) {
      informer = createInformer<WatchedObjects[K]>({
        client: this.#client,
        resource: RESOURCES[name],
        logger: this.#logger,
        clock: this.#clock,
        indexers: INDEXERS[name] as Indexers<WatchedObjects[K]> | undefined,
        transform: (TRANSFORMS[name] ?? dropManagedFields) as (object: WatchedObjects[K]) => WatchedObjects[K],
      });
      this.#informers.set(name, informer as Informer<never>);
    }
    return informer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer[Symbol.asyncDispose]()));
  }
}
