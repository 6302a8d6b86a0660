import { Disposer } from '@kind-e2e/base';
import { formatTime } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Job, JobCondition, JobStatus } from 'kubernetes-types/batch/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { findCondition, withCondition } from '../conditions.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { claimObjects } from '../ownership/claim.ts';
import { controllerOf, keysOfController } from '../ownership/owner-references.ts';
import { selects } from '../ownership/selectors.ts';
import { PodExpectations } from '../pods/expectations.ts';
import { createPod, deletePod, isNamespaceTerminating, slowStartBatch } from '../pods/pod-control.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { judgeFailure } from './failure-policy.ts';
import { failuresByIndex, hasLimitPerIndex, type IndexFailures, NO_FAILURES, nextIndexes } from './index-backoff.ts';
import { formatIndexes, indexOf, parseIndexes } from './indexes.ts';
import { hasTrackingFinalizer, isIndexed, JOB_KIND, jobPod, TRACKING_FINALIZER } from './job-pods.ts';
import {
  backoffLeft,
  type Counts,
  countsOf,
  isFinished,
  isSameStatus,
  judgeJob,
  replacesTerminating,
  type Verdict,
} from './job-state.ts';

const MAX_PARALLEL_CREATES = 500;
/** What `spec.managedBy` says of Jobs that are ours. */
const OWN_NAME = 'kubernetes.io/job-controller';

/** Runs Jobs to their end (upstream pkg/controller/job). */
export function startJobController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const jobs = informers.of('jobs');
  const pods = informers.of('pods');
  const recorder = context.recorder('job-controller');
  const disposer = new Disposer();
  const expectations = disposer.use(new PodExpectations(pods, clock, (key) => controller.enqueue(key)));

  const keysOfPod = (pod: Pod): readonly string[] => {
    if (controllerOf(pod)) return keysOfController(pod, JOB_KIND);
    return jobs
      .list(pod.metadata?.namespace)
      .filter((job) => selects(job.spec?.selector, pod.metadata?.labels))
      .map(keyOf);
  };

  async function untrack(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name = '', namespace, uid } = pod.metadata ?? {};
    const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } };
    await ignoreNotFound(client.patch(RESOURCES.pods, { name, namespace }, 'strategic', patch, { signal }));
  }

  async function writeStatus(job: Job, status: JobStatus, signal: AbortSignal): Promise<Job> {
    if (isSameStatus(status, job.status)) return job;
    return await client.update<Job>(RESOURCES.jobs, { ...job, status }, { subresource: 'status', signal });
  }

  /** Pods that were counted lose the finalizer; finished pods that were not are noted, then counted. */
  async function countPods(
    job: Job,
    own: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ job: Job; failure: Verdict | undefined }> {
    const tracked = new Map(own.filter(hasTrackingFinalizer).map((pod) => [pod.metadata?.uid ?? '', pod]));
    const noted = job.status?.uncountedTerminatedPods ?? {};
    const completions = job.spec?.completions ?? 0;
    const done = parseIndexes(job.status?.completedIndexes, completions);
    const failedIndexes = parseIndexes(job.status?.failedIndexes, completions);
    let { succeeded = 0, failed = 0 } = job.status ?? {};
    let failure: Verdict | undefined;
    // A noted pod without the finalizer is counted for good.
    const stillSucceeded = (noted.succeeded ?? []).filter((uid) => tracked.has(uid) || ++succeeded < 0);
    const stillFailed = (noted.failed ?? []).filter((uid) => tracked.has(uid) || ++failed < 0);
    const known = new Set([...stillSucceeded, ...stillFailed]);
    const release: Pod[] = [...known].flatMap((uid) => tracked.get(uid) ?? []);
    for (const [uid, pod] of tracked) {
      if (known.has(uid)) continue;
      const index = indexOf(pod);
      if (pod.status?.phase === 'Succeeded') {
        if (isIndexed(job)) {
          if (index !== undefined && index < completions && !done.has(index)) {
            done.add(index);
            succeeded = done.size - stillSucceeded.length;
          }
          release.push(pod);
          continue;
        }
        stillSucceeded.push(uid);
        release.push(pod);
      } else if (pod.status?.phase === 'Failed' || (isPodTerminating(pod) && replacesTerminating(job))) {
        if (pod.status?.phase === 'Failed') {
          const verdict = judgeFailure(job, pod);
          if (verdict.action === 'FailJob' && !failure)
            failure = { type: 'Failed', reason: 'PodFailurePolicy', message: verdict.message };
          if (verdict.action === 'FailIndex' && index !== undefined) failedIndexes.add(index);
          if (verdict.action === 'Ignore') {
            release.push(pod);
            continue;
          }
        }
        stillFailed.push(uid);
        release.push(pod);
      }
    }
    if (isIndexed(job)) succeeded = done.size;
    const perIndex = job.spec?.backoffLimitPerIndex;
    if (isIndexed(job) && perIndex !== undefined && perIndex !== null)
      for (const [index, { failed: count }] of failuresByIndex(job, own))
        if (count > perIndex && !done.has(index)) failedIndexes.add(index);
    const status: JobStatus = {
      ...job.status,
      succeeded,
      failed,
      uncountedTerminatedPods: {
        ...(stillSucceeded.length > 0 ? { succeeded: stillSucceeded } : {}),
        ...(stillFailed.length > 0 ? { failed: stillFailed } : {}),
      },
      ...(isIndexed(job) && done.size > 0 ? { completedIndexes: formatIndexes(done) } : {}),
      ...(perIndex !== undefined && perIndex !== null ? { failedIndexes: formatIndexes(failedIndexes) } : {}),
    };
    const written =
      release.length > 0 || !isSameJson(status, job.status) ? await writeStatus(job, status, signal) : job;
    await Promise.all(release.map((pod) => untrack(pod, signal)));
    return { job: written, failure };
  }

  /** Makes or deletes pods; gives the time after which a failed one may be replaced. */
  async function manage(
    job: Job,
    key: string,
    own: readonly Pod[],
    counts: Counts,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { spec } = job;
    const writer = { client, recorder, signal };
    const active = own.filter(isPodActive);
    const terminating = own.filter(isPodTerminating).length;
    const parallelism = spec?.parallelism ?? 1;
    const wanted =
      spec?.completions === undefined || spec.completions === null
        ? counts.succeeded > 0
          ? Math.min(active.length, parallelism)
          : parallelism
        : Math.min(spec.completions - counts.succeeded, parallelism);
    if (active.length > wanted) {
      const doomed = [...active].toSorted(byUsefulness).slice(0, active.length - wanted);
      await removeAll(job, key, doomed, signal);
      return undefined;
    }
    const waits = replacesTerminating(job) ? 0 : terminating;
    let missing = Math.min(wanted - active.length - waits, MAX_PARALLEL_CREATES);
    if (missing <= 0) return undefined;
    const isPerIndex = hasLimitPerIndex(job);
    let wait = isPerIndex ? 0 : backoffLeft(own, counts.failed, clock.now());
    if (wait > 0) return wait;
    const failures = isPerIndex ? failuresByIndex(job, own) : new Map<number, IndexFailures>();
    let indexes: number[] | undefined;
    if (isIndexed(job)) {
      const due = nextIndexes(job, active, failures, missing, clock.now());
      indexes = due.indexes;
      wait = due.waitMs;
      missing = indexes.length;
    }
    const made = await slowStartBatch(missing, async (at) => {
      const index = indexes?.[at];
      const pod = jobPod(
        job,
        index,
        isPerIndex && index !== undefined ? (failures.get(index) ?? NO_FAILURES) : undefined,
      );
      expectations.created(key, await createPod(writer, pod, job));
    });
    if (made.error !== undefined && !isNamespaceTerminating(made.error)) throw made.error;
    return wait > 0 ? wait : undefined;
  }

  async function removeAll(job: Job, key: string, doomed: readonly Pod[], signal: AbortSignal): Promise<void> {
    const writer = { client, recorder, signal };
    const results = await Promise.allSettled(
      doomed.map(async (pod) => {
        await deletePod(writer, pod, job);
        expectations.deleted(key, pod);
        // The controller itself ends these pods: they count as neither succeeded nor failed.
        if (isFinished(job) || job.spec?.suspend) await untrack(pod, signal);
      }),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async function finish(
    job: Job,
    key: string,
    own: readonly Pod[],
    verdict: Verdict,
    signal: AbortSignal,
  ): Promise<void> {
    const now = clock.now();
    const early = verdict.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const add = (conditions: readonly JobCondition[] | undefined, type: string): JobCondition[] =>
      withCondition<JobCondition>(
        conditions,
        { type, status: 'True', reason: verdict.reason, message: verdict.message, lastProbeTime: formatTime(now) },
        now,
      );
    const active = own.filter(isPodActive);
    let current = job;
    if (!findCondition(job.status?.conditions, early)) {
      // What still runs when a Job has failed counts as failed (trackJobStatusAndRemoveFinalizers).
      const noted = job.status?.uncountedTerminatedPods;
      const doomed =
        verdict.type === 'Failed' ? own.filter((pod) => isPodActive(pod) && hasTrackingFinalizer(pod)) : [];
      const failed = [...(noted?.failed ?? []), ...doomed.flatMap((pod) => pod.metadata?.uid ?? [])];
      const uncountedTerminatedPods = { ...noted, ...(failed.length > 0 ? { failed } : {}) };
      const conditions = add(job.status?.conditions, early);
      current = await writeStatus(job, { ...job.status, conditions, uncountedTerminatedPods }, signal);
    }
    if (active.length > 0) {
      await removeAll(
        { ...current, spec: current.spec ? { ...current.spec, suspend: true } : { template: {} } },
        key,
        active,
        signal,
      );
      return;
    }
    const { succeeded = [], failed = [] } = current.status?.uncountedTerminatedPods ?? {};
    // The end is written when every pod is counted; the last one's event brings the Job back.
    if (succeeded.length + failed.length > 0 || own.some((pod) => isPodTerminating(pod))) return;
    const { active: _, ready: __, terminating: ___, ...status } = current.status ?? {};
    await writeStatus(
      current,
      {
        ...status,
        active: 0,
        ready: 0,
        terminating: 0,
        ...(verdict.type === 'Complete' ? { completionTime: formatTime(now) } : {}),
        conditions: add(current.status?.conditions, verdict.type),
        uncountedTerminatedPods: {},
      },
      signal,
    );
    if (verdict.type === 'Complete') recorder.event(job, 'Normal', 'Completed', 'Job completed');
    else recorder.event(job, 'Warning', verdict.reason, verdict.message);
  }

  async function reconcile(job: Job, key: string, signal: AbortSignal): Promise<number | undefined> {
    const { namespace = '' } = job.metadata ?? {};
    const own = await claimObjects<Pod>({
      client,
      owner: job,
      ownerKind: JOB_KIND,
      ownerResource: RESOURCES.jobs,
      resource: RESOURCES.pods,
      candidates: [...pods.byIndex('controller', job.metadata?.uid ?? ''), ...pods.byIndex('orphan', namespace)],
      matches: (pod) => selects(job.spec?.selector, pod.metadata?.labels),
      signal,
    });
    if (isFinished(job)) {
      await Promise.all(own.filter(hasTrackingFinalizer).map((pod) => untrack(pod, signal)));
      return undefined;
    }
    if (!expectations.areMet(key)) return undefined;
    const counted = await countPods(await start(job, signal), own, signal);
    let current = counted.job;
    const counts = countsOf(current);
    const active = own.filter(isPodActive);
    const early = current.status?.conditions?.find(
      (condition) =>
        (condition.type === 'SuccessCriteriaMet' || condition.type === 'FailureTarget') && condition.status === 'True',
    );
    const verdict: Verdict | undefined = early
      ? {
          type: early.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed',
          reason: early.reason ?? '',
          message: early.message ?? '',
        }
      : (counted.failure ?? judgeJob(current, own, active, counts, clock.now()));
    let requeue: number | undefined;
    if (verdict) {
      await finish(current, key, own, verdict, signal);
      return undefined;
    }
    if (current.metadata?.deletionTimestamp === undefined) {
      if (current.spec?.suspend) {
        await removeAll(current, key, active, signal);
        current = await setSuspended(current, true, signal);
      } else {
        current = await setSuspended(current, false, signal);
        requeue = await manage(current, key, own, counts, signal);
      }
    }
    const status: JobStatus = {
      ...current.status,
      active: active.length,
      ready: active.filter(isPodReady).length,
      terminating: own.filter(isPodTerminating).length,
    };
    await writeStatus(current, status, signal);
    const { activeDeadlineSeconds, suspend } = current.spec ?? {};
    if (activeDeadlineSeconds !== undefined && !suspend) {
      const left = Date.parse(current.status?.startTime ?? '') + activeDeadlineSeconds * 1000 - clock.now();
      if (left > 0) requeue = Math.min(requeue ?? left, left);
    }
    return requeue;
  }

  async function start(job: Job, signal: AbortSignal): Promise<Job> {
    if (job.status?.startTime || job.spec?.suspend) return job;
    return await writeStatus(job, { ...job.status, startTime: formatTime(clock.now()) }, signal);
  }

  async function setSuspended(job: Job, isSuspended: boolean, signal: AbortSignal): Promise<Job> {
    const current = findCondition(job.status?.conditions, 'Suspended');
    if (isSuspended === (current?.status === 'True')) return job;
    const now = clock.now();
    const condition = isSuspended
      ? { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }
      : { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' };
    if (!isSuspended && !current) return job;
    recorder.event(job, 'Normal', isSuspended ? 'Suspended' : 'Resumed', condition.message);
    const { startTime: _, ...status } = job.status ?? {};
    return await writeStatus(
      job,
      {
        ...status,
        // The clock of activeDeadlineSeconds starts anew with each resumption.
        ...(isSuspended ? {} : { startTime: formatTime(now) }),
        conditions: withCondition<JobCondition>(
          job.status?.conditions,
          { ...condition, lastProbeTime: formatTime(now) },
          now,
        ),
      },
      signal,
    );
  }

  const controller = createController({
    name: 'job-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [source(jobs, (job) => [keyOf(job)]), source(pods, keysOfPod)],
    reconcile: async ({ namespace, name, key, signal }) => {
      const job = jobs.get(name, namespace);
      if (!job) {
        expectations.forget(key);
        // Pods of a Job that is gone must not hang on its finalizer.
        const orphans = pods.list(namespace).filter((pod) => keysOfController(pod, JOB_KIND)[0] === key);
        await Promise.all(orphans.filter(hasTrackingFinalizer).map((pod) => untrack(pod, signal)));
        return undefined;
      }
      // Somebody else runs it (Kueue and the like).
      if (job.spec?.managedBy !== undefined && job.spec.managedBy !== OWN_NAME) return undefined;
      const requeueAfterMs = await reconcile(job, key, signal);
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    },
  });
  disposer.use(controller);
  return disposer;
}

/** The least useful first: not ready before ready, young before old. */
function byUsefulness(a: Pod, b: Pod): number {
  const ready = Number(isPodReady(a)) - Number(isPodReady(b));
  return ready || Date.parse(b.metadata?.creationTimestamp ?? '') - Date.parse(a.metadata?.creationTimestamp ?? '');
}
