import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import { type Json, recordsIn } from '../pod-parts.ts';

/** A pod, or what a template will make, with what the checks look at. */
export interface CheckedPod {
  readonly spec: Json;
  readonly annotations: Readonly<Record<string, string>>;
  /** The security context of the pod. */
  readonly context: Json;
  /** Init containers, containers, ephemeral ones. */
  readonly containers: readonly CheckedContainer[];
}

export interface CheckedContainer {
  readonly name: string;
  readonly container: Json;
  readonly context: Json;
}

/** What a check found: `reason (detail)`. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type Check = (pod: CheckedPod) => Violation | undefined;

export function checkedPod(pod: KubeObject): CheckedPod {
  const spec = sectionOf(pod, 'spec');
  return {
    spec,
    annotations: pod.metadata?.annotations ?? {},
    context: isRecord(spec.securityContext) ? spec.securityContext : {},
    containers: ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
      recordsIn(spec, list).map((container) => ({
        name: String(container.name),
        container,
        context: isRecord(container.securityContext) ? container.securityContext : {},
      })),
    ),
  };
}

export const partOf = (parent: Json, name: string): Json => (isRecord(parent[name]) ? parent[name] : {});

export const plural = (one: string, count: number): string => (count === 1 ? one : `${one}s`);

export const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

export const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** `container "a"`, `containers "a", "b"` */
export function containersNamed(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`;
}

/** `pod and container "a"`: who sets something that may not be set. */
export function settersOf(isPod: boolean, names: readonly string[]): string {
  return [...(isPod ? ['pod'] : []), ...(names.length > 0 ? [containersNamed(names)] : [])].join(' and ');
}

/** The names of the containers for which something holds. */
export function namesWhere({ containers }: CheckedPod, holds: (container: CheckedContainer) => boolean): string[] {
  return containers.filter(holds).map(({ name }) => name);
}

/** `type` of a profile in a security context. */
export function profileType(context: Json, profile: string): string | undefined {
  const { type } = partOf(context, profile);
  return isRecord(context[profile]) ? String(type ?? '') : undefined;
}

export function capabilitiesIn(context: Json, list: 'add' | 'drop'): string[] {
  const values = partOf(context, 'capabilities')[list];
  return Array.isArray(values) ? values.map(String) : [];
}
