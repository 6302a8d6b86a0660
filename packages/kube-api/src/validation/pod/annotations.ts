/** Annotations that mean something to pods (`ValidatePodSpecificAnnotations`, `validateSeccompAnnotationsAndFields`). */
import { type FieldError, forbiddenValue, goQuote, invalidValue } from '../../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { descendingPath } from './paths.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

type Annotations = Readonly<Record<string, string>>;

/** Each container of a pod with its path, in upstream's order (`VisitContainersWithPath`). */
export function containersWithPath(spec: JsonRecord, field: string): readonly (readonly [JsonRecord, string])[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    recordsAt(spec, list).map((container, index) => [container, `${field}.${list}[${index}]`] as const),
  );
}

/** A number of 32 bits without sign or zeros before it (`GetDeletionCostFromPodAnnotations`). */
function isDeletionCost(text: string): boolean {
  if (!/^(-?[1-9]\d*|0)$/.test(text)) return false;
  const value = Number(text);
  return value >= -2_147_483_648 && value <= 2_147_483_647;
}

function seccompProfile(profile: string, field: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (profile.startsWith('localhost/')) return descendingPath(profile.slice('localhost/'.length), field);
  return [invalidValue(field, profile, 'must be a valid seccomp profile')];
}

export function validatePodAnnotations(annotations: Annotations, spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && stringAt(spec, 'nodeName') === '')
    out.push(invalidValue(`${field}[${MIRROR}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isDeletionCost(cost))
    out.push(invalidValue(`${field}[${DELETION_COST}]`, cost, 'must be a 32bit integer'));
  for (const [key, value] of Object.entries(annotations))
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) out.push(...seccompProfile(value, `${field}.${key}`));
  const names = new Set(containersWithPath(spec, 'spec').map(([container]) => stringAt(container, 'name')));
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(APP_ARMOR)) continue;
    const name = key.slice(APP_ARMOR.length);
    if (!names.has(name)) out.push(invalidValue(`${field}[${key}]`, name, 'container not found'));
    if (!['', 'runtime/default', 'unconfined'].includes(value) && !value.startsWith('localhost/'))
      out.push(invalidValue(`${field}[${key}]`, value, `invalid AppArmor profile name: ${goQuote(value)}`));
  }
  return out;
}

/** What an update may not do to annotations (`ValidatePodSpecificAnnotationUpdates`). */
export function podAnnotationUpdates(annotations: Annotations, before: Annotations, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [key, value] of Object.entries(before)) {
    if (annotations[key] === value) continue;
    if (key.startsWith(APP_ARMOR))
      out.push(forbiddenValue(`${field}[${key}]`, 'may not remove or update AppArmor annotations'));
    if (key === MIRROR) out.push(forbiddenValue(`${field}[${key}]`, 'may not remove or update mirror pod annotation'));
  }
  for (const key of Object.keys(annotations)) {
    if (before[key] !== undefined) continue;
    if (key.startsWith(APP_ARMOR)) out.push(forbiddenValue(`${field}[${key}]`, 'may not add AppArmor annotations'));
    if (key === MIRROR) out.push(forbiddenValue(`${field}[${key}]`, 'may not add mirror pod annotation'));
  }
  return out;
}

/** An annotation of old and the field that took its place say the same. `what` is seccomp or apparmor. */
function profileMatches(
  annotation: string | undefined,
  profile: JsonRecord | undefined,
  what: string,
  field: string,
): FieldError[] {
  if (annotation === undefined || profile === undefined) return [];
  const type = stringAt(profile, 'type');
  const wrongType = [forbiddenValue(`${field}.type`, `${what} type in annotation and field must match`)];
  if (type === 'Unconfined') return annotation === 'unconfined' ? [] : wrongType;
  if (type === 'RuntimeDefault') {
    const isDefault = annotation === 'runtime/default' || (what === 'seccomp' && annotation === 'docker/default');
    return isDefault ? [] : wrongType;
  }
  if (type !== 'Localhost') return [];
  if (!annotation.startsWith('localhost/')) return wrongType;
  return annotation.slice('localhost/'.length) === profile.localhostProfile
    ? []
    : [forbiddenValue(`${field}.localhostProfile`, `${what} profile in annotation and field must match`)];
}

export function annotationsMatchFields(annotations: Annotations, spec: JsonRecord, field: string): FieldError[] {
  const pod = recordAt(spec, 'securityContext');
  const out = profileMatches(
    annotations[SECCOMP_POD],
    recordAt(pod, 'seccompProfile'),
    'seccomp',
    `${field}.securityContext.seccompProfile`,
  );
  const isWindows = stringAt(recordAt(spec, 'os'), 'name') === 'windows';
  for (const [container, path] of containersWithPath(spec, field)) {
    const own = recordAt(container, 'securityContext');
    const name = stringAt(container, 'name');
    out.push(
      ...profileMatches(
        annotations[`${SECCOMP_CONTAINER}${name}`],
        recordAt(own, 'seccompProfile'),
        'seccomp',
        `${path}.securityContext.seccompProfile`,
      ),
    );
    if (isWindows) continue;
    out.push(
      ...profileMatches(
        annotations[`${APP_ARMOR}${name}`],
        recordAt(own, 'appArmorProfile') ?? recordAt(pod, 'appArmorProfile'),
        'apparmor',
        `${path}.securityContext.appArmorProfile`,
      ),
    );
  }
  return out;
}
