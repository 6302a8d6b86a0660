import { createController, ignoreNotFound, type KubeClient, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';

const PVC_PROTECTION = 'kubernetes.io/pvc-protection';

/** A claim in use, or a bound volume, is deleted only when that is over. */
export async function releaseFinalizer(
  client: KubeClient,
  object: PersistentVolume | PersistentVolumeClaim,
  finalizer: string,
  resource: typeof RESOURCES.persistentvolumes | typeof RESOURCES.persistentvolumeclaims,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', namespace, finalizers = [], resourceVersion } = object.metadata ?? {};
  if (!finalizers.includes(finalizer)) return;
  const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((entry) => entry !== finalizer) } };
  await ignoreNotFound(client.patch(resource, { name, namespace }, 'merge', patch, { signal }));
}

/** Lets a deleted claim go when no pod uses it any more (upstream pvcprotection). */
export function startClaimProtection(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const claims = informers.of('persistentvolumeclaims');
  const pods = informers.of('pods');
  return createController({
    name: 'persistentvolumeclaim-protection-controller',
    clock,
    logger: context.logger,
    concurrency: 2,
    sources: [
      source(claims, (claim) => (claim.metadata?.deletionTimestamp ? [keyOf(claim)] : [])),
      {
        informer: pods,
        attach: (add) => {
          const addAll = (pod: Parameters<NonNullable<Parameters<typeof pods.addHandler>[0]['deleted']>>[0]): void => {
            for (const volume of pod.spec?.volumes ?? [])
              if (volume.persistentVolumeClaim)
                add(`${pod.metadata?.namespace}/${volume.persistentVolumeClaim.claimName}`);
          };
          return pods.addHandler({ updated: (_, pod) => addAll(pod), deleted: addAll });
        },
      },
    ],
    reconcile: async ({ namespace, name, key, signal }) => {
      const claim = claims.get(name, namespace);
      if (!claim?.metadata?.deletionTimestamp) return undefined;
      const isUsed = pods
        .byIndex('claim', key)
        .some((pod) => pod.spec?.nodeName && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
      if (!isUsed) await releaseFinalizer(client, claim, PVC_PROTECTION, RESOURCES.persistentvolumeclaims, signal);
      return undefined;
    },
  });
}
