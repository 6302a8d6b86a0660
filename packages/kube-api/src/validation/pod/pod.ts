/** Whole pods: create, update, ephemeral containers (`ValidatePodCreate`, `ValidatePodUpdate`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
} from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt } from '../../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../../values/json.ts';
import { unifiedDiff } from '../../values/text-diff.ts';
import { goEphemeral, goNodeTerm, podSpecDiff } from '../go-dump.ts';
import { annotationsMatchFields, podAnnotationUpdates, validatePodAnnotations } from './annotations.ts';
import { validateImagesOfPod } from './containers.ts';
import { validatePodSpec } from './pod-spec.ts';
import { validateTolerations } from './scheduling.ts';

const MIRROR = 'kubernetes.io/config.mirror';
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

const metadataOf = (pod: JsonRecord): JsonRecord | undefined => recordAt(pod, 'metadata');
const annotationsOf = (pod: JsonRecord): Record<string, string> => stringMapAt(metadataOf(pod), 'annotations');

export function validatePod(pod: JsonRecord): FieldError[] {
  const spec = specOf(pod);
  const out = [
    ...validatePodAnnotations(annotationsOf(pod), spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { pod: stringAt(metadataOf(pod), 'name') }),
  ];
  if (stringAt(spec, 'serviceAccountName') === '')
    for (const [index, volume] of recordsAt(spec, 'volumes').entries())
      for (const [at, source] of recordsAt(recordAt(volume, 'projected'), 'sources').entries())
        if (isRecord(source.serviceAccountToken))
          out.push(
            forbiddenValue(
              `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          );
  return [...out, ...validateImagesOfPod(spec, 'spec')];
}

export function validatePodCreate(pod: JsonRecord): FieldError[] {
  const spec = specOf(pod);
  const out = validatePod(pod);
  if (recordsAt(spec, 'ephemeralContainers').length > 0)
    out.push(forbiddenValue('spec.ephemeralContainers', 'cannot be set on create'));
  if (stringAt(spec, 'nodeName') !== '' && recordsAt(spec, 'schedulingGates').length > 0)
    out.push(forbiddenValue('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  return [...out, ...annotationsMatchFields(annotationsOf(pod), spec, 'spec')];
}

/** Containers of an update are the old ones, with maybe another image. */
function containerUpdates(spec: JsonRecord, old: JsonRecord, list: string): { errors: FieldError[]; stop: boolean } {
  const next = recordsAt(spec, list);
  if (next.length !== recordsAt(old, list).length)
    return { errors: [forbiddenValue(`spec.${list}`, 'pod updates may not add or remove containers')], stop: true };
  const errors: FieldError[] = [];
  for (const [index, container] of next.entries()) {
    const path = `spec.${list}[${index}].image`;
    const image = stringAt(container, 'image');
    if (image === '') errors.push(requiredValue(path));
    if (image !== image.trim()) errors.push(invalidValue(path, image, 'must not have leading or trailing whitespace'));
  }
  return { errors, stop: false };
}

export function validatePodUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePod(pod);
  out.push(...podAnnotationUpdates(annotationsOf(pod), annotationsOf(old), 'metadata.annotations'));
  const spec = specOf(pod);
  const before = specOf(old);
  for (const list of ['containers', 'initContainers']) {
    const { errors, stop } = containerUpdates(spec, before, list);
    out.push(...errors);
    if (stop) return out;
  }
  const deadline = deadlineUpdate(spec, before);
  out.push(...deadline.errors);
  if (deadline.stop) return out;
  out.push(...tolerationsUpdate(spec, before), ...gatesUpdate(spec, before));
  const munged: JsonRecord = { ...spec };
  for (const list of ['containers', 'initContainers']) {
    const olds = recordsAt(before, list);
    if (Array.isArray(spec[list]))
      munged[list] = recordsAt(spec, list).map((container, index) => ({ ...container, image: olds[index]?.image }));
  }
  for (const name of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) copyField(munged, before, name);
  const grace = numberAt(before, 'terminationGracePeriodSeconds');
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = grace;
  if (recordsAt(before, 'schedulingGates').length > 0) out.push(...gatedUpdate(munged, before));
  if (!semanticEquals(munged, before))
    out.push(
      forbiddenValue(
        'spec',
        `pod updates may not change fields other than ${UPDATABLE.join(',')}\n${podSpecDiff(before, munged)}`,
      ),
    );
  return out;
}

function copyField(target: JsonRecord, source: JsonRecord, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = source[name];
}

/** What may be narrowed while a pod waits at its gates; takes it out of the comparison. */
function gatedUpdate(munged: JsonRecord, before: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const selector = stringMapAt(munged, 'nodeSelector');
  if (Object.entries(stringMapAt(before, 'nodeSelector')).some(([key, value]) => selector[key] !== value))
    out.push(
      invalidValue(
        'spec.nodeSelector',
        Object.keys(selector).length === 0 ? NIL_COLLECTION : selector,
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ),
    );
  copyField(munged, before, 'nodeSelector');
  const affinity = recordAt(munged, 'affinity');
  const oldAffinity = recordAt(before, 'affinity');
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const termsOf = (source: JsonRecord | undefined): JsonRecord[] =>
    recordsAt(recordAt(recordAt(source, 'nodeAffinity'), required), 'nodeSelectorTerms');
  out.push(
    ...termUpdates(termsOf(affinity), termsOf(oldAffinity), `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms`),
  );
  const { nodeAffinity: _, ...others } = affinity ?? {};
  if (oldAffinity?.nodeAffinity !== undefined) munged.affinity = { ...others, nodeAffinity: oldAffinity.nodeAffinity };
  else if (oldAffinity === undefined && Object.keys(others).length === 0) delete munged.affinity;
  else munged.affinity = others;
  return out;
}

/** Terms may get more requirements, in addition to those they have (`validateNodeAffinityMutation`). */
function termUpdates(next: readonly JsonRecord[], old: readonly JsonRecord[], field: string): FieldError[] {
  if (old.length === 0) return [];
  if (old.length !== next.length)
    return [
      invalidValue(
        field,
        next.length === 0 ? NIL_COLLECTION : next.map(goNodeTerm),
        'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
      ),
    ];
  return old.flatMap((term, index) => {
    const after = next[index] ?? {};
    const lists = ['matchExpressions', 'matchFields'];
    const wasEmpty = lists.every((list) => recordsAt(term, list).length === 0);
    const isGood = lists.every((list) => {
      const before = recordsAt(term, list);
      const now = recordsAt(after, list);
      return wasEmpty ? now.length === 0 : semanticEquals(now.slice(0, before.length), before);
    });
    return isGood
      ? []
      : [
          invalidValue(
            `${field}[${index}]`,
            goNodeTerm(after),
            'only additions are allowed (no mutations or deletions)',
          ),
        ];
  });
}

/** A deadline may come nearer, never go. */
function deadlineUpdate(spec: JsonRecord, old: JsonRecord): { errors: FieldError[]; stop: boolean } {
  const next = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  const field = 'spec.activeDeadlineSeconds';
  if (typeof next !== 'number')
    return {
      errors:
        before === undefined ? [] : [invalidValue(field, null, 'must not update from a positive integer to nil value')],
      stop: false,
    };
  if (next < 0 || next > 2_147_483_647)
    return { errors: [invalidValue(field, next, 'must be between 0 and 2147483647, inclusive')], stop: true };
  return typeof before === 'number' && before < next
    ? { errors: [invalidValue(field, next, 'must be less than or equal to previous value')], stop: true }
    : { errors: [], stop: false };
}

function gatesUpdate(spec: JsonRecord, old: JsonRecord): FieldError[] {
  const known = new Set(recordsAt(old, 'schedulingGates').map((gate) => stringAt(gate, 'name')));
  return recordsAt(spec, 'schedulingGates').flatMap((gate, index) => {
    const name = stringAt(gate, 'name');
    return known.has(name)
      ? []
      : [
          forbiddenValue(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ];
  });
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
    ? validateTolerations(next, 'spec.tolerations')
    : [forbiddenValue('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

/** `pods/ephemeralcontainers`: containers may be added, none changed or removed. */
export function validateEphemeralUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  if (annotationsOf(old)[MIRROR] !== undefined)
    return [forbiddenValue('[]', 'static pods do not support ephemeral containers')];
  const out = validatePod(pod);
  out.push(...podAnnotationUpdates(annotationsOf(pod), annotationsOf(old), 'metadata.annotations'));
  const next = recordsAt(specOf(pod), 'ephemeralContainers');
  const field = 'spec.ephemeralContainers';
  for (const container of recordsAt(specOf(old), 'ephemeralContainers')) {
    const name = stringAt(container, 'name');
    const found = next.find((entry) => stringAt(entry, 'name') === name);
    if (found === undefined)
      out.push(forbiddenValue(field, `existing ephemeral containers "${name}" may not be removed\n`));
    else if (!semanticEquals(found, container))
      out.push(
        forbiddenValue(
          field,
          `existing ephemeral containers "${name}" may not be changed\n${unifiedDiff(goEphemeral(container), goEphemeral(found))}`,
        ),
      );
  }
  return out;
}
