import { messageOf } from '@kind-e2e/base';
import { badRequest, type LabelSelector, matchesLabels, parseLabelSelector } from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { type FieldRequirement, parseFieldSelector } from './field-selector.ts';

/** Which objects of a resource a list, watch or deletecollection is about. */
export interface Selection {
  /** Names the selection: equal keys choose the same objects. */
  readonly key: string;
  /** Undefined for all namespaces, and for resources without. */
  readonly namespace: string | undefined;
  /** Set where a field selector asks for one name. */
  readonly name: string | undefined;
  readonly isEverything: boolean;
  matches(record: ObjectRecord): boolean;
}

/** Throws 400 for selectors that cannot be read, or ask for fields that cannot be selected by. */
export function createSelection(
  resource: ServedResource,
  namespace: string,
  name: string,
  labelSelector: string,
  fieldSelector: string,
): Selection {
  const labels = labelSelector === '' ? undefined : parseLabels(labelSelector);
  const fields = fieldSelector === '' ? [] : parseFieldSelector(fieldSelector);
  for (const { path } of fields)
    if (!isMetadataField(resource, path) && !resource.behavior.supportsField(path))
      throw badRequest(resource.behavior.fieldProblem(path));
  if (name !== '') fields.push({ path: 'metadata.name', value: name, isEqual: true });
  const chosenNamespace =
    (namespace === '' ? undefined : namespace) ??
    (resource.definition.namespaced ? equalTo(fields, 'metadata.namespace') : undefined);
  return {
    key: `${chosenNamespace ?? ''}|${labelSelector}|${fieldSelector}|${name}`,
    namespace: chosenNamespace ?? (resource.definition.namespaced ? undefined : ''),
    name: equalTo(fields, 'metadata.name'),
    isEverything: chosenNamespace === undefined && labels === undefined && fields.length === 0,
    matches: (record) =>
      (chosenNamespace === undefined || record.namespace === chosenNamespace) &&
      (labels === undefined || matchesLabels(labels, record.labels)) &&
      fields.every((requirement) => matchesField(resource, record, requirement)),
  };
}

function parseLabels(text: string): LabelSelector {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

function isMetadataField(resource: ServedResource, path: string): boolean {
  return path === 'metadata.name' || (path === 'metadata.namespace' && resource.definition.namespaced);
}

function equalTo(fields: readonly FieldRequirement[], path: string): string | undefined {
  return fields.find((field) => field.path === path && field.isEqual)?.value;
}

function matchesField(
  resource: ServedResource,
  record: ObjectRecord,
  { path, value, isEqual }: FieldRequirement,
): boolean {
  let actual: string | undefined;
  if (path === 'metadata.name') actual = record.name;
  else if (path === 'metadata.namespace') actual = record.namespace;
  else actual = resource.behavior.field(record.object, path);
  return ((actual ?? '') === value) === isEqual;
}
