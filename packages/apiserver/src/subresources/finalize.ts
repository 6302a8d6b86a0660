import { badRequest, conflict, isRecord, type KubeObject, OPTIMISTIC_LOCK_MESSAGE } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { sendWritten } from '../handlers/send.ts';
import { readObject } from '../handlers/write-body.ts';
import { groupResourceOf, sectionOf } from '../operations/object-identity.ts';
import { currentRecord, servedCopy } from '../operations/update.ts';

/** PUT of `namespaces/…/finalize`: sets spec.finalizers; a deleted namespace without any is gone (registry/core/namespace). */
export async function handleFinalize(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const { object: wanted } = await readObject(call, 'Ignore');
  const name = wanted.metadata?.name ?? '';
  if (name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  const current = currentRecord(context, resource, '', info.name);
  const namespace = servedCopy(resource, current);
  const version = wanted.metadata?.resourceVersion;
  if (version !== undefined && version !== '' && version !== namespace.metadata?.resourceVersion)
    throw conflict(groupResourceOf(resource), info.name, OPTIMISTIC_LOCK_MESSAGE);
  const { finalizers } = sectionOf(wanted, 'spec');
  const next = {
    ...namespace,
    spec: {
      ...sectionOf(namespace, 'spec'),
      ...(Array.isArray(finalizers) && finalizers.length > 0 ? { finalizers } : {}),
    },
  } as KubeObject;
  if (!Array.isArray(finalizers) || finalizers.length === 0) {
    const { finalizers: _gone, ...spec } = sectionOf(namespace, 'spec');
    Object.assign(next, { spec });
    const waits = (next.metadata?.finalizers?.length ?? 0) > 0;
    if (next.metadata?.deletionTimestamp !== undefined && !waits) {
      const record = context.store.remove(resource.collection, current, next);
      await sendWritten(call, { object: record.object, record });
      return;
    }
  }
  const record = isRecord(next) ? context.store.update(resource.collection, current, next) : current;
  await sendWritten(call, { object: record.object, record });
}
