import { isStatusError } from '@kind-e2e/kube-api';
import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { controllerOf, controllerReference } from '../ownership/owner-references.ts';

const POD_KIND = { apiVersion: 'v1', kind: 'Pod' };

/** Makes the claims of generic ephemeral volumes, which go with their pod (upstream pkg/controller/volume/ephemeral). */
export function startEphemeralVolumeController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const pods = informers.of('pods');
  const claims = informers.of('persistentvolumeclaims');
  const recorder = context.recorder('ephemeral-volume-controller');
  return createController({
    name: 'ephemeral-volume-controller',
    clock,
    logger: context.logger,
    concurrency: 2,
    sources: [
      source(pods, (pod) => (pod.spec?.volumes?.some((volume) => volume.ephemeral) ? [keyOf(pod)] : [])),
      source(claims, (claim) => {
        const owner = controllerOf(claim);
        return owner?.kind === 'Pod' ? [`${claim.metadata?.namespace}/${owner.name}`] : [];
      }),
    ],
    reconcile: async ({ namespace, name, signal }) => {
      const pod = pods.get(name, namespace);
      if (!pod || pod.metadata?.deletionTimestamp) return undefined;
      for (const volume of pod.spec?.volumes ?? []) {
        const template = volume.ephemeral?.volumeClaimTemplate;
        if (!template) continue;
        const claimName = `${name}-${volume.name}`;
        const existing = claims.get(claimName, namespace);
        if (existing) {
          if (controllerOf(existing)?.uid === pod.metadata?.uid) continue;
          throw new Error(`PVC "${namespace}/${claimName}" was not created for the pod`);
        }
        const claim: PersistentVolumeClaim = {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            name: claimName,
            namespace,
            ...(template.metadata?.labels ? { labels: template.metadata.labels } : {}),
            ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
            ownerReferences: [controllerReference(pod, POD_KIND)],
          },
          spec: template.spec,
        };
        try {
          await client.create(RESOURCES.persistentvolumeclaims, claim, { signal });
        } catch (error) {
          if (isStatusError(error, 409)) continue;
          const message = `ephemeral volume controller: create PVC ${claimName}: ${error instanceof Error ? error.message : String(error)}`;
          recorder.event(pod, 'Warning', 'FailedBinding', message);
          throw error;
        }
      }
      return undefined;
    },
  });
}
