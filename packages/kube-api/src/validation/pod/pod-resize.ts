/** `pods/resize` (`ValidatePodResize`): cpu and memory of containers may change, their class of service not. */
import { type FieldError, forbiddenValue, invalidValue } from '../../errors/field-error.ts';
import { computeQosClass, qosClassOf } from '../../strategy/qos.ts';
import { recordAt, recordsAt, stringAt, stringMapAt } from '../../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../../values/json.ts';
import { validatePod } from './pod.ts';

const MIRROR = 'kubernetes.io/config.mirror';

function removed(resources: JsonRecord | undefined, old: JsonRecord | undefined, part: string): boolean {
  const next = recordAt(resources, part) ?? {};
  return Object.keys(recordAt(old, part) ?? {}).some((name) => next[name] === undefined);
}

/** Resources that were asked for stay asked for. */
function resizedResources(next: JsonRecord, old: JsonRecord, field: string): FieldError[] {
  return [
    ['requests', 'resource requests cannot be removed'] as const,
    ['limits', 'resource limits cannot be removed'] as const,
  ]
    .filter(([part]) => removed(recordAt(next, 'resources'), recordAt(old, 'resources'), part))
    .map(([part, detail]) => forbiddenValue(`${field}.${part}`, detail));
}

/** The container with the old amounts of cpu and memory. */
function withOldAmounts(container: JsonRecord, old: JsonRecord): JsonRecord {
  const resources = recordAt(container, 'resources');
  const before = recordAt(old, 'resources');
  const list = (part: string): JsonRecord | undefined => {
    const oldList = recordAt(before, part);
    if (oldList === undefined) return undefined;
    const { cpu: _cpu, memory: _memory, ...rest } = recordAt(resources, part) ?? {};
    for (const name of ['cpu', 'memory']) if (oldList[name] !== undefined) rest[name] = oldList[name];
    return rest;
  };
  const { claims } = resources ?? {};
  return {
    ...container,
    resources: { limits: list('limits') ?? {}, requests: list('requests') ?? {}, claims: claims ?? [] },
  };
}

function comparable(container: JsonRecord): JsonRecord {
  const resources = recordAt(container, 'resources');
  return {
    ...container,
    resources: {
      limits: resources?.limits ?? {},
      requests: resources?.requests ?? {},
      claims: resources?.claims ?? [],
    },
  };
}

const isSidecar = (container: JsonRecord): boolean => container.restartPolicy === 'Always';

export function validatePodResize(pod: JsonRecord, old: JsonRecord): FieldError[] {
  if (stringMapAt(recordAt(old, 'metadata'), 'annotations')[MIRROR] !== undefined)
    return [forbiddenValue('[]', 'static pods cannot be resized')];
  const before = recordAt(old, 'spec') ?? {};
  const spec = recordAt(pod, 'spec') ?? {};
  if (stringAt(recordAt(before, 'os'), 'name') === 'windows')
    return [forbiddenValue('[]', 'windows pods cannot be resized')];
  const out = validatePod(pod);
  if (qosClassOf(old) !== computeQosClass(pod))
    out.push(
      invalidValue(
        'spec',
        recordAt(pod, 'status')?.qosClass ?? '',
        'Pod QOS Class may not change as a result of resizing',
      ),
    );
  const running = recordsAt(recordAt(old, 'status'), 'containerStatuses').find((status) =>
    isRecord(recordAt(status, 'state')?.running),
  );
  if (running !== undefined && running.resources === undefined)
    out.push(forbiddenValue('spec', 'Pod running on node without support for resize'));
  const inits = recordsAt(before, 'initContainers');
  const containers = recordsAt(before, 'containers');
  const nextInits = recordsAt(spec, 'initContainers');
  const nextContainers = recordsAt(spec, 'containers');
  for (const [index, container] of inits.entries())
    if (isSidecar(container))
      out.push(...resizedResources(nextInits[index] ?? {}, container, `spec.initContainers[${index}].resources`));
  for (const [index, container] of containers.entries())
    out.push(...resizedResources(nextContainers[index] ?? {}, container, `spec.containers[${index}].resources`));
  for (const [index, container] of containers.entries())
    if (!isSame(nextContainers[index] ?? {}, container, true))
      out.push(forbiddenValue('spec', 'only cpu and memory resources are mutable'));
  for (const [index, container] of inits.entries()) {
    if (isSame(nextInits[index] ?? {}, container, isSidecar(container))) continue;
    const detail = isSidecar(container)
      ? 'only cpu and memory resources for sidecar containers are mutable'
      : 'resources for non-sidecar init containers are immutable';
    out.push(forbiddenValue('spec', detail));
  }
  return out;
}

function isSame(next: JsonRecord, old: JsonRecord, mayResize: boolean): boolean {
  return semanticEquals(mayResize ? withOldAmounts(next, old) : comparable(next), comparable(old));
}
