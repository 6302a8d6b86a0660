import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { failureAnnotations, type IndexFailures } from './index-backoff.ts';
import { COMPLETION_INDEX } from './indexes.ts';

export const JOB_KIND = { apiVersion: 'batch/v1', kind: 'Job' };

/** Keeps a finished pod until the Job has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed';
}

export function hasTrackingFinalizer(pod: Pod): boolean {
  return pod.metadata?.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

/** A pod of a Job; with an index in name, host name, annotation, label and environment if it is Indexed. */
export function jobPod(job: Job, index: number | undefined, failures?: IndexFailures): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job, JOB_KIND);
  const finalizers = [...new Set([...(pod.metadata?.finalizers ?? []), TRACKING_FINALIZER])];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const withIndex = (container: Container): Container =>
    (container.env ?? []).some((variable) => variable.name === 'JOB_COMPLETION_INDEX')
      ? container
      : {
          ...container,
          env: [
            ...(container.env ?? []),
            {
              name: 'JOB_COMPLETION_INDEX',
              valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } },
            },
          ],
        };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${job.metadata?.name}-${index}-`,
      finalizers,
      labels: { ...pod.metadata?.labels, [COMPLETION_INDEX]: String(index) },
      annotations: {
        ...pod.metadata?.annotations,
        [COMPLETION_INDEX]: String(index),
        ...(failures ? failureAnnotations(failures) : {}),
      },
    },
    ...(pod.spec
      ? {
          spec: {
            ...pod.spec,
            hostname: `${job.metadata?.name}-${index}`,
            containers: pod.spec.containers.map(withIndex),
            ...(pod.spec.initContainers ? { initContainers: pod.spec.initContainers.map(withIndex) } : {}),
          },
        }
      : {}),
  };
}
