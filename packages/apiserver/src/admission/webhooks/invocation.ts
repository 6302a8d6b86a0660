import { forbidden, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { groupResourceOf } from '../../operations/object-identity.ts';
import type { ResourceTable } from '../../resources/resource-table.ts';
import type { ServedResource } from '../../resources/served-resource.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { matchesNamespace, matchesObject, matchesRule } from '../policies/match-resources.ts';
import { aggregate, matchConditions, type VariableSources, variablesOf } from '../policies/policy-variables.ts';

export const GROUP = 'admissionregistration.k8s.io';

/** One webhook that is to be asked about a write, in the version that it wants to see. */
export interface Invocation {
  /** Tells webhooks of one name apart. */
  readonly id: string;
  readonly name: string;
  readonly webhook: Json;
  readonly resource: ServedResource;
}

/** What webhooks are found by. */
export interface WebhookSources extends VariableSources {
  readonly resources: ResourceTable;
}

export interface Webhook {
  readonly id: string;
  readonly webhook: Json;
}

/** The webhooks of all configurations of a kind, in the order of the configurations' names. */
export function webhooksOf(store: ObjectStore, plural: string): readonly Webhook[] {
  const collection = store.collection(`${GROUP}/${plural}`);
  if (collection.size === 0) return [];
  return [...collection.records()]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name, object }) =>
      recordsIn(object as Json, 'webhooks').map((webhook, index) => ({
        id: `${name}/${webhook.name}/${index}`,
        webhook,
      })),
    );
}

/** Configurations of admission itself are shown to no webhook, so that nobody locks themselves out. */
export function isExempt({ resource, isInternal }: AdmissionAttributes): boolean {
  return isInternal === true || resource.definition.group === GROUP;
}

/** Whether a webhook is to be asked, and in which version (`webhook/generic.ShouldCallHook`). Throws 403. */
export function invocationOf(
  sources: WebhookSources,
  { id, webhook }: Webhook,
  attributes: AdmissionAttributes,
): Invocation | undefined {
  const { store, resources } = sources;
  if (!matchesNamespace(store, webhook.namespaceSelector, attributes)) return undefined;
  if (!matchesObject(webhook.objectSelector, attributes)) return undefined;
  const resource = wantedVersion(resources, webhook, attributes);
  if (!resource) return undefined;
  const name = String(webhook.name ?? '');
  if (recordsIn(webhook, 'matchConditions').length > 0) {
    const seen = { ...attributes, ...inVersion(attributes, resource), resource };
    const { matches, errors } = matchConditions(webhook, variablesOf(sources, seen));
    if (errors.length > 0) {
      if (webhook.failurePolicy === 'Ignore') return undefined;
      throw forbidden(groupResourceOf(attributes.resource), attributes.object.metadata?.name ?? '', aggregate(errors));
    }
    if (!matches) return undefined;
  }
  return { id, name, webhook, resource };
}

/** The object and what it was, in another version of their kind. */
export function inVersion(
  { resource, object, old }: AdmissionAttributes,
  wanted: ServedResource,
): { readonly object: KubeObject; readonly old: KubeObject | undefined } {
  if (wanted === resource) return { object, old };
  return { object: converted(object, resource, wanted), old: old && converted(old, resource, wanted) };
}

export function converted(object: KubeObject, from: ServedResource, to: ServedResource): KubeObject {
  if (from === to) return object;
  const stored = from.conversion?.toStored(structuredClone(object)) ?? object;
  return { ...(to.conversion?.toServed(structuredClone(stored)) ?? stored), apiVersion: to.apiVersion };
}

function wantedVersion(
  resources: ResourceTable,
  webhook: Json,
  attributes: AdmissionAttributes,
): ServedResource | undefined {
  const { resource } = attributes;
  const rules = recordsIn(webhook, 'rules').filter((rule) => matchesRule(rule, attributes));
  const accepts = (rule: Json, version: string): boolean =>
    Array.isArray(rule.apiVersions) && (rule.apiVersions.includes('*') || rule.apiVersions.includes(version));
  if (rules.some((rule) => accepts(rule, resource.definition.version))) return resource;
  if (webhook.matchPolicy === 'Exact') return undefined;
  for (const other of resources.all())
    if (other.collection === resource.collection && rules.some((rule) => accepts(rule, other.definition.version)))
      return other;
  return undefined;
}

/** The parts of a webhook's `clientConfig`. */
export function clientConfigOf(webhook: Json): Json {
  return isRecord(webhook.clientConfig) ? webhook.clientConfig : {};
}
