import {
  badRequest,
  type FieldError,
  invalid,
  invalidValue,
  isRecord,
  type KubeObject,
  requiredValue,
} from '@kind-e2e/kube-api';
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
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const isLocal = kind === 'LocalSubjectAccessReview';
  if (isLocal) {
    const given = textOf(metadata.namespace);
    if (given !== '' && given !== info.namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    metadata.namespace = info.namespace;
  }
  const errors = [
    ...problemsOf(spec, isSelf),
    ...metadataProblems(metadata, isLocal),
    ...(isLocal ? localProblems(spec, info.namespace) : []),
  ];
  if (errors.length > 0) throw invalid({ group, kind }, '', errors);
  const user: User = isSelf
    ? call.user
    : { name: textOf(spec.user), groups: textsOf(spec.groups), uid: textOf(spec.uid), extra: extraOf(spec.extra) };
  const decision = context.authorizer.authorize(user, accessOfSpec(spec));
  await sendObject(
    call,
    {
      ...object,
      metadata,
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
  errors.push(...selectorProblems(spec.resourceAttributes));
  if (!isSelf && textOf(spec.user) === '' && textsOf(spec.groups).length === 0)
    errors.push(invalidValue('spec.user', textOf(spec.user), 'at least one of user or group must be specified'));
  return errors;
}

/** A review has no name: nothing is stored. */
function metadataProblems(metadata: Record<string, unknown>, isLocal: boolean): FieldError[] {
  const { managedFields: _, ...given } = metadata;
  const named = Object.keys(given).filter((name) => !(isLocal && name === 'namespace'));
  if (named.length === 0) return [];
  return [invalidValue('metadata', metadata, isLocal ? 'must be empty except for namespace' : 'must be empty')];
}

/** `ValidateLocalSubjectAccessReview` */
function localProblems(spec: Record<string, unknown>, namespace: string): FieldError[] {
  const { resourceAttributes, nonResourceAttributes: path } = spec;
  const out: FieldError[] = [];
  const given = isRecord(resourceAttributes) ? textOf(resourceAttributes.namespace) : namespace;
  if (given !== namespace)
    out.push(invalidValue('spec.resourceAttributes.namespace', given, 'must match metadata.namespace'));
  if (isRecord(path))
    out.push(
      invalidValue(
        'spec.nonResourceAttributes',
        { Path: textOf(path.path), Verb: textOf(path.verb) },
        'disallowed on this kind of request',
      ),
    );
  return out;
}

/** `validateFieldSelectorAttributes`, `validateLabelSelectorAttributes` */
function selectorProblems(attributes: unknown): FieldError[] {
  if (!isRecord(attributes)) return [];
  return ['fieldSelector', 'labelSelector'].flatMap((name): FieldError[] => {
    const selector = attributes[name];
    if (!isRecord(selector)) return [];
    const field = `spec.resourceAttributes.${name}`;
    const raw = textOf(selector.rawSelector);
    const hasRequirements = Array.isArray(selector.requirements) && selector.requirements.length > 0;
    if (raw !== '' && hasRequirements)
      return [invalidValue(`${field}.rawSelector`, raw, 'may not specified at the same time as requirements')];
    if (raw !== '' || hasRequirements) return [];
    const detail = `when ${field} is specified, requirements or rawSelector is required`;
    return [requiredValue(`${field}.requirements`, detail)];
  });
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
