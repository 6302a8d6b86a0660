import { notFound } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import { groupResourceOf, recordsOf } from '../operations/object-identity.ts';
import { recordEncoder } from '../views/record-encoder.ts';
import { waitForRevision } from './list.ts';
import { parseRevision } from './options.ts';
import { contentTypeOf, encodeBody } from './send.ts';

/** GET of one object, as it is on disk; `resourceVersion` asks for a state that is at least so new (`Cacher.Get`). */
export async function handleGet(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  await waitForRevision(context, parseRevision(call.query.get('resourceVersion') ?? '', false));
  const find = () => recordsOf(context.store, resource).get(info.namespace, info.name);
  let record = find();
  if (record && record.revision > context.store.durableRevision) {
    await context.store.durable(record.revision);
    record = find();
  }
  if (!record) throw notFound(groupResourceOf(resource), info.name);
  const body = recordEncoder(resource, call.form, call.include, () => context.clock.now()).object(record);
  await sendText(call.request, call.response, await encodeBody(call.form, body), {
    contentType: contentTypeOf(call.form),
    warnings: call.warnings,
  });
}
