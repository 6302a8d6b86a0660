import type { ResourceTable } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import { groupPriority } from './group-priorities.ts';

export interface ApiVersion {
  readonly version: string;
  readonly groupVersion: string;
  readonly resources: readonly ServedResource[];
}

export interface ApiGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly ApiVersion[];
}

/** What is served, by group and version, in the order of their priorities; those of CRDs by name. */
export function apiGroups(resources: ResourceTable): ApiGroup[] {
  const groups = new Map<string, Map<string, ServedResource[]>>();
  for (const resource of resources.all()) {
    const { group, version } = resource.definition;
    const versions = groups.get(group) ?? new Map<string, ServedResource[]>();
    groups.set(group, versions);
    const list = versions.get(version);
    if (list) list.push(resource);
    else versions.set(version, [resource]);
  }
  const isCustom = (versions: Map<string, ServedResource[]>): boolean =>
    [...versions.values()].every((list) => list.every((resource) => resource.isCustom));
  return [...groups]
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => (isCustom(versions) ? compareVersions(a, b) : 0))
        .map(([version, list]) => ({
          version,
          groupVersion: name === '' ? version : `${name}/${version}`,
          resources: list.toSorted((a, b) => (a.definition.plural < b.definition.plural ? -1 : 1)),
        })),
    }))
    .sort((a, b) => groupPriority(b.name) - groupPriority(a.name) || (a.name < b.name ? -1 : 1));
}

/** Stable versions before beta before alpha, newer before older (apimachinery `version.CompareKubeAwareVersionStrings`). */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string): [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (!match) return [0, 0, 0];
    const level = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
    return [level, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2] || (a < b ? -1 : 1);
}
