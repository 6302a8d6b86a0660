import { type Clock, Disposer, type Logger } from '@kind-e2e/base';
import { createInformer, type Informer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { KubernetesSdConfig } from './config-model.ts';
import {
  type EndpointSliceObject,
  type IngressObject,
  ingressTargets,
  type NodeObject,
  nodeTargets,
  type PodObject,
  podTargets,
  type ServiceObject,
  serviceTargets,
  sliceTargets,
  type TargetLabels,
} from './kubernetes-labels.ts';

type DiscoveredObject = PodObject & ServiceObject & EndpointSliceObject & NodeObject & IngressObject;

type DiscoveredResource = 'pods' | 'services' | 'nodes' | 'endpointslices' | 'ingresses';

export interface KubernetesDiscoveryOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Told, after a moment of quiet, that targets may have changed. */
  readonly onChange: () => void;
}

/** Changes within this time are told once. */
const SETTLE_MS = 200;

/** Finds targets by watching the API. One informer for each resource and selector, shared by all jobs. */
export class KubernetesDiscovery implements AsyncDisposable {
  readonly #options: KubernetesDiscoveryOptions;
  readonly #informers = new Map<string, Informer<DiscoveredObject>>();
  readonly #disposer = new Disposer();
  #pending = false;

  constructor(options: KubernetesDiscoveryOptions) {
    this.#options = options;
  }

  /** The targets of one discovery configuration as they are now. */
  targets(config: KubernetesSdConfig): { source: string; targets: TargetLabels[] }[] {
    const groups: { source: string; targets: TargetLabels[] }[] = [];
    const add = (
      kind: string,
      object: { metadata?: { namespace?: string; name?: string } },
      targets: TargetLabels[],
    ): void => {
      if (targets.length > 0)
        groups.push({ source: `${kind}/${object.metadata?.namespace}/${object.metadata?.name}`, targets });
    };
    for (const namespace of config.namespaces.length > 0 ? config.namespaces : [undefined]) {
      switch (config.role) {
        case 'pod':
          for (const pod of this.#list('pods', config, namespace)) add('pod', pod, podTargets(pod));
          break;
        case 'service':
          for (const service of this.#list('services', config, namespace)) add('svc', service, serviceTargets(service));
          break;
        case 'node':
          for (const node of this.#list('nodes', config, undefined)) add('node', node, nodeTargets(node));
          break;
        case 'ingress':
          for (const ingress of this.#list('ingresses', config, namespace))
            add('ingress', ingress, ingressTargets(ingress));
          break;
        case 'endpoints':
        case 'endpointslice': {
          const services = this.#informer('services', {});
          const pods = this.#informer('pods', {});
          const context = {
            service: (ns: string, name: string) => services.get(name, ns),
            pod: (ns: string, name: string) => pods.get(name, ns),
          };
          for (const slice of this.#list('endpointslices', config, namespace))
            add('endpointslice', slice, sliceTargets(slice, config.role, context));
          break;
        }
      }
    }
    return groups;
  }

  #list(
    resource: DiscoveredResource,
    config: Partial<KubernetesSdConfig>,
    namespace: string | undefined,
  ): readonly DiscoveredObject[] {
    return this.#informer(resource, config).list(namespace);
  }

  #informer(
    resource: DiscoveredResource,
    { labelSelector, fieldSelector }: Partial<KubernetesSdConfig>,
  ): Informer<DiscoveredObject> {
    const key = JSON.stringify([resource, labelSelector, fieldSelector]);
    const known = this.#informers.get(key);
    if (known) return known;
    const { client, logger, clock } = this.#options;
    const informer = createInformer<DiscoveredObject>({
      client,
      logger,
      clock,
      resource: RESOURCES[resource],
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    });
    const changed = (): void => this.#changed();
    informer.addHandler({ added: changed, updated: changed, deleted: changed });
    this.#informers.set(key, informer);
    this.#disposer.use(informer);
    return informer;
  }

  #changed(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#options.clock.after(SETTLE_MS, () => {
      this.#pending = false;
      this.#options.onChange();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pending = true;
    await this.#disposer[Symbol.asyncDispose]();
  }
}
