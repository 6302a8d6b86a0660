/** Whole pods: create, update, status, ephemeral containers, resize (`ValidatePodCreate`, `ValidatePodUpdate`). */
import { type FieldError, forbiddenValue, invalidValue, requiredValue } from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../../values/json.ts';
import { podSpecDiff } from '../go-dump.ts';
import { validateImagesOfPod } from './containers.ts';
import { validatePodSpec } from './pod-spec.ts';

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

function specOf(pod: JsonRecord): JsonRecord {
  return recordAt(pod, 'spec') ?? {};
}

export function validatePod(pod: JsonRecord): FieldError[] {
  const spec = specOf(pod);
  return [...validatePodSpec(spec, 'spec'), ...validateImagesOfPod(spec, 'spec')];
}

export function validatePodCreate(pod: JsonRecord): FieldError[] {
  const spec = specOf(pod);
  const out = validatePod(pod);
  if (recordsAt(spec, 'ephemeralContainers').length > 0)
    out.push(forbiddenValue('spec.ephemeralContainers', 'cannot be set on create'));
  if (stringAt(spec, 'nodeName') !== '' && recordsAt(spec, 'schedulingGates').length > 0)
    out.push(forbiddenValue('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  return out;
}

/** Containers of an update are the old ones, with maybe another image. */
function containerUpdates(spec: JsonRecord, old: JsonRecord, list: string): { errors: FieldError[]; stop: boolean } {
  const next = recordsAt(spec, list);
  if (next.length !== recordsAt(old, list).length)
    return { errors: [forbiddenValue(`spec.${list}`, 'pod updates may not add or remove containers')], stop: true };
  const errors: FieldError[] = [];
  for (const [index, container] of next.entries())
    if (stringAt(container, 'image') === '') errors.push(requiredValue(`spec.${list}[${index}].image`));
  return { errors, stop: false };
}

export function validatePodUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePod(pod);
  const spec = specOf(pod);
  const before = specOf(old);
  for (const list of ['containers', 'initContainers']) {
    const { errors, stop } = containerUpdates(spec, before, list);
    out.push(...errors);
    if (stop) return out;
  }
  const munged: JsonRecord = { ...spec };
  for (const list of ['containers', 'initContainers']) {
    const olds = recordsAt(before, list);
    if (Array.isArray(spec[list]))
      munged[list] = recordsAt(spec, list).map((container, index) => ({ ...container, image: olds[index]?.image }));
  }
  out.push(...deadlineUpdate(spec, before));
  if (before.activeDeadlineSeconds === undefined) delete munged.activeDeadlineSeconds;
  else munged.activeDeadlineSeconds = before.activeDeadlineSeconds;
  const isGated = recordsAt(before, 'schedulingGates').length > 0;
  out.push(...gatesUpdate(spec, before));
  copy(munged, before, 'schedulingGates');
  if (isGated) for (const name of ['nodeSelector', 'affinity']) copy(munged, before, name);
  out.push(...tolerationsUpdate(spec, before));
  copy(munged, before, 'tolerations');
  const grace = numberAt(before, 'terminationGracePeriodSeconds');
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = grace;
  if (!semanticEquals(munged, before))
    out.push(
      forbiddenValue(
        'spec',
        `pod updates may not change fields other than ${UPDATABLE.join(',')}\n${podSpecDiff(before, munged)}`,
      ),
    );
  return out;
}

function copy(target: JsonRecord, source: JsonRecord, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = source[name];
}

function deadlineUpdate(spec: JsonRecord, old: JsonRecord): FieldError[] {
  const next = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  const field = 'spec.activeDeadlineSeconds';
  if (typeof next === 'number') {
    if (next < 0 || next > 2_147_483_647)
      return [invalidValue(field, next, 'must be between 0 and 2147483647, inclusive')];
    if (typeof before === 'number' && before < next)
      return [invalidValue(field, next, 'must be less than or equal to previous value')];
    return [];
  }
  return before === undefined
    ? []
    : [invalidValue(field, null, 'must not update from a positive integer to nil value')];
}

function gatesUpdate(spec: JsonRecord, old: JsonRecord): FieldError[] {
  const known = new Set(recordsAt(old, 'schedulingGates').map((gate) => stringAt(gate, 'name')));
  return recordsAt(spec, 'schedulingGates')
    .map((gate) => stringAt(gate, 'name'))
    .filter((name) => !known.has(name))
    .map((name) =>
      forbiddenValue('spec.schedulingGates', `only deletion is allowed, but found new scheduling gate '${name}'`),
    );
}

function tolerationsUpdate(spec: JsonRecord, old: JsonRecord): FieldError[] {
  const next = recordsAt(spec, 'tolerations');
  const isKept = (toleration: JsonRecord): boolean =>
    next.some((entry) => {
      const { tolerationSeconds: _, ...left } = entry;
      const { tolerationSeconds: _other, ...right } = toleration;
      return semanticEquals(left, right);
    });
  return recordsAt(old, 'tolerations').every(isKept)
    ? []
    : [forbiddenValue('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

/** `pods/ephemeralcontainers`: containers may be added, none changed or removed. */
export function validateEphemeralUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePod(pod);
  const next = recordsAt(specOf(pod), 'ephemeralContainers');
  const field = 'spec.ephemeralContainers';
  for (const container of recordsAt(specOf(old), 'ephemeralContainers')) {
    const name = stringAt(container, 'name');
    const found = next.find((entry) => stringAt(entry, 'name') === name);
    if (found === undefined)
      out.push(forbiddenValue(field, `existing ephemeral containers "${name}" may not be removed\n`));
    else if (!semanticEquals(found, container))
      out.push(forbiddenValue(field, `existing ephemeral containers "${name}" may not be changed\n`));
  }
  return out;
}

/** `pods/status`: node name, times of containers and phases are checked where the real one does. */
export function validatePodStatusUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const status = recordAt(pod, 'status') ?? {};
  const before = recordAt(old, 'status') ?? {};
  const nominated = stringAt(status, 'nominatedNodeName');
  if (nominated !== '' && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(nominated))
    out.push(invalidValue('status.nominatedNodeName', nominated, 'invalid node name'));
  const restart = stringAt(specOf(old), 'restartPolicy');
  for (const [list, owner] of [
    ['containerStatuses', 'containers'],
    ['initContainerStatuses', 'initContainers'],
  ] as const) {
    const oldStatuses = recordsAt(before, list);
    for (const [index, entry] of recordsAt(status, list).entries()) {
      const name = stringAt(entry, 'name');
      const container = recordsAt(specOf(pod), owner).find((candidate) => stringAt(candidate, 'name') === name);
      const previous = oldStatuses.find((candidate) => stringAt(candidate, 'name') === name);
      const wasTerminated = isRecord(recordAt(previous, 'state')?.terminated);
      const isTerminated = isRecord(recordAt(entry, 'state')?.terminated);
      const mayRestart = restart === 'Always' || container?.restartPolicy === 'Always';
      if (!wasTerminated || isTerminated || mayRestart) continue;
      const exitCode = numberAt(recordAt(recordAt(previous, 'state'), 'terminated'), 'exitCode') ?? 0;
      if (restart === 'OnFailure' && exitCode !== 0) continue;
      if (container !== undefined && container.restartPolicy !== undefined) continue;
      out.push(forbiddenValue(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state'));
    }
  }
  return out;
}
