import { type Clock, Disposer, type Logger } from '@kind-e2e/base';
import { type ApiObject, createInformer, dropManagedFields, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { CRONJOB_FAMILIES, HPA_FAMILIES, JOB_FAMILIES } from './batch-families.ts';
import {
  CONFIGMAP_FAMILIES,
  ENDPOINT_FAMILIES,
  INGRESS_FAMILIES,
  NAMESPACE_FAMILIES,
  NODE_FAMILIES,
  PDB_FAMILIES,
  RESOURCEQUOTA_FAMILIES,
  SERVICE_FAMILIES,
} from './cluster-families.ts';
import { CONTAINER_FAMILIES } from './container-families.ts';
import { type Family, familiesText, type MetricLabels } from './family.ts';
import { POD_FAMILIES } from './pod-families.ts';
import { PV_FAMILIES, PVC_FAMILIES, STORAGECLASS_FAMILIES } from './storage-families.ts';
import {
  DAEMONSET_FAMILIES,
  DEPLOYMENT_FAMILIES,
  REPLICASET_FAMILIES,
  STATEFULSET_FAMILIES,
} from './workload-families.ts';

export interface StateMetricsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The content type of `text`. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * What kube-state-metrics tells of the objects of a cluster: their specification and status as metrics, by the names,
 * labels and values of its version 2 (github.com/kubernetes/kube-state-metrics, docs/metrics). Secrets, leases and what
 * needs an allow list there (labels and annotations) are not told.
 */
export class StateMetrics implements AsyncDisposable {
  static readonly contentType = CONTENT_TYPE;
  readonly #options: StateMetricsOptions;
  readonly #disposer = new Disposer();
  readonly #kinds: (() => string)[] = [];
  readonly #synced: Promise<void>[] = [];

  constructor(options: StateMetricsOptions) {
    this.#options = options;
    this.#add('configmaps', 'configmap', CONFIGMAP_FAMILIES);
    this.#add('cronjobs', 'cronjob', CRONJOB_FAMILIES);
    this.#add('daemonsets', 'daemonset', DAEMONSET_FAMILIES);
    this.#add('deployments', 'deployment', DEPLOYMENT_FAMILIES);
    this.#add('endpoints', 'endpoint', ENDPOINT_FAMILIES);
    this.#add('horizontalpodautoscalers', 'horizontalpodautoscaler', HPA_FAMILIES);
    this.#add('ingresses', 'ingress', INGRESS_FAMILIES);
    this.#add('jobs', 'job_name', JOB_FAMILIES);
    this.#add('namespaces', undefined, NAMESPACE_FAMILIES, ({ metadata }) => ({ namespace: metadata?.name ?? '' }));
    this.#add('nodes', undefined, NODE_FAMILIES, ({ metadata }) => ({ node: metadata?.name ?? '' }));
    this.#add('persistentvolumeclaims', 'persistentvolumeclaim', PVC_FAMILIES);
    this.#add('persistentvolumes', undefined, PV_FAMILIES, ({ metadata }) => ({
      persistentvolume: metadata?.name ?? '',
    }));
    this.#add('poddisruptionbudgets', 'poddisruptionbudget', PDB_FAMILIES);
    this.#add('pods', 'pod', [...POD_FAMILIES, ...CONTAINER_FAMILIES], withUid('pod'));
    this.#add('replicasets', 'replicaset', REPLICASET_FAMILIES);
    this.#add('resourcequotas', 'resourcequota', RESOURCEQUOTA_FAMILIES);
    this.#add('services', 'service', SERVICE_FAMILIES, withUid('service'));
    this.#add('statefulsets', 'statefulset', STATEFULSET_FAMILIES);
    this.#add('storageclasses', undefined, STORAGECLASS_FAMILIES, ({ metadata }) => ({
      storageclass: metadata?.name ?? '',
    }));
  }

  /** Every family in Prometheus' text format 0.0.4, as the objects are now. */
  text(): string {
    return this.#kinds.map((kind) => kind()).join('');
  }

  /** Resolves when every kind was listed. */
  async synced(): Promise<void> {
    await Promise.all(this.#synced);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposer[Symbol.asyncDispose]();
  }

  #add<T extends ApiObject>(
    resource: keyof typeof RESOURCES,
    label: string | undefined,
    families: readonly Family<T>[],
    labelsOf: (object: T) => MetricLabels = namespaced(label ?? ''),
  ): void {
    const informer = this.#disposer.use(
      createInformer<T>({ ...this.#options, resource: RESOURCES[resource], transform: withoutBulk }),
    );
    this.#synced.push(informer.synced);
    this.#kinds.push(() => familiesText(families, informer.list(), labelsOf));
  }
}

/** Without what no metric tells of. */
function withoutBulk<T extends ApiObject & { data?: unknown; binaryData?: unknown }>(object: T): T {
  delete object.data;
  delete object.binaryData;
  return dropManagedFields(object);
}

function namespaced(label: string): (object: ApiObject) => MetricLabels {
  return ({ metadata }) => ({ namespace: metadata?.namespace ?? '', [label]: metadata?.name ?? '' });
}

function withUid(label: string): (object: ApiObject) => MetricLabels {
  const base = namespaced(label);
  return (object) => ({ ...base(object), uid: object.metadata?.uid ?? '' });
}
