import { isRecord, type Status, StatusError, statusError } from '@kind-e2e/kube-api';

/** A webhook could not be asked; whether that refuses the write is up to its `failurePolicy` (`ErrCallingWebhook`). */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';

  constructor(webhook: string, problem: string, options?: { cause?: unknown }) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${problem}`, options);
  }
}

/** The refusal of a webhook as an answer (`webhook/errors.ToStatusErr`). */
export function deniedBy(webhook: string, result: unknown): StatusError {
  const given = isRecord(result) ? result : {};
  const code = typeof given.code === 'number' && given.code >= 400 ? given.code : 400;
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const message = typeof given.message === 'string' ? given.message : '';
  const reason = typeof given.reason === 'string' ? given.reason : '';
  const explanation = message === '' ? reason : message;
  const status = typeof given.status === 'string' && given.status !== '' && given.status !== 'Success';
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: isRecord(given.metadata) ? given.metadata : {},
    status: status ? given.status : 'Failure',
    message: explanation === '' ? `${denied} without explanation` : `${denied}: ${explanation}`,
    ...(reason === '' ? {} : { reason }),
    ...(isRecord(given.details) ? { details: given.details } : {}),
    code,
  } as Status);
}

/** Webhooks with side effects are not asked about what is only tried (`NewDryRunUnsupportedErr`). */
export function dryRunUnsupported(webhook: string): StatusError {
  return statusError(400, 'BadRequest', `admission webhook ${JSON.stringify(webhook)} does not support dry run`);
}
