import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { AdmissionAttributes } from './admission-chain.ts';

export type Json = Record<string, unknown>;

/** The spec of a pod, made where it is missing. */
export function specOf(pod: KubeObject): Json {
  const fields = pod as Json;
  if (isRecord(fields.spec)) return fields.spec;
  const spec: Json = {};
  fields.spec = spec;
  return spec;
}

export function recordsIn(parent: Json, name: string): Json[] {
  const list = parent[name];
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

/** A list to add to. */
export function listIn(parent: Json, name: string): unknown[] {
  const list = parent[name];
  if (Array.isArray(list)) return list;
  const made: unknown[] = [];
  parent[name] = made;
  return made;
}

/** True for the creation of a pod itself, not of a part of it. */
export function isPodCreation({ resource, operation, subresource }: AdmissionAttributes): boolean {
  return resource.collection === 'pods' && operation === 'CREATE' && subresource === '';
}

/** Pods that a kubelet reports from files: they have no service account and nobody changes them. */
export function isMirrorPod(pod: KubeObject): boolean {
  return pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}
