import { isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, type Informer, ignoreNotFound, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { ControllerRevision } from 'kubernetes-types/apps/v1.d.ts';
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import { hashOf } from '../deployment/template-hash.ts';
import { isSameJson } from '../equality.ts';
import { controllerReference, type OwnerKind } from '../ownership/owner-references.ts';

export const REVISION_HASH = 'controller.kubernetes.io/hash';
/** The label of pods that names their revision. */
export const CONTROLLER_REVISION_HASH = 'controller-revision-hash';

export interface RevisionOptions {
  readonly client: KubeClient;
  readonly informer: Informer<ControllerRevision>;
  readonly owner: ApiObject;
  readonly ownerKind: OwnerKind;
  readonly template: PodTemplateSpec;
  readonly collisionCount?: number;
  readonly signal: AbortSignal;
}

/** What a revision holds: a patch that puts the template back (statefulset getPatch, daemon getPatch). */
interface RevisionData {
  readonly spec?: { readonly template?: PodTemplateSpec };
}

export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const template = (revision.data as RevisionData | undefined)?.spec?.template;
  if (!template) return undefined;
  const { $patch: _, ...rest } = template as PodTemplateSpec & { $patch?: string };
  return rest;
}

/** The owner's revisions, oldest first. */
export function revisionsOf(options: Pick<RevisionOptions, 'informer' | 'owner'>): ControllerRevision[] {
  return options.informer
    .byIndex('controller', options.owner.metadata?.uid ?? '')
    .toSorted((a, b) => a.revision - b.revision || ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
}

/**
 * The revision of the owner's present template: the one that has it already, made the newest, or a new one (upstream
 * pkg/controller/history and getStatefulSetRevisions). Gives the number of hash collisions if there was one.
 */
export async function syncRevision(
  options: RevisionOptions,
): Promise<{ readonly revision: ControllerRevision; readonly collisionCount?: number }> {
  const { client, owner, ownerKind, template, signal } = options;
  const known = revisionsOf(options);
  const next = (known.at(-1)?.revision ?? 0) + 1;
  const equal = known.findLast((revision) => isSameJson(templateOf(revision), template));
  if (equal) {
    if (equal === known.at(-1)) return { revision: equal };
    return {
      revision: await client.update<ControllerRevision>(
        RESOURCES.controllerrevisions,
        { ...equal, revision: next },
        { signal },
      ),
    };
  }
  let { collisionCount } = options;
  for (;;) {
    const hash = hashOf(template, collisionCount);
    const name = `${owner.metadata?.name}-${hash}`;
    const draft: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        ...(owner.metadata?.namespace ? { namespace: owner.metadata.namespace } : {}),
        labels: { ...template.metadata?.labels, [REVISION_HASH]: hash },
        ownerReferences: [controllerReference(owner, ownerKind)],
      },
      data: { spec: { template: { ...template, $patch: 'replace' } } },
      revision: next,
    };
    try {
      const revision = await client.create<ControllerRevision>(RESOURCES.controllerrevisions, draft, { signal });
      return { revision, ...(collisionCount === undefined ? {} : { collisionCount }) };
    } catch (error) {
      if (!isStatusError(error, 409) || error.reason !== 'AlreadyExists') throw error;
      const existing = await client.get<ControllerRevision>(
        RESOURCES.controllerrevisions,
        name,
        owner.metadata?.namespace,
        signal,
      );
      if (isSameJson(templateOf(existing), template)) return { revision: existing };
      collisionCount = (collisionCount ?? 0) + 1;
    }
  }
}

/** Deletes the oldest revisions that nobody uses, beyond the limit. */
export async function truncateRevisions(
  options: Pick<RevisionOptions, 'client' | 'informer' | 'owner' | 'signal'>,
  inUse: ReadonlySet<string>,
  limit: number,
): Promise<void> {
  const unused = revisionsOf(options).filter((revision) => !inUse.has(revision.metadata?.name ?? ''));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    const { name = '', namespace } = revision.metadata ?? {};
    await ignoreNotFound(
      options.client.delete(RESOURCES.controllerrevisions, { name, namespace }, { signal: options.signal }),
    );
  }
}
