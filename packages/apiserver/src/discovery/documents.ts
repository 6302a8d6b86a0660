import { createHash } from 'node:crypto';
import { isVirtual } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ApiGroup, ApiVersion } from './api-groups.ts';

/** metav1 APIResourceList of one version. */
export function resourceList({ groupVersion, resources }: ApiVersion): unknown {
  return {
    kind: 'APIResourceList',
    ...(groupVersion === 'v1' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: resources.flatMap(apiResources),
  };
}

/** metav1 APIGroup. */
export function groupDocument({ name, versions }: ApiGroup): unknown {
  const all = versions.map(({ groupVersion, version }) => ({ groupVersion, version }));
  return { name, versions: all, preferredVersion: all[0] };
}

function apiResources(resource: ServedResource): unknown[] {
  const { definition } = resource;
  return [
    {
      name: definition.plural,
      singularName: definition.singular,
      namespaced: definition.namespaced,
      kind: definition.kind,
      verbs: definition.verbs,
      ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
      ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
      ...(isVirtual(resource) ? {} : { storageVersionHash: storageVersionHash(resource) }),
    },
    ...definition.subresources.map((sub) => ({
      name: `${definition.plural}/${sub.name}`,
      singularName: '',
      namespaced: definition.namespaced,
      ...(sub.group === undefined ? {} : { group: sub.group }),
      ...(sub.version === undefined ? {} : { version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ];
}

function storageVersionHash({ definition: { group, storageVersion, kind } }: ServedResource): string {
  const digest = createHash('sha256').update(`${group}/${storageVersion}/${kind}`).digest();
  return digest.subarray(0, 8).toString('base64');
}

/** apidiscovery.k8s.io APIGroupDiscoveryList of groups. */
export function aggregatedDiscovery(groups: readonly ApiGroup[], version: string): unknown {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === '' ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: versions.map((one) => ({
        version: one.version,
        resources: one.resources.map(discoveredResource),
        freshness: 'Current',
      })),
    })),
  };
}

function discoveredResource({ definition }: ServedResource): unknown {
  const { group, version, kind } = definition;
  return {
    resource: definition.plural,
    responseKind: { group, version, kind },
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(definition.subresources.length > 0
      ? {
          subresources: definition.subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
            verbs: sub.verbs,
          })),
        }
      : {}),
  };
}
