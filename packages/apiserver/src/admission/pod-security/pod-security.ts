import { invalid, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { recordsIn } from '../pod-parts.ts';
import { forbiddenBy } from '../refusal.ts';
import { isStricter, type LevelVersion, levelText, policyOf } from './levels.ts';
import { violationsOf, violationText } from './restricted.ts';

const TEMPLATES: ReadonlySet<string> = new Set([
  'apps/deployments',
  'apps/daemonsets',
  'apps/statefulsets',
  'apps/replicasets',
  'batch/jobs',
  'batch/cronjobs',
  'podtemplates',
  'replicationcontrollers',
]);
/** Parts of a pod that change nothing of what it may do. */
const HARMLESS_PARTS: ReadonlySet<string> = new Set(['binding', 'eviction', 'log', 'status']);
/** How many pods of a namespace are looked at when its level rises. */
const MAX_PODS = 3000;

/** Enforces and warns of the Pod Security Standards that a namespace's labels ask for (pod-security-admission). */
export function podSecurity(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    validate(attributes) {
      const { resource, operation, subresource } = attributes;
      if (operation === 'DELETE') return;
      if (resource.collection === 'namespaces') {
        if (subresource === '') checkNamespace(store, attributes);
      } else if (resource.collection === 'pods') {
        if (!HARMLESS_PARTS.has(subresource) && isSignificant(attributes)) checkPod(store, attributes, true);
      } else if (TEMPLATES.has(resource.collection) && subresource === '') checkPod(store, attributes, false);
    },
  };
}

/** A pod is refused; a template is only warned of, since its pods will be refused. */
function checkPod(store: ObjectStore, { resource, object, warnings }: AdmissionAttributes, enforces: boolean): void {
  const labels = store.collection('namespaces').get('', object.metadata?.namespace ?? '')?.labels;
  const { enforce, warn } = policyOf(labels).policy;
  const pod = enforces ? object : templateOf(object);
  if (!pod) return;
  if (enforces) {
    const violations = violationsOf(pod, enforce);
    if (violations.length > 0)
      throw forbiddenBy(resource, object, `violates PodSecurity "${levelText(enforce)}": ${violationText(violations)}`);
  }
  const violations = violationsOf(pod, warn);
  if (violations.length > 0)
    warnings.push(`would violate PodSecurity "${levelText(warn)}": ${violationText(violations)}`);
}

function templateOf(object: KubeObject): KubeObject | undefined {
  const spec = sectionOf(object, 'spec');
  const job = isRecord(spec.jobTemplate) && isRecord(spec.jobTemplate.spec) ? spec.jobTemplate.spec : undefined;
  const template = job ? job.template : (spec.template ?? (object as Record<string, unknown>).template);
  return isRecord(template) ? (template as KubeObject) : undefined;
}

/** New pods, other images, more containers (`isSignificantPodUpdate`). */
function isSignificant({ operation, object, old }: AdmissionAttributes): boolean {
  if (operation === 'CREATE' || !old) return true;
  const imagesOf = (pod: KubeObject): string =>
    JSON.stringify(
      ['initContainers', 'containers', 'ephemeralContainers'].map((list) =>
        recordsIn(sectionOf(pod, 'spec'), list).map(({ name, image }) => [name, image]),
      ),
    );
  return imagesOf(object) !== imagesOf(old);
}

/** Labels have to make sense; pods that a stricter level would refuse are told of. */
function checkNamespace(store: ObjectStore, { resource, operation, object, old, warnings }: AdmissionAttributes): void {
  const { policy, errors } = policyOf(object.metadata?.labels);
  const name = object.metadata?.name ?? '';
  const before = policyOf(old?.metadata?.labels);
  if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(before.errors))
    throw invalid(resource.definition, name, errors);
  const { enforce } = policy;
  const was = before.policy.enforce;
  if (operation !== 'UPDATE' || enforce.level === 'privileged' || levelText(enforce) === levelText(was)) return;
  if (enforce.minor === was.minor && !isStricter(enforce.level, was.level)) return;
  warnings.push(...podsViolating(store, name, enforce));
}

function podsViolating(store: ObjectStore, namespace: string, enforce: LevelVersion): string[] {
  const pods = store.collection('pods').list(namespace);
  const found = new Map<string, string[]>();
  for (const { object } of pods.slice(0, MAX_PODS)) {
    const reasons = violationsOf(object, enforce)
      .map(({ reason }) => reason)
      .join(', ');
    if (reasons !== '') found.set(reasons, [...(found.get(reasons) ?? []), object.metadata?.name ?? '']);
  }
  const lines = [...found].map(([reasons, names]) => {
    const [first = '', ...others] = names.sort();
    const more = others.length === 0 ? '' : ` (and ${others.length} other ${others.length === 1 ? 'pod' : 'pods'})`;
    return `${first}${more}: ${reasons}`;
  });
  return [
    ...(pods.length > MAX_PODS
      ? [`new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`]
      : []),
    ...(lines.length > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(enforce)}"`]
      : []),
    ...lines.sort(),
  ];
}
