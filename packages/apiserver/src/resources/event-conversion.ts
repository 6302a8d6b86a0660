import type { KubeObject } from '@kind-e2e/kube-api';
import type { VersionConversion } from './served-resource.ts';

type Json = Record<string, unknown>;

/** Names of the same fields: core/v1 Event, events.k8s.io/v1 Event. */
const RENAMED = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
] as const;

/** events.k8s.io/v1 shows the events of core/v1 under other names (pkg/apis/events/v1/conversion.go). */
export const eventsConversion: VersionConversion = {
  toServed: (stored) => renamed(stored, 'events.k8s.io/v1', 0, 1),
  toStored(served) {
    const object = renamed(served, 'v1', 1, 0) as Json;
    object.involvedObject ??= {};
    object.source ??= {};
    object.firstTimestamp ??= null;
    object.lastTimestamp ??= null;
    object.reportingComponent ??= '';
    object.reportingInstance ??= '';
    object.eventTime ??= null;
    return object as KubeObject;
  },
};

function renamed(object: KubeObject, apiVersion: string, from: 0 | 1, to: 0 | 1): KubeObject {
  const names = new Map<string, string>(RENAMED.map((pair) => [pair[from], pair[to]]));
  const out: Json = {};
  for (const [name, value] of Object.entries(object)) out[names.get(name) ?? name] = value;
  out.apiVersion = apiVersion;
  return out as KubeObject;
}
