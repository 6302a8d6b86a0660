import type { GroupVersionResource } from '@kind-e2e/kube-api';
import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ResourceQuota } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { discoverResources } from '../discovery/served-resources.ts';
import { isSameJson } from '../equality.ts';
import { addClaim, addPod, addService, addTo, countOf, isInScope, type Usage, usedText } from './usage.ts';

/** Objects that are not watched are counted this often, in namespaces with a quota on them. */
const RECOUNT_MS = 1000;
/** Everything is counted anew this often, as upstream's full resync. */
const RESYNC_MS = 300_000;

/** Old names of object counts. */
const PLAIN_COUNTS: Readonly<Record<string, GroupVersionResource>> = {
  configmaps: RESOURCES.configmaps,
  secrets: RESOURCES.secrets,
  replicationcontrollers: RESOURCES.replicationcontrollers,
  resourcequotas: RESOURCES.resourcequotas,
};

/** Keeps what of a ResourceQuota is used (upstream pkg/controller/resourcequota). */
export function startResourceQuotaController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const quotas = informers.of('resourcequotas');
  const pods = informers.of('pods');
  const services = informers.of('services');
  const claims = informers.of('persistentvolumeclaims');

  /** Counts what a quota names; tells whether something of it is not watched. */
  async function measure(quota: ResourceQuota, signal: AbortSignal): Promise<{ usage: Usage; isPolled: boolean }> {
    const usage: Usage = new Map();
    const namespace = quota.metadata?.namespace ?? '';
    const isScoped = (quota.spec?.scopes ?? []).length > 0 || quota.spec?.scopeSelector !== undefined;
    for (const pod of pods.list(namespace)) if (isInScope(quota, pod)) addPod(usage, pod);
    // Scopes speak of pods only.
    if (isScoped) return { usage, isPolled: false };
    for (const service of services.list(namespace)) addService(usage, service);
    for (const claim of claims.list(namespace)) addClaim(usage, claim);
    let isPolled = false;
    for (const name of Object.keys(quota.spec?.hard ?? {})) {
      if (usage.has(name)) continue;
      const resource = PLAIN_COUNTS[name] ?? (await countedResource(name, signal));
      if (!resource) continue;
      isPolled = true;
      const { items } = await client.list(resource, { namespace, metadataOnly: true, signal });
      addTo(usage, name, countOf(items.length));
    }
    return { usage, isPolled };
  }

  /** `count/deployments.apps` names a resource and its group. */
  async function countedResource(name: string, signal: AbortSignal): Promise<GroupVersionResource | undefined> {
    if (!name.startsWith('count/')) return undefined;
    const [resource = '', ...group] = name.slice('count/'.length).split('.');
    if (group.length === 0 && ['pods', 'services', 'persistentvolumeclaims'].includes(resource)) return undefined;
    const { resources } = await discoverResources(client, signal);
    return resources.find(
      (entry) => entry.resource === resource && entry.group === group.join('.') && entry.namespaced,
    );
  }

  const keysIn = (object: { metadata?: { namespace?: string } }): string[] =>
    quotas.list(object.metadata?.namespace).map(keyOf);

  return createController({
    name: 'resourcequota-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [
      source(quotas, (quota) => [keyOf(quota)]),
      source(pods, keysIn),
      source(services, keysIn),
      source(claims, keysIn),
    ],
    reconcile: async ({ namespace, name, signal }) => {
      const quota = quotas.get(name, namespace);
      if (!quota || quota.metadata?.deletionTimestamp) return undefined;
      const { usage, isPolled } = await measure(quota, signal);
      const status = { hard: quota.spec?.hard ?? {}, used: usedText(quota, usage) };
      if (!isSameJson(status, quota.status))
        await client.update<ResourceQuota>(
          RESOURCES.resourcequotas,
          { ...quota, status },
          { subresource: 'status', signal },
        );
      return { requeueAfterMs: isPolled ? RECOUNT_MS : RESYNC_MS };
    },
  });
}
