/**
 * Validation of built-in kinds: every problem is reported, in the words and with the field paths of the real server.
 * `validateCreate` and `validateUpdate` take decoded, defaulted and prepared objects.
 */
import type { FieldError } from '../errors/field-error.ts';
import { findKind } from '../registry/lookup.ts';
import type { GroupVersionKind } from '../registry/resource-definition.ts';
import type { JsonRecord } from '../values/json.ts';
import { forgiveOldAddresses } from './ip.ts';
import { type KindRules, subdomainName } from './kind-rules.ts';
import { KIND_RULES } from './kinds.ts';
import {
  pathSegmentName,
  validateKubeFinalizers,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './object-meta.ts';
import { validateEphemeralUpdate } from './pod/pod.ts';
import { validatePodResize } from './pod/pod-resize.ts';

function rulesOf(gvk: GroupVersionKind): KindRules {
  return KIND_RULES[`${gvk.group}/${gvk.kind}`] ?? { name: subdomainName };
}

function isNamespaced(gvk: GroupVersionKind): boolean {
  return findKind(gvk)?.namespaced ?? true;
}

/** Problems of a new object; empty where it is good. */
export function validateCreate(gvk: GroupVersionKind, object: JsonRecord): FieldError[] {
  const rules = rulesOf(gvk);
  const out = [
    ...validateObjectMeta(object.metadata, isNamespaced(gvk), rules.name),
    ...(rules.create?.(object) ?? []),
  ];
  // The store checks metadata once more with looser rules (`rest.BeforeCreate`), only where nothing else was wrong.
  return out.length > 0 ? out : validateObjectMeta(object.metadata, isNamespaced(gvk), pathSegmentName);
}

/**
 * Problems of an update; `old` is the stored object. metadata is checked by the store and by the kind, once or twice
 * again, and its problems are reported as often, as the real server does.
 */
export function validateUpdate(
  gvk: GroupVersionKind,
  object: JsonRecord,
  old: JsonRecord,
  subresource = '',
): FieldError[] {
  const rules = rulesOf(gvk);
  const isMain = subresource === '' || subresource === 'finalize';
  const out = metadataProblems(gvk, object, old, isMain ? rules.metadataOnUpdate : undefined);
  if (subresource === 'ephemeralcontainers') return [...out, ...validateEphemeralUpdate(object, old)];
  if (subresource === 'resize') return [...out, ...validatePodResize(object, old)];
  if (subresource === 'approval') return [...out, ...(rules.approval?.(object, old) ?? [])];
  const problems = subresource === 'status' ? rules.status?.(object, old) : rules.update?.(object, old);
  return [...out, ...forgiveOldAddresses(problems ?? [], old)];
}

/** Groups whose finalizers may have any qualified name: they know nothing of those of kube-apiserver's own. */
const OTHER_SERVERS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
]);

function metadataProblems(
  gvk: GroupVersionKind,
  object: JsonRecord,
  old: JsonRecord,
  how: KindRules['metadataOnUpdate'],
): FieldError[] {
  const changed = validateObjectMetaUpdate(object.metadata, old.metadata);
  if (how === 'nothing') return changed;
  const whole = how === undefined ? [] : validateObjectMeta(object.metadata, isNamespaced(gvk), rulesOf(gvk).name);
  if (how === 'whole') return [...changed, ...whole];
  const finalizers = OTHER_SERVERS.has(gvk.group) ? [] : validateKubeFinalizers(object.metadata);
  return [...changed, ...changed, ...finalizers, ...whole];
}

/** Problems of a body that has no stored object: Scale, TokenRequest. metadata is not looked at. */
export function validateBody(gvk: GroupVersionKind, object: JsonRecord): FieldError[] {
  return rulesOf(gvk).create?.(object) ?? [];
}
