import type { KubeObject, Status } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import type { AcceptedForm } from '../http/negotiation.ts';
import { sendText } from '../http/respond.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { encodeObject } from '../views/record-encoder.ts';

export function contentTypeOf(form: AcceptedForm): string {
  return form.encoding === 'yaml' ? 'application/yaml' : 'application/json';
}

/** JSON as the client wants to read it: as it is, indented, or YAML. */
export async function encodeBody(form: AcceptedForm, json: string): Promise<string> {
  if (form.encoding === 'yaml') {
    const { stringify } = await import('yaml');
    return stringify(JSON.parse(json));
  }
  return form.pretty ? `${JSON.stringify(JSON.parse(json), null, 2)}\n` : json;
}

/** Answers a write, when it is durable. */
export async function sendWritten(
  call: ResourceRequest,
  written: { readonly object: KubeObject; readonly record: ObjectRecord | undefined },
  status = 200,
): Promise<void> {
  const { context, resource, form } = call;
  await context.store.durable();
  const asStored = form.form === 'object' && written.record !== undefined && resource.conversion === undefined;
  const json =
    asStored && written.record
      ? written.record.json
      : encodeObject(resource, form, written.object, call.include, context.clock.now());
  await sendText(call.request, call.response, await encodeBody(form, json), {
    status,
    contentType: contentTypeOf(form),
    warnings: call.warnings,
  });
}

/** Answers with another kind than the resource's: a Status, a Scale, a review. */
export async function sendObject(call: ResourceRequest, object: KubeObject | Status, status = 200): Promise<void> {
  await call.context.store.durable();
  await sendText(call.request, call.response, await encodeBody(call.form, JSON.stringify(object)), {
    status,
    contentType: contentTypeOf(call.form),
    warnings: call.warnings,
  });
}
