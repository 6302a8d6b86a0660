import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';
import { readWorkload } from './read.ts';

const REVISION = 'deployment.kubernetes.io/revision';

export interface Revision {
  name: string;
  revision: number;
  images: string[];
  pods: number;
  cause: string;
  object: KubeObject;
}

/** The revisions of a Deployment by its ReplicaSets, newest first (kubectl: rollout history). */
export function revisionsOf(deployment: KubeObject, replicaSets: readonly KubeObject[]): Revision[] {
  return replicaSets
    .filter((item) =>
      (item.metadata.ownerReferences ?? []).some(
        (owner) => owner.kind === 'Deployment' && owner.name === deployment.metadata.name,
      ),
    )
    .map((object) => {
      const view = readWorkload({ ...object, kind: 'ReplicaSet' });
      return {
        name: object.metadata.name,
        revision: Number(object.metadata.annotations?.[REVISION] ?? 0),
        images: view.images,
        pods: view.ready,
        cause: object.metadata.annotations?.['kubernetes.io/change-cause'] ?? '',
        object,
      };
    })
    .sort((a, b) => b.revision - a.revision);
}

const templateOf = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }).optional(),
      spec: z.looseObject({}),
    }),
  }),
});

/** The patch of `kubectl rollout undo`: the template of the ReplicaSet without its hash. */
export function undoPatch(replicaSet: KubeObject): { spec: { template: Record<string, unknown> } } {
  const { template } = templateOf.parse(replicaSet).spec;
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  return { spec: { template: { ...template, metadata: { ...template.metadata, labels } } } };
}
