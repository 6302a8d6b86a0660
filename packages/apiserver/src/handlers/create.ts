import { badRequest } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { createObject } from '../operations/create.ts';
import { parseWriteQuery, writeOptions } from './options.ts';
import { sendWritten } from './send.ts';
import { readObject } from './write-body.ts';

/** POST to a collection. */
export async function handleCreate(call: ResourceRequest): Promise<void> {
  const query = parseWriteQuery(call.query, 'CreateOptions', call.request.headers['user-agent'] ?? '');
  const { object, warnings } = await readObject(call, query.fieldValidation);
  call.warnings.push(...warnings);
  if (call.resource.definition.namespaced && call.info.namespace === '')
    throw badRequest('an empty namespace may not be set during creation');
  const written = await createObject(
    call.context,
    call.resource,
    call.info.namespace,
    object,
    writeOptions(call, 'CreateOptions', query),
  );
  await sendWritten(call, written, 201);
}
