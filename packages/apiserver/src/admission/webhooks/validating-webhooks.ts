import { internalError } from '@kind-e2e/kube-api';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { askWebhook, type WebhookContext } from './ask-webhook.ts';
import { type Invocation, invocationOf, isExempt, webhooksOf } from './invocation.ts';
import { WebhookCallError } from './webhook-error.ts';

/** Webhooks that may refuse a write, all at once; the first that does has its way (`webhook/validating/dispatcher.go`). */
export function validatingWebhooks(context: WebhookContext): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validateOutside(attributes) {
      if (isExempt(attributes)) return undefined;
      const invocations = webhooksOf(context.store, 'validatingwebhookconfigurations').flatMap(
        (webhook) => invocationOf(context, webhook, attributes) ?? [],
      );
      return invocations.length === 0 ? undefined : askAll(context, invocations, attributes);
    },
  };
}

async function askAll(
  context: WebhookContext,
  invocations: readonly Invocation[],
  attributes: AdmissionAttributes,
): Promise<void> {
  const refusals: unknown[] = [];
  await Promise.all(
    invocations.map(async (invocation) => {
      try {
        await askWebhook(context, invocation, attributes, false);
      } catch (error) {
        if (!(error instanceof WebhookCallError)) refusals.push(error);
        else if (invocation.webhook.failurePolicy !== 'Ignore') refusals.push(internalError(error.message, error));
        else context.logger.warn('failed calling webhook, failing open', { webhook: invocation.name, error });
      }
    }),
  );
  if (refusals.length > 0) throw refusals[0];
}
