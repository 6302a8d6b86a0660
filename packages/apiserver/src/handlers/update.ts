import { badRequest, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { authorizeRequest } from '../auth/authorize.ts';
import { createObject } from '../operations/create.ts';
import { recordsOf } from '../operations/object-identity.ts';
import { checkUid, currentRecord, guaranteedUpdate, updateObject } from '../operations/update.ts';
import { parseWriteQuery, writeOptions } from './options.ts';
import { sendWritten } from './send.ts';
import { readObject } from './write-body.ts';

/** PUT of an object, or of its status. */
export async function handleUpdate(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const query = parseWriteQuery(call.query, 'UpdateOptions', call.request.headers['user-agent'] ?? '');
  const { object, warnings } = await readObject(call, query.fieldValidation);
  call.warnings.push(...warnings);
  const name = object.metadata?.name ?? '';
  if (name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  const namespace = object.metadata?.namespace ?? '';
  if (namespace !== '' && namespace !== info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const options = {
    ...writeOptions(call, 'UpdateOptions', query),
    subresource: info.subresource,
    isReplace: true,
  };
  if (isMadeByUpdate(call)) {
    authorizeRequest(context.authorizer, call.user, { ...info, verb: 'create' });
    checkUid(
      resource,
      { metadata: { name: info.name, namespace: info.namespace } } as KubeObject,
      object.metadata?.uid,
    );
    delete object.metadata?.resourceVersion;
    const made = writeOptions(call, 'CreateOptions', query);
    await sendWritten(call, await createObject(context, resource, info.namespace, object, made), 201);
    return;
  }
  const written = await guaranteedUpdate(() =>
    updateObject(context, resource, currentRecord(context, resource, info.namespace, info.name), object, options),
  );
  await sendWritten(call, written);
}

/** Kinds that a PUT creates where they are not there (`AllowCreateOnUpdate` of their strategies). */
const MADE_BY_UPDATE: ReadonlySet<string> = new Set([
  'endpoints',
  'events',
  'limitranges',
  'services',
  'coordination.k8s.io/leases',
  'node.k8s.io/runtimeclasses',
  'rbac.authorization.k8s.io/clusterrolebindings',
  'rbac.authorization.k8s.io/clusterroles',
  'rbac.authorization.k8s.io/rolebindings',
  'rbac.authorization.k8s.io/roles',
]);

function isMadeByUpdate({ context, resource, info }: ResourceRequest): boolean {
  if (info.subresource !== '' || !MADE_BY_UPDATE.has(resource.collection)) return false;
  return recordsOf(context.store, resource).get(info.namespace, info.name) === undefined;
}
