import { isRecord, type KubeObject, labelSelectorOf, matchesLabels } from '@kind-e2e/kube-api';
import { servedCopy } from '../../operations/update.ts';
import type { ResourceTable } from '../../resources/resource-table.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes } from '../admission-chain.ts';
import type { Json } from '../pod-parts.ts';

/** The parameters of a binding cannot be had: a policy that may not fail refuses then. */
export class ParamsError extends Error {
  override readonly name = 'ParamsError';
}

/** Nothing is known of the kind of a policy's parameters. */
export class ParamKindError extends Error {
  override readonly name = 'ParamKindError';
}

/**
 * The parameters that a policy is run with for one binding, once for each; undefined stands for none, no entry for
 * none where that is to be ignored (`plugin/policy/generic.CollectParams`). Throws a `ParamsError` or a
 * `ParamKindError`.
 */
function collectParams(
  sources: { readonly store: ObjectStore; readonly resources: ResourceTable },
  policy: Json,
  binding: Json,
  namespace: string,
): readonly (KubeObject | undefined)[] {
  const { paramKind } = policy;
  const { paramRef } = binding;
  if (!isRecord(paramKind) || !isRecord(paramRef)) return [undefined];
  const apiVersion = String(paramKind.apiVersion ?? '');
  const kind = String(paramKind.kind ?? '');
  const resource = sources.resources.findKind(apiVersion, kind);
  if (!resource)
    throw new ParamKindError(`failed to find resource referenced by paramKind: '${goKind(apiVersion, kind)}'`);
  const given = typeof paramRef.namespace === 'string' ? paramRef.namespace : '';
  const { namespaced } = resource.definition;
  const place = namespaced ? given || namespace : '';
  if (namespaced && place === '')
    throw new ParamsError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  if (!namespaced && given !== '')
    throw new ParamsError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const records = sources.store.collection(resource.collection);
  const name = typeof paramRef.name === 'string' ? paramRef.name : '';
  const selector = labelSelectorOf(isRecord(paramRef.selector) ? paramRef.selector : {});
  const named = name === '' ? undefined : records.get(place, name);
  const chosen =
    name === ''
      ? [...records.records(namespaced ? place : undefined)].filter(({ labels }) => matchesLabels(selector, labels))
      : named
        ? [named]
        : [];
  if (chosen.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    throw new ParamsError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return chosen.map((record) => servedCopy(resource, record));
}

/** The parameters of a binding for a write. Throws as `collectParams` does. */
export function paramsFor(
  sources: { readonly store: ObjectStore; readonly resources: ResourceTable },
  policy: Json,
  binding: Json,
  { object, resource }: AdmissionAttributes,
): readonly (KubeObject | undefined)[] {
  const { name = '', namespace = '' } = object.metadata ?? {};
  // A namespace is in itself.
  const place = resource.collection === 'namespaces' ? name : resource.definition.namespaced ? namespace : '';
  return collectParams(sources, policy, binding, place);
}

/** `group/version, Kind=kind` (`GroupVersionKind.String`). */
function goKind(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}
