import type { Clock, Logger } from '@kind-e2e/base';
import type { GroupVersionResource } from '@kind-e2e/kube-api';
import { type ApiObject, createInformer, type Informer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { type MeshConfig, parseMeshConfig } from './mesh-config.ts';
import type { ConfigMapLike, SecretLike } from './objects.ts';
import { EMPTY_WORLD, namespaceOf, type World } from './world.ts';

const istio = (group: string, version: string, resource: string): GroupVersionResource => ({
  group: `${group}.istio.io`,
  version,
  resource,
});

/** Where each part of the world is read from. */
const SOURCES = {
  pods: RESOURCES.pods,
  services: RESOURCES.services,
  endpointSlices: RESOURCES.endpointslices,
  namespaces: RESOURCES.namespaces,
  nodes: RESOURCES.nodes,
  virtualServices: istio('networking', 'v1', 'virtualservices'),
  destinationRules: istio('networking', 'v1', 'destinationrules'),
  gateways: istio('networking', 'v1', 'gateways'),
  serviceEntries: istio('networking', 'v1', 'serviceentries'),
  workloadEntries: istio('networking', 'v1', 'workloadentries'),
  workloadGroups: istio('networking', 'v1', 'workloadgroups'),
  sidecars: istio('networking', 'v1', 'sidecars'),
  peerAuthentications: istio('security', 'v1', 'peerauthentications'),
  authorizationPolicies: istio('security', 'v1', 'authorizationpolicies'),
  requestAuthentications: istio('security', 'v1', 'requestauthentications'),
  telemetries: istio('telemetry', 'v1', 'telemetries'),
  envoyFilters: istio('networking', 'v1alpha3', 'envoyfilters'),
  proxyConfigs: istio('networking', 'v1beta1', 'proxyconfigs'),
  wasmPlugins: istio('extensions', 'v1alpha1', 'wasmplugins'),
} as const satisfies Partial<Record<keyof World, GroupVersionResource>>;

/** Parts without which a snapshot would take listeners away that are in use. */
const NEEDED = ['pods', 'services', 'endpointSlices', 'namespaces'] as const;

export type SourceName = keyof typeof SOURCES;

export interface SourcesOptions {
  readonly client: KubeClient;
  readonly rootNamespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Something changed. */
  readonly onChange: () => void;
}

/** Watches all that the mesh reads. Istio's kinds may come later than the mesh: their lists are empty till then. */
export class Sources implements AsyncDisposable {
  readonly #informers = new Map<SourceName, Informer<ApiObject>>();
  readonly #configMaps: Informer<ApiObject>;
  readonly #secrets = new Map<string, Informer<ApiObject>>();
  readonly #options: SourcesOptions;

  constructor(options: SourcesOptions) {
    this.#options = options;
    for (const [name, resource] of Object.entries(SOURCES) as [SourceName, GroupVersionResource][])
      this.#informers.set(name, this.#watch(resource));
    this.#configMaps = this.#watch(RESOURCES.configmaps, {
      namespace: options.rootNamespace,
      fieldSelector: 'metadata.name=istio',
    });
  }

  #watch(
    resource: GroupVersionResource,
    selection: { namespace?: string; fieldSelector?: string } = {},
  ): Informer<ApiObject> {
    const { client, clock, logger, onChange } = this.#options;
    const informer = createInformer<ApiObject>({ client, resource, clock, logger, ...selection });
    informer.addHandler({ added: onChange, updated: onChange, deleted: onChange });
    void informer.synced.then(onChange, () => {});
    return informer;
  }

  /**
   * Resolves when everything has been read. Istio's kinds are waited for only so long: without them a snapshot is poor,
   * but without pods and services it would take listeners away that are in use.
   */
  async synced(patienceMs: number, signal: AbortSignal): Promise<void> {
    const all = Promise.all([...this.#informers.values(), this.#configMaps].map((informer) => informer.synced));
    const needed = Promise.all(NEEDED.map((name) => this.#informers.get(name)?.synced));
    all.catch(() => {});
    await needed;
    await Promise.race([all, this.#options.clock.sleep(patienceMs, signal)]);
  }

  read(): { readonly world: World; readonly configProblem?: string } {
    const list = (name: SourceName): readonly ApiObject[] => this.#informers.get(name)?.list() ?? [];
    const configMap = this.#configMaps.list()[0] as ConfigMapLike | undefined;
    const { config, problem } = parseMeshConfig(configMap);
    const parts = Object.fromEntries((Object.keys(SOURCES) as SourceName[]).map((name) => [name, list(name)]));
    const world = {
      ...EMPTY_WORLD,
      ...parts,
      config: config as MeshConfig,
      ...this.#credentials(parts as unknown as World),
    } as World;
    return problem === undefined ? { world } : { world, configProblem: problem };
  }

  /** Secrets are watched one by one, and only those that Gateways and DestinationRules name. */
  #credentials(world: World): { secrets: SecretLike[]; configMaps: ConfigMapLike[] } {
    const wanted = new Set<string>();
    for (const gateway of world.gateways)
      for (const server of gateway.spec?.servers ?? [])
        for (const name of [server.tls?.credentialName, ...(server.tls?.credentialNames ?? [])])
          if (name) for (const full of [name, `${name}-cacert`]) wanted.add(`${namespaceOf(gateway)}/${full}`);
    for (const rule of world.destinationRules) {
      const names = [
        rule.spec?.trafficPolicy,
        ...(rule.spec?.subsets ?? []).map((subset) => subset.trafficPolicy),
      ].flatMap((policy) => [
        policy?.tls?.credentialName,
        ...(policy?.portLevelSettings ?? []).map((entry) => entry.tls?.credentialName),
      ]);
      for (const name of names)
        if (name) for (const full of [name, `${name}-cacert`]) wanted.add(`${namespaceOf(rule)}/${full}`);
    }
    for (const [key, informer] of this.#secrets)
      if (!wanted.has(key)) {
        this.#secrets.delete(key);
        void informer[Symbol.asyncDispose]();
      }
    for (const key of wanted) {
      if (this.#secrets.has(key)) continue;
      const [namespace = '', name = ''] = key.split('/');
      this.#secrets.set(key, this.#watch(RESOURCES.secrets, { namespace, fieldSelector: `metadata.name=${name}` }));
    }
    return {
      secrets: [...this.#secrets.values()].flatMap((informer) => informer.list() as readonly SecretLike[]),
      configMaps: [],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#informers.values(), this.#configMaps, ...this.#secrets.values()].map((informer) =>
        informer[Symbol.asyncDispose](),
      ),
    );
  }
}
