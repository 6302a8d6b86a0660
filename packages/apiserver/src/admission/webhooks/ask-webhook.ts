import type { Logger } from '@kind-e2e/base';
import type { AdmissionAttributes } from '../admission-chain.ts';
import { createReview, type ReviewAnswer, readAnswer } from './admission-review.ts';
import type { Invocation, WebhookSources } from './invocation.ts';
import { UnresolvedServiceError, webhookAddress, webhookUrl } from './webhook-address.ts';
import { postReview, WebhookAnswerError, withTimeout } from './webhook-client.ts';
import { deniedBy, dryRunUnsupported, WebhookCallError } from './webhook-error.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;

export interface WebhookContext extends WebhookSources {
  readonly logger: Logger;
}

/**
 * Asks a webhook about a write. Throws a `StatusError` where it refuses, a `WebhookCallError` where it cannot be asked
 * (`callAttrMutatingHook` and `callHook` of the dispatchers).
 */
export async function askWebhook(
  context: WebhookContext,
  invocation: Invocation,
  attributes: AdmissionAttributes,
  isMutating: boolean,
): Promise<ReviewAnswer> {
  const { name, webhook } = invocation;
  if (attributes.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw dryRunUnsupported(name);
  const review = createReview(invocation, attributes, isMutating);
  if (!review)
    throw new WebhookCallError(
      name,
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    );
  const seconds = typeof webhook.timeoutSeconds === 'number' ? webhook.timeoutSeconds : DEFAULT_TIMEOUT_SECONDS;
  let body: Record<string, unknown>;
  try {
    body = await postReview(webhookAddress(context.store, webhook), review.body, seconds);
  } catch (error) {
    if (error instanceof UnresolvedServiceError) {
      const url = withTimeout(webhookUrl(webhook), seconds);
      throw new WebhookCallError(name, `failed to call webhook: Post ${JSON.stringify(url)}: ${error.message}`);
    }
    if (!(error instanceof WebhookAnswerError)) throw error;
    throw new WebhookCallError(name, `failed to call webhook: ${error.message}`, { cause: error });
  }
  const answer = readAnswer(review, isMutating, body);
  if (typeof answer === 'string') throw new WebhookCallError(name, `received invalid webhook response: ${answer}`);
  attributes.warnings.push(...answer.warnings);
  if (!answer.isAllowed) throw deniedBy(name, answer.result);
  return answer;
}
