import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isFinished } from '../job/job-state.ts';

/** Deletes finished Jobs after `ttlSecondsAfterFinished` (upstream pkg/controller/ttlafterfinished). */
export function startTtlAfterFinishedController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const jobs = informers.of('jobs');
  return createController({
    name: 'ttl-after-finished-controller',
    clock,
    logger: context.logger,
    sources: [source(jobs, (job) => (job.spec?.ttlSecondsAfterFinished === undefined ? [] : [keyOf(job)]))],
    reconcile: async ({ namespace, name, signal }) => {
      const job = jobs.get(name, namespace);
      const ttl = job?.spec?.ttlSecondsAfterFinished;
      if (!job || ttl === undefined || job.metadata?.deletionTimestamp || !isFinished(job)) return undefined;
      const left = finishedAt(job) + ttl * 1000 - clock.now();
      if (left > 0) return { requeueAfterMs: left };
      const { uid } = job.metadata ?? {};
      await ignoreNotFound(
        client.delete(
          RESOURCES.jobs,
          { name, namespace },
          { propagationPolicy: 'Foreground', signal, ...(uid ? { preconditions: { uid } } : {}) },
        ),
      );
      return undefined;
    },
  });
}

function finishedAt(job: Job): number {
  const end = job.status?.conditions?.find(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
  return Date.parse(end?.lastTransitionTime ?? '') || 0;
}
