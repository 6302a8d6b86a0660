import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isPodCreation } from './pod-parts.ts';
import { podSecurityProblems, type SecurityLevel } from './pod-security-rules.ts';
import { forbiddenBy } from './refusal.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const TEMPLATES: ReadonlySet<string> = new Set([
  'apps/deployments',
  'apps/daemonsets',
  'apps/statefulsets',
  'apps/replicasets',
  'batch/jobs',
  'batch/cronjobs',
  'replicationcontrollers',
]);

/** Enforces and warns of the Pod Security Standards that a namespace's labels ask for (pod-security-admission). */
export function podSecurity(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    validate(attributes) {
      const { resource, operation, subresource, object, warnings } = attributes;
      if (operation === 'DELETE' || subresource !== '') return;
      const isPod = isPodCreation(attributes);
      if (!isPod && !TEMPLATES.has(resource.collection)) return;
      const labels = store.collection('namespaces').get('', object.metadata?.namespace ?? '')?.labels;
      if (!labels) return;
      const pod = isPod ? object : templateOf(object);
      if (!pod) return;
      const enforce = levelOf(labels[`${PREFIX}enforce`]);
      if (isPod && enforce !== 'privileged') {
        const problems = podSecurityProblems(pod, enforce);
        if (problems.length > 0)
          throw forbiddenBy(
            resource,
            object,
            `violates PodSecurity "${enforce}:${labels[`${PREFIX}enforce-version`] ?? 'latest'}": ${problems.join(', ')}`,
          );
      }
      const warn = levelOf(labels[`${PREFIX}warn`] ?? (isPod ? undefined : labels[`${PREFIX}enforce`]));
      if (warn === 'privileged') return;
      const problems = podSecurityProblems(pod, warn);
      if (problems.length > 0)
        warnings.push(
          `would violate PodSecurity "${warn}:${labels[`${PREFIX}warn-version`] ?? 'latest'}": ${problems.join(', ')}`,
        );
    },
  };
}

function levelOf(label: string | undefined): SecurityLevel {
  return label === 'baseline' || label === 'restricted' ? label : 'privileged';
}

function templateOf(object: KubeObject): KubeObject | undefined {
  const spec = sectionOf(object, 'spec');
  const job = isRecord(spec.jobTemplate) && isRecord(spec.jobTemplate.spec) ? spec.jobTemplate.spec : undefined;
  const template = job ? job.template : spec.template;
  return isRecord(template) ? (template as KubeObject) : undefined;
}
