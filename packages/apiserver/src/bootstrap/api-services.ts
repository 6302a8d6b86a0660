import type { KubeObject } from '@kind-e2e/kube-api';
import { groupPriority, versionPriority } from '../discovery/group-priorities.ts';
import type { ResourceTable } from '../resources/resource-table.ts';

/** An APIService for each group and version of our own: all are served here (kube-aggregator's auto-registration). */
export function apiServices(resources: ResourceTable): KubeObject[] {
  const made = new Map<string, KubeObject>();
  for (const { definition, isCustom } of resources.all()) {
    const { group, version } = definition;
    const name = `${version}.${group}`;
    // The core group's own would be called `v1.`, which is no name in our rules.
    if (isCustom || group === '' || made.has(name)) continue;
    made.set(name, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: {
        ...(group === '' ? {} : { group }),
        version,
        groupPriorityMinimum: groupPriority(group),
        versionPriority: versionPriority(group, version),
      },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'Local',
            message: 'Local APIServices are always available',
            lastTransitionTime: null,
          },
        ],
      },
    } as KubeObject);
  }
  return [...made.values()];
}
