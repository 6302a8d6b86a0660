import type { StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from 'kubernetes-types/core/v1.d.ts';
import { controllerReference } from '../ownership/owner-references.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { CONTROLLER_REVISION_HASH } from '../revisions/controller-revisions.ts';

export const STATEFULSET_KIND = { apiVersion: 'apps/v1', kind: 'StatefulSet' };

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

export function startOrdinal(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

/** The number at the end of a pod's name; -1 where the name is of another form. */
export function ordinalOf(set: StatefulSet, pod: Pod): number {
  const prefix = `${set.metadata?.name}-`;
  const name = pod.metadata?.name ?? '';
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(rest) ? Number(rest) : -1;
}

export function revisionNameOf(pod: Pod): string {
  return pod.metadata?.labels?.[CONTROLLER_REVISION_HASH] ?? '';
}

function claimName(template: PersistentVolumeClaim, set: StatefulSet, ordinal: number): string {
  return `${template.metadata?.name}-${set.metadata?.name}-${ordinal}`;
}

/** The claims of one pod, as the templates make them. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  const deletesWithSet = set.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(template, set, ordinal),
      ...(set.metadata?.namespace ? { namespace: set.metadata.namespace } : {}),
      labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      ...(deletesWithSet ? { ownerReferences: [controllerReference(set, STATEFULSET_KIND)] } : {}),
    },
    ...(template.spec ? { spec: template.spec } : {}),
  }));
}

/** The pod of an ordinal: a stable name, host name and storage (stateful_set_utils.go newStatefulSetPod). */
export function statefulPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Pod {
  const pod = podFromTemplate(template, set, STATEFULSET_KIND);
  const name = `${set.metadata?.name}-${ordinal}`;
  const claims: Volume[] = (set.spec?.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimName(claim, set, ordinal) },
  }));
  const claimed = new Set(claims.map((volume) => volume.name));
  const { generateName: _, ...metadata } = pod.metadata ?? {};
  return {
    ...pod,
    metadata: {
      ...metadata,
      name,
      labels: {
        ...metadata.labels,
        [POD_NAME_LABEL]: name,
        [POD_INDEX_LABEL]: String(ordinal),
        [CONTROLLER_REVISION_HASH]: revision,
      },
    },
    ...(pod.spec
      ? {
          spec: {
            ...pod.spec,
            hostname: name,
            ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}),
            volumes: [...claims, ...(pod.spec.volumes ?? []).filter((volume) => !claimed.has(volume.name))],
          },
        }
      : {}),
  };
}
