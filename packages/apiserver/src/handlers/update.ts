import { badRequest } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { currentRecord, guaranteedUpdate, updateObject } from '../operations/update.ts';
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
  const written = await guaranteedUpdate(() =>
    updateObject(context, resource, currentRecord(context, resource, info.namespace, info.name), object, options),
  );
  await sendWritten(call, written);
}
