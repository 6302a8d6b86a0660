import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { KeyedData } from '../volumes/object-reader.ts';
import { expandVariables } from './expand.ts';
import { type Allocatable, type PodAddresses, podField, resourceField } from './pod-fields.ts';

/** The container's configuration cannot be made; shown as CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}

export interface EnvSources {
  readonly pod: Pod;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
  readonly services: ReadonlyMap<string, string>;
  readonly read: (kind: KeyedData['kind'], name: string) => Promise<KeyedData | undefined>;
}

/**
 * The variables of a container by the pod's spec: service variables, then `envFrom`, then `env`, with `$(NAME)` in
 * values (kubelet's makeEnvironmentVariables). Throws ContainerConfigError with upstream's words.
 */
export async function containerVariables(container: Container, sources: EnvSources): Promise<Map<string, string>> {
  const variables = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const prefix = from.prefix ?? '';
    const reference = from.configMapRef ?? from.secretRef;
    if (!reference) continue;
    const kind = from.configMapRef ? 'configmap' : 'secret';
    const name = reference.name ?? '';
    const object = await sources.read(kind, name);
    if (!object) {
      if (reference.optional) continue;
      throw new ContainerConfigError(`${kind} "${name}" not found`);
    }
    for (const [key, value] of object.data) variables.set(prefix + key, value.toString('utf8'));
  }
  const lookup = (name: string): string | undefined => variables.get(name) ?? sources.services.get(name);
  for (const entry of container.env ?? []) {
    if (entry.valueFrom === undefined || entry.valueFrom === null) {
      variables.set(entry.name, expandVariables(entry.value ?? '', lookup));
      continue;
    }
    const value = await valueFrom(container, entry.valueFrom, sources);
    if (value !== undefined) variables.set(entry.name, value);
  }
  for (const [name, value] of sources.services) if (!variables.has(name)) variables.set(name, value);
  return variables;
}

async function valueFrom(
  container: Container,
  from: NonNullable<NonNullable<Container['env']>[number]['valueFrom']>,
  sources: EnvSources,
): Promise<string | undefined> {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = from;
  if (fieldRef) {
    const value = podField(sources.pod, fieldRef.fieldPath, sources.addresses);
    if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return value;
  }
  if (resourceFieldRef) {
    const target =
      resourceFieldRef.containerName === undefined || resourceFieldRef.containerName === container.name
        ? container
        : [...(sources.pod.spec?.containers ?? []), ...(sources.pod.spec?.initContainers ?? [])].find(
            (each) => each.name === resourceFieldRef.containerName,
          );
    if (!target) throw new ContainerConfigError(`container ${resourceFieldRef.containerName} not found`);
    return resourceField(target, resourceFieldRef, sources.allocatable);
  }
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) return undefined;
  const kind = configMapKeyRef ? 'configmap' : 'secret';
  const name = reference.name ?? '';
  const object = await sources.read(kind, name);
  if (!object) {
    if (reference.optional) return undefined;
    throw new ContainerConfigError(`${kind} "${name}" not found`);
  }
  const value = object.data.get(reference.key);
  if (value === undefined) {
    if (reference.optional) return undefined;
    const word = kind === 'configmap' ? 'ConfigMap' : 'Secret';
    throw new ContainerConfigError(
      `couldn't find key ${reference.key} in ${word} ${sources.pod.metadata?.namespace}/${name}`,
    );
  }
  return value.toString('utf8');
}
