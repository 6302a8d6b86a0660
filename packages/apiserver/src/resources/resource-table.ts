import { apiVersionOf, deprecationOf, RESOURCES, type ResourceDefinition } from '@kind-e2e/kube-api';
import { builtinBehavior } from './builtin-behavior.ts';
import { eventsConversion } from './event-conversion.ts';
import { hpaV1Conversion } from './hpa-conversion.ts';
import type { ServedResource, VersionConversion } from './served-resource.ts';

/** Reviews and the like: they are answered, not stored. */
const VIRTUAL_GROUPS: ReadonlySet<string> = new Set([
  'authentication.k8s.io',
  'authorization.k8s.io',
  'metrics.k8s.io',
]);

/** Everything that is served: our own kinds, and those of CRDs, which come and go. */
export class ResourceTable {
  readonly #byPath = new Map<string, ServedResource>();
  readonly #custom = new Map<string, readonly ServedResource[]>();
  #generation = 1;

  constructor() {
    for (const definition of RESOURCES) this.#add(builtinResource(definition));
  }

  /** Grows with each change: what was made of an older table (discovery, OpenAPI) is made anew. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${resource}`);
  }

  /** The first served version of a resource of a group. */
  findAnyVersion(group: string, resource: string): ServedResource | undefined {
    for (const served of this.#byPath.values())
      if (served.definition.group === group && served.definition.plural === resource) return served;
    return undefined;
  }

  findKind(apiVersion: string, kind: string): ServedResource | undefined {
    for (const served of this.#byPath.values())
      if (served.apiVersion === apiVersion && served.definition.kind === kind) return served;
    return undefined;
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const served of this.#byPath.values())
      if (served.definition.group === group && served.definition.version === version) return true;
    return false;
  }

  all(): Iterable<ServedResource> {
    return this.#byPath.values();
  }

  /** Serves the versions of one CRD from now on; an empty list ends it. Gives the collections that were served before. */
  setCustom(crdName: string, resources: readonly ServedResource[]): ReadonlySet<string> {
    const before = this.#custom.get(crdName) ?? [];
    for (const old of before) this.#byPath.delete(pathOf(old.definition));
    if (resources.length === 0) this.#custom.delete(crdName);
    else this.#custom.set(crdName, resources);
    for (const resource of resources) this.#add(resource);
    this.#generation++;
    return new Set(before.map(({ collection }) => collection));
  }

  #add(resource: ServedResource): void {
    this.#byPath.set(pathOf(resource.definition), resource);
  }
}

export function isVirtual(resource: ServedResource): boolean {
  return VIRTUAL_GROUPS.has(resource.definition.group);
}

function pathOf({ group, version, plural }: ResourceDefinition): string {
  return `${group}/${version}/${plural}`;
}

/** Resources that show the objects of another one: how, and where those are kept. */
const SHARED: Readonly<Record<string, { readonly collection: string; readonly conversion: VersionConversion }>> = {
  'autoscaling/v1/horizontalpodautoscalers': {
    collection: 'autoscaling/horizontalpodautoscalers',
    conversion: hpaV1Conversion,
  },
  'events.k8s.io/v1/events': { collection: 'events', conversion: eventsConversion },
};

function builtinResource(definition: ResourceDefinition): ServedResource {
  const { group, plural } = definition;
  const shared = SHARED[pathOf(definition)];
  const deprecation = deprecationOf(definition);
  return {
    definition,
    apiVersion: apiVersionOf(definition),
    collection: shared?.collection ?? (group === '' ? plural : `${group}/${plural}`),
    isCustom: false,
    ...(deprecation === undefined ? {} : { deprecation }),
    behavior: builtinBehavior(definition, apiVersionOf(definition)),
    ...(shared ? { conversion: shared.conversion } : {}),
  };
}
