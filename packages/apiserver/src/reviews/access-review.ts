import { badRequest, type FieldError, invalid, invalidValue, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import type { AccessRequest } from '../auth/rbac-rules.ts';
import { sendObject } from '../handlers/send.ts';
import type { User } from '../options.ts';
import { extraOf, readReview, textOf, textsOf } from './read-review.ts';

/** POST of the three kinds of access review: may somebody do something? (registry/authorization) */
export async function handleAccessReview(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const { kind, group } = resource.definition;
  const { object, spec } = await readReview(call);
  const isSelf = kind === 'SelfSubjectAccessReview';
  const errors = problemsOf(spec, isSelf);
  if (errors.length > 0) throw invalid({ group, kind }, '', errors);
  const attributes = isRecord(spec.resourceAttributes) ? spec.resourceAttributes : undefined;
  if (kind === 'LocalSubjectAccessReview' && textOf(attributes?.namespace) !== info.namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${info.namespace}`);
  const user: User = isSelf
    ? call.user
    : { name: textOf(spec.user), groups: textsOf(spec.groups), uid: textOf(spec.uid), extra: extraOf(spec.extra) };
  const decision = context.authorizer.authorize(user, accessOfSpec(spec));
  await sendObject(
    call,
    {
      ...object,
      status: { allowed: decision.allowed, ...(decision.reason === '' ? {} : { reason: decision.reason }) },
    } as KubeObject,
    201,
  );
}

function problemsOf(spec: Record<string, unknown>, isSelf: boolean): FieldError[] {
  const hasResource = isRecord(spec.resourceAttributes);
  const hasPath = isRecord(spec.nonResourceAttributes);
  const path = isRecord(spec.nonResourceAttributes) ? spec.nonResourceAttributes : {};
  const errors: FieldError[] = [];
  if (hasResource && hasPath)
    errors.push(
      invalidValue(
        'spec.nonResourceAttributes',
        { Path: textOf(path.path), Verb: textOf(path.verb) },
        'cannot be specified in combination with resourceAttributes',
      ),
    );
  if (!hasResource && !hasPath)
    errors.push(
      invalidValue(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    );
  if (!isSelf && textOf(spec.user) === '' && textsOf(spec.groups).length === 0)
    errors.push(invalidValue('spec.user', textOf(spec.user), 'at least one of user or group must be specified'));
  return errors;
}

function accessOfSpec(spec: Record<string, unknown>): AccessRequest {
  const attributes = isRecord(spec.resourceAttributes) ? spec.resourceAttributes : undefined;
  const path = isRecord(spec.nonResourceAttributes) ? spec.nonResourceAttributes : {};
  return {
    verb: textOf(attributes ? attributes.verb : path.verb),
    isResource: attributes !== undefined,
    group: textOf(attributes?.group),
    resource: textOf(attributes?.resource),
    subresource: textOf(attributes?.subresource),
    name: textOf(attributes?.name),
    namespace: textOf(attributes?.namespace),
    path: textOf(path.path),
  };
}
