import { applyJsonPatch, internalError, isRecord, type KubeObject, PatchError } from '@kind-e2e/kube-api';
import { DecodeProblem } from '../../resources/decode-problem.ts';
import type { ServedResource } from '../../resources/served-resource.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { askWebhook, type WebhookContext } from './ask-webhook.ts';
import {
  converted,
  type Invocation,
  inVersion,
  invocationOf,
  isExempt,
  type Webhook,
  webhooksOf,
} from './invocation.ts';
import { WebhookCallError } from './webhook-error.ts';

/** Webhooks that may change what is written, one after the other (`webhook/mutating/dispatcher.go`). */
export function mutatingWebhooks(context: WebhookContext): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutateOutside(attributes) {
      if (isExempt(attributes)) return undefined;
      const webhooks = webhooksOf(context.store, 'mutatingwebhookconfigurations');
      // Most writes concern none of them: those are not to wait. What one changes may concern the next, though.
      if (!webhooks.some((webhook) => invocationOf(context, webhook, attributes))) return undefined;
      return changedBy(context, webhooks, attributes);
    },
  };
}

async function changedBy(
  context: WebhookContext,
  webhooks: readonly Webhook[],
  attributes: AdmissionAttributes,
): Promise<KubeObject> {
  const { reinvocation } = attributes;
  let current = attributes;
  reinvocation.webhooks.begin(reinvocation.isSecond, JSON.stringify(current.object));
  for (const webhook of webhooks) {
    const invocation = invocationOf(context, webhook, current);
    if (!invocation || (reinvocation.isSecond && !reinvocation.webhooks.isAskedAgain(invocation.id))) continue;
    try {
      const object = await changed(context, invocation, current);
      if (JSON.stringify(object) !== JSON.stringify(current.object)) {
        current = { ...current, object };
        reinvocation.require(reinvocation.webhooks);
      }
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      if (webhook.webhook.failurePolicy !== 'Ignore') throw internalError(error.message, error);
      context.logger.warn('failed calling webhook, failing open', { webhook: invocation.name, error });
    }
    if (webhook.webhook.reinvocationPolicy === 'IfNeeded') reinvocation.webhooks.add(invocation.id);
  }
  reinvocation.webhooks.end(JSON.stringify(current.object));
  return current.object;
}

async function changed(
  context: WebhookContext,
  invocation: Invocation,
  attributes: AdmissionAttributes,
): Promise<KubeObject> {
  const { patch, patchType } = await askWebhook(context, invocation, attributes, true);
  if (patch === '') return attributes.object;
  let operations: unknown;
  try {
    operations = JSON.parse(patch);
  } catch (error) {
    throw internalError(`invalid character in JSON patch`, error);
  }
  if (!Array.isArray(operations))
    throw internalError('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (operations.length === 0) return attributes.object;
  if (attributes.operation === 'DELETE')
    throw internalError(
      `admission webhook ${JSON.stringify(invocation.name)} attempted to modify the object, which is not supported for this operation`,
    );
  if (patchType !== 'JSONPatch')
    throw new WebhookCallError(invocation.name, `unsupported patch type ${JSON.stringify(patchType)}`);
  const { resource } = invocation;
  const { object } = inVersion(attributes, resource);
  return converted(patchedObject(resource, object, operations), resource, attributes.resource);
}

/** Applies a webhook's patch and reads what comes of it, with its defaults. */
function patchedObject(resource: ServedResource, object: KubeObject, operations: unknown): KubeObject {
  try {
    const patched = applyJsonPatch(JSON.parse(JSON.stringify(object)), operations);
    if (!isRecord(patched)) throw internalError("Object 'Kind' is missing in 'null'");
    const { object: read } = resource.behavior.decode(patched, 'Ignore');
    resource.behavior.setDefaults(read);
    return read;
  } catch (error) {
    if (error instanceof PatchError || error instanceof DecodeProblem) throw internalError(error.message, error);
    throw error;
  }
}
