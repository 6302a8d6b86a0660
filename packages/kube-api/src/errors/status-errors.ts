/** Every failed answer, in the words of apimachinery `api/errors`; the only place where they are made. */
import { type GroupResource, groupKindName, groupResourceName } from '../registry/resource-definition.ts';
import { type Status, type StatusCause, type StatusDetails, StatusError } from '../status.ts';
import { type FieldError, fieldErrorBody, fieldErrorText } from './field-error.ts';

/** A failed Status with these parts; empty strings are left out as Go leaves them out. */
export function statusError(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
  options?: { cause?: unknown },
): StatusError {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    ...(message === '' ? {} : { message }),
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
  return new StatusError(status, options);
}

function detailsOf(resource: GroupResource, name: string, more?: Partial<StatusDetails>): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    ...(resource.resource === '' ? {} : { kind: resource.resource }),
    ...more,
  };
}

export function notFound(resource: GroupResource, name: string): StatusError {
  return statusError(404, 'NotFound', `${groupResourceName(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: GroupResource, name: string): StatusError {
  return statusError(
    409,
    'AlreadyExists',
    `${groupResourceName(resource)} "${name}" already exists`,
    detailsOf(resource, name),
  );
}

/** 409 after `generateName` met the same name too often (`NewGenerateNameConflict`). */
export function generateNameConflict(resource: GroupResource, name: string, retryAfterSeconds: number): StatusError {
  return statusError(
    409,
    'AlreadyExists',
    `${groupResourceName(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    detailsOf(resource, name, { retryAfterSeconds }),
  );
}

export function conflict(resource: GroupResource, name: string, problem: string): StatusError {
  return statusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${groupResourceName(resource)} "${name}": ${problem}`,
    detailsOf(resource, name),
  );
}

/** What an update with an old resourceVersion gets (`registry.OptimisticLockErrorMsg`). */
export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** 409 of a server-side apply, with a cause for each field (`NewApplyConflict`). */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return statusError(409, 'Conflict', message, { causes });
}

/** 422; `kind.kind` is the kind, not the resource. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const seen = new Set<string>();
  const texts: string[] = [];
  for (const error of errors) {
    const text = fieldErrorText(error);
    if (!seen.has(text)) texts.push(text);
    seen.add(text);
  }
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const who = `${groupKindName(kind)} "${name}" is invalid`;
  const causes = errors.map((error) => ({
    reason: error.type,
    message: fieldErrorBody(error),
    field: error.field,
  }));
  return statusError(422, 'Invalid', texts.length === 0 ? who : `${who}: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    ...(causes.length === 0 ? {} : { causes }),
  });
}

export function badRequest(message: string): StatusError {
  return statusError(400, 'BadRequest', message);
}

/** `name` may be '' for requests on the collection. */
export function forbidden(resource: GroupResource, name: string, problem: string): StatusError {
  const message =
    resource.resource === ''
      ? `forbidden: ${problem}`
      : name === ''
        ? `${groupResourceName(resource)} is forbidden: ${problem}`
        : `${groupResourceName(resource)} "${name}" is forbidden: ${problem}`;
  return statusError(403, 'Forbidden', message, detailsOf(resource, name));
}

export function unauthorized(message = 'Unauthorized'): StatusError {
  return statusError(401, 'Unauthorized', message);
}

export function methodNotSupported(resource: GroupResource, action: string): StatusError {
  return statusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${groupResourceName(resource)}"`,
    detailsOf(resource, ''),
  );
}

/** 405 of a path that knows no such method (`NewGenericServerResponse`). */
export function methodNotAllowed(): StatusError {
  return statusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 404 of a resource that is not served (`NewGenericServerResponse`). */
export function resourceNotFound(): StatusError {
  return statusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 406 with the media types that can be had (`NewNotAcceptableError` through the restful layer). */
export function notAcceptable(accepted: readonly string[]): StatusError {
  return statusError(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${accepted.join(', ')}`,
    {},
  );
}

/** 415 of a body whose type the resource does not read (`negotiation.NewUnsupportedMediaTypeError`). */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return statusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** 415 of a PATCH with a type that no resource knows. */
export function unsupportedPatchType(): StatusError {
  return statusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** 410 of a resourceVersion that is no longer kept. */
export function expired(message: string): StatusError {
  return statusError(410, 'Expired', message);
}

export function gone(message: string): StatusError {
  return statusError(410, 'Gone', message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return statusError(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** 429 with a cause, as evictions that a budget forbids get it. */
export function tooManyRequestsWithCause(message: string, causes: readonly StatusCause[]): StatusError {
  return statusError(429, 'TooManyRequests', message, { causes });
}

export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return statusError(504, 'Timeout', `Timeout: ${message}`, {
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
  });
}

/** 504 of a list or watch at a version that does not exist yet (`storage.NewTooLargeResourceVersionError`). */
export function tooLargeResourceVersion(wanted: string, current: string, retryAfterSeconds: number): StatusError {
  return statusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds,
  });
}

export function serverTimeout(resource: GroupResource, operation: string, retryAfterSeconds: number): StatusError {
  return statusError(
    500,
    'ServerTimeout',
    `The ${operation} operation against ${groupResourceName(resource)} could not be completed at this time, please try again.`,
    detailsOf(resource, operation, { retryAfterSeconds }),
  );
}

export function internalError(problem: string, cause?: unknown): StatusError {
  return statusError(
    500,
    'InternalError',
    `Internal error occurred: ${problem}`,
    { causes: [{ message: problem }] },
    { cause },
  );
}

/** 500 of an error that carries no status of its own: only its text (`responsewriters.ErrorToAPIStatus`). */
export function unclassified(message: string): StatusError {
  return statusError(500, '', message);
}

export function serviceUnavailable(message: string): StatusError {
  return statusError(503, 'ServiceUnavailable', message);
}

export function requestEntityTooLarge(message: string): StatusError {
  return statusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

/** 422 of a patch that could not be used (`NewGenericServerResponse` without a kind). */
export function unprocessablePatch(): StatusError {
  return statusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}
