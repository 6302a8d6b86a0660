/** apps/v1 and replication controllers (`pkg/apis/apps/validation`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { labelSelectorOf, matchesLabels } from '../selectors/label-selector.ts';
import { numberAt, recordAt, stringAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { immutableField, notNegative, shownLabels } from './field-rules.ts';
import { goRollingStateful, goStatefulStrategy } from './go-dump.ts';
import { validateLabelSelector } from './label-selector.ts';
import { intOrPercent, isZeroIntOrPercent, notMoreThan100Percent } from './numbers.ts';
import { validateAnnotations, validateLabels } from './object-meta.ts';
import { validatePodTemplate } from './pod/pod-spec.ts';

const NO_MATCH = '`selector` does not match template `labels`';

function specOf(object: JsonRecord): JsonRecord {
  return recordAt(object, 'spec') ?? {};
}

function templateOf(spec: JsonRecord): JsonRecord {
  return recordAt(spec, 'template') ?? {};
}

function templateLabels(spec: JsonRecord): Record<string, string> {
  return stringMapAt(recordAt(templateOf(spec), 'metadata'), 'labels');
}

function isEmptySelector(selector: JsonRecord): boolean {
  return (
    Object.keys(stringMapAt(selector, 'matchLabels')).length === 0 &&
    !(Array.isArray(selector.matchExpressions) && selector.matchExpressions.length > 0)
  );
}

/** Required, not empty, good, and matching the template's labels. */
function validateSelector(spec: JsonRecord, kind: string): FieldError[] {
  const selector = recordAt(spec, 'selector');
  if (selector === undefined) return [requiredValue('spec.selector')];
  const out = validateLabelSelector(selector, 'spec.selector');
  if (isEmptySelector(selector))
    out.push(invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`));
  else if (out.length === 0) {
    const labels = templateLabels(spec);
    if (!matchesLabels(labelSelectorOf(selector), labels))
      out.push(invalidValue('spec.template.metadata.labels', shownLabels(spec), NO_MATCH));
  } else out.push(invalidValue('spec.selector', selector, 'invalid label selector'));
  return out;
}

/** Pods of these controllers run for ever. */
function alwaysRestarts(spec: JsonRecord, kind: string): FieldError[] {
  const pod = recordAt(templateOf(spec), 'spec') ?? {};
  const out: FieldError[] = [];
  if (stringAt(pod, 'restartPolicy') !== 'Always')
    out.push(unsupportedValue('spec.template.spec.restartPolicy', stringAt(pod, 'restartPolicy'), ['Always']));
  if (pod.activeDeadlineSeconds !== undefined)
    out.push(
      forbiddenValue('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`),
    );
  return out;
}

function validateTemplate(spec: JsonRecord, kind: string): FieldError[] {
  return [...validatePodTemplate(templateOf(spec), 'spec.template'), ...alwaysRestarts(spec, kind)];
}

export function validateDeployment(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out = [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...validateSelector(spec, 'deployment'),
    ...validateTemplate(spec, 'ReplicaSet'),
    ...validateDeploymentStrategy(recordAt(spec, 'strategy') ?? {}, 'spec.strategy'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...notNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
  ];
  const deadline = numberAt(spec, 'progressDeadlineSeconds');
  if (deadline !== undefined && deadline <= (numberAt(spec, 'minReadySeconds') ?? 0))
    out.push(invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return out;
}

function validateDeploymentStrategy(strategy: JsonRecord, field: string): FieldError[] {
  const type = stringAt(strategy, 'type');
  const rolling = recordAt(strategy, 'rollingUpdate');
  const path = `${field}.rollingUpdate`;
  if (type === 'Recreate')
    return rolling === undefined
      ? []
      : [forbiddenValue(path, "may not be specified when strategy `type` is 'Recreate'")];
  if (type !== 'RollingUpdate') return [unsupportedValue(`${field}.type`, type, ['Recreate', 'RollingUpdate'])];
  if (rolling === undefined) return [requiredValue(path, 'this should be defaulted and never be nil')];
  const out = [
    ...intOrPercent(rolling.maxUnavailable, `${path}.maxUnavailable`),
    ...intOrPercent(rolling.maxSurge, `${path}.maxSurge`),
  ];
  if (isZeroIntOrPercent(rolling.maxUnavailable) && isZeroIntOrPercent(rolling.maxSurge))
    out.push(invalidValue(`${path}.maxUnavailable`, rolling.maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'));
  return [...out, ...notMoreThan100Percent(rolling.maxUnavailable, `${path}.maxUnavailable`)];
}

export function validateDeploymentUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateDeployment(object),
    ...immutableField(specOf(object).selector, specOf(old).selector, 'spec.selector'),
  ];
}

export function validateReplicaSet(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateSelector(spec, 'deployment'),
    ...validateTemplate(spec, 'ReplicaSet'),
  ];
}

export function validateReplicaSetUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateReplicaSet(object),
    ...immutableField(specOf(object).selector, specOf(old).selector, 'spec.selector'),
  ];
}

export function validateReplicationController(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out = [
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.replicas, 'spec.replicas'),
  ];
  const selector = stringMapAt(spec, 'selector');
  if (Object.keys(selector).length === 0) out.push(requiredValue('spec.selector'));
  else out.push(...validateLabels(selector, 'spec.selector'));
  if (!isRecord(spec.template)) return [...out, requiredValue('spec.template')];
  const labels = templateLabels(spec);
  if (Object.entries(selector).some(([key, value]) => labels[key] !== value))
    out.push(invalidValue('spec.template.metadata.labels', shownLabels(spec), NO_MATCH));
  return [...out, ...validateTemplate(spec, 'ReplicationController')];
}

export function validateStatefulSet(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const management = stringAt(spec, 'podManagementPolicy');
  if (management === '') out.push(requiredValue('spec.podManagementPolicy'));
  else if (management !== 'OrderedReady' && management !== 'Parallel')
    out.push(invalidValue('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  const strategy = recordAt(spec, 'updateStrategy') ?? {};
  const rolling = recordAt(strategy, 'rollingUpdate');
  switch (stringAt(strategy, 'type')) {
    case '':
      out.push(requiredValue('spec.updateStrategy'));
      break;
    case 'OnDelete':
      if (rolling !== undefined)
        out.push(
          invalidValue(
            'spec.updateStrategy.rollingUpdate',
            goRollingStateful(rolling),
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        );
      break;
    case 'RollingUpdate':
      out.push(...notNegative(rolling?.partition, 'spec.updateStrategy.rollingUpdate.partition'));
      if (rolling?.maxUnavailable !== undefined) {
        const path = 'spec.updateStrategy.rollingUpdate.maxUnavailable';
        out.push(...intOrPercent(rolling.maxUnavailable, path));
        if (isZeroIntOrPercent(rolling.maxUnavailable))
          out.push(invalidValue(path, rolling.maxUnavailable, 'cannot be 0'));
        out.push(...notMoreThan100Percent(rolling.maxUnavailable, path));
      }
      break;
    default:
      out.push(
        invalidValue('spec.updateStrategy', goStatefulStrategy(strategy), "must be 'RollingUpdate' or 'OnDelete'"),
      );
  }
  const retention = recordAt(spec, 'persistentVolumeClaimRetentionPolicy');
  for (const name of ['whenDeleted', 'whenScaled']) {
    const policy = stringAt(retention, name);
    if (retention !== undefined && policy !== 'Retain' && policy !== 'Delete')
      out.push(unsupportedValue(`spec.persistentVolumeClaimRetentionPolicy.${name}`, policy, ['Delete', 'Retain']));
  }
  out.push(
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(recordAt(spec, 'ordinals')?.start, 'spec.ordinals.start'),
    ...validateSelector(spec, 'statefulset'),
  );
  // Upstream leaves the pod spec unchecked, since its volumes come from the claim templates.
  const metadata = recordAt(templateOf(spec), 'metadata');
  out.push(
    ...validateLabels(stringMapAt(metadata, 'labels'), 'spec.template.labels'),
    ...validateAnnotations(stringMapAt(metadata, 'annotations'), 'spec.template.annotations'),
    ...alwaysRestarts(spec, 'StatefulSet'),
  );
  return out;
}

const STATEFUL_MUTABLE = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
];

export function validateStatefulSetUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateStatefulSet(object);
  const copy: JsonRecord = { ...specOf(object) };
  for (const name of STATEFUL_MUTABLE) copy[name] = specOf(old)[name];
  if (!semanticEquals(copy, specOf(old)))
    out.push(
      forbiddenValue(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  return out;
}

export function validateDaemonSet(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out = [...validateSelector(spec, 'daemonset'), ...validateTemplate(spec, 'DaemonSet')];
  out.push(...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'));
  const strategy = recordAt(spec, 'updateStrategy') ?? {};
  const rolling = recordAt(strategy, 'rollingUpdate');
  const path = 'spec.updateStrategy.rollingUpdate';
  switch (stringAt(strategy, 'type')) {
    case 'OnDelete':
      break;
    case 'RollingUpdate': {
      if (rolling === undefined) {
        out.push(requiredValue(path));
        break;
      }
      const hasUnavailable = !isZeroIntOrPercent(rolling.maxUnavailable);
      const hasSurge = !isZeroIntOrPercent(rolling.maxSurge);
      out.push(
        ...intOrPercent(rolling.maxUnavailable, `${path}.maxUnavailable`),
        ...intOrPercent(rolling.maxSurge, `${path}.maxSurge`),
        ...notMoreThan100Percent(rolling.maxUnavailable, `${path}.maxUnavailable`),
        ...notMoreThan100Percent(rolling.maxSurge, `${path}.maxSurge`),
      );
      if (hasUnavailable && hasSurge)
        out.push(invalidValue(`${path}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'));
      if (!hasUnavailable && !hasSurge)
        out.push(requiredValue(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
      break;
    }
    default:
      out.push(unsupportedValue('spec.updateStrategy', stringAt(strategy, 'type'), ['RollingUpdate', 'OnDelete']));
  }
  return [...out, ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit')];
}

export function validateDaemonSetUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateDaemonSet(object),
    ...immutableField(specOf(object).selector, specOf(old).selector, 'spec.selector'),
  ];
}

interface Counters {
  /** Not negative. */
  readonly all: readonly string[];
  /** At most as many as there are replicas. */
  readonly some: readonly string[];
  /** What available ones are not more than, as the message has it. */
  readonly readyName: string;
}

const COMMON = ['observedGeneration', 'replicas', 'readyReplicas', 'availableReplicas'];
const DEPLOYMENT: Counters = {
  all: [...COMMON, 'updatedReplicas', 'unavailableReplicas', 'terminatingReplicas', 'collisionCount'],
  some: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
  readyName: 'readyReplicas',
};
const REPLICA_SET: Counters = {
  all: [...COMMON, 'fullyLabeledReplicas', 'terminatingReplicas'],
  some: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
  readyName: 'readyReplicas',
};
const STATEFUL_SET: Counters = {
  all: [...COMMON, 'currentReplicas', 'updatedReplicas', 'collisionCount'],
  some: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
  readyName: 'status.readyReplicas',
};

/** Counters of a status are not negative and agree with each other (`ValidateDeploymentStatus` and its like). */
function counterProblems(object: JsonRecord, { all, some, readyName }: Counters): FieldError[] {
  const status = recordAt(object, 'status') ?? {};
  const out = all.flatMap((name) => notNegative(status[name], `status.${name}`));
  const count = (name: string): number => numberAt(status, name) ?? 0;
  for (const name of some)
    if (count(name) > count('replicas'))
      out.push(invalidValue(`status.${name}`, count(name), 'cannot be greater than status.replicas'));
  if (count('availableReplicas') > count('readyReplicas'))
    out.push(
      invalidValue('status.availableReplicas', count('availableReplicas'), `cannot be greater than ${readyName}`),
    );
  return out;
}

export function validateDeploymentStatus(object: JsonRecord): FieldError[] {
  return counterProblems(object, DEPLOYMENT);
}

/** Of replica sets and replication controllers. */
export function validateReplicaStatus(object: JsonRecord): FieldError[] {
  return counterProblems(object, REPLICA_SET);
}

export function validateStatefulSetStatus(object: JsonRecord): FieldError[] {
  return counterProblems(object, STATEFUL_SET);
}

/** Counters of a DaemonSet's status (`ValidateDaemonSetStatus`). */
export function validateDaemonStatus(object: JsonRecord): FieldError[] {
  const status = recordAt(object, 'status') ?? {};
  return [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ].flatMap((name) => notNegative(status[name], `status.${name}`));
}

export function validateControllerRevision(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  if (object.data === undefined || object.data === null) out.push(requiredValue('data', 'data is mandatory'));
  return [...out, ...notNegative(object.revision, 'revision')];
}

export function validateControllerRevisionUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [...validateControllerRevision(object), ...immutableField(object.data, old.data, 'data')];
}
