import { messageOf } from '@kind-e2e/base';
import { formatTime, isStatusError } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { CronJob, CronJobStatus, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { ObjectReference } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { isFinished } from '../job/job-state.ts';
import { controllerOf, controllerReference, keysOfController } from '../ownership/owner-references.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { CronSchedule, CronSyntaxError } from './cron-schedule.ts';
import { formatTimeIn, isTimeZone } from './time-zone.ts';

const CRONJOB_KIND = { apiVersion: 'batch/v1', kind: 'CronJob' };
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** More missed starts than this are a sign of a wrong clock (cronjob utils.go). */
const MANY_MISSED = 100;

/** A start is asked for a little late, so that it is not asked for too early (cronjob_controllerv2.go nextScheduleDelta). */
const START_DELAY_MS = 100;

/** Starts Jobs on a schedule and clears finished ones away (upstream pkg/controller/cronjob). */
export function startCronJobController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const cronJobs = informers.of('cronjobs');
  const jobs = informers.of('jobs');
  const recorder = context.recorder('cronjob-controller');

  async function deleteJob(cronJob: CronJob, status: CronJobStatus, job: Job, signal: AbortSignal): Promise<void> {
    const { name = '', namespace, uid } = job.metadata ?? {};
    try {
      await client.delete(RESOURCES.jobs, { name, namespace }, { propagationPolicy: 'Background', signal });
    } catch (error) {
      recorder.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
      if (!isStatusError(error, 404)) throw error;
      return;
    }
    endActive(status, uid);
    recorder.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }

  async function clearHistory(
    cronJob: CronJob,
    status: CronJobStatus,
    own: readonly Job[],
    signal: AbortSignal,
  ): Promise<void> {
    const finished = own.filter(isFinished).toSorted((a, b) => startOf(a) - startOf(b));
    const keep = async (list: readonly Job[], limit: number | undefined): Promise<void> => {
      if (limit === undefined) return;
      for (const job of list.slice(0, Math.max(0, list.length - limit))) await deleteJob(cronJob, status, job, signal);
    };
    await keep(
      finished.filter((job) => endOf(job) === 'Complete'),
      cronJob.spec?.successfulJobsHistoryLimit,
    );
    await keep(
      finished.filter((job) => endOf(job) === 'Failed'),
      cronJob.spec?.failedJobsHistoryLimit,
    );
  }

  /** Notes which Jobs have come to an end or are gone; a Job that somebody else began is told of, and not counted. */
  function syncActive(cronJob: CronJob, own: readonly Job[]): CronJobStatus {
    const status: CronJobStatus = { ...cronJob.status };
    for (const job of own) {
      const { name, uid } = job.metadata ?? {};
      const isKnown = status.active?.some((reference) => reference.uid === uid) ?? false;
      if (!isFinished(job)) {
        if (!isKnown)
          recorder.event(
            cronJob,
            'Warning',
            'UnexpectedJob',
            `Saw a job that the controller did not create or forgot: ${name}`,
          );
        continue;
      }
      const condition = endOf(job);
      if (isKnown) {
        endActive(status, uid);
        recorder.event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${condition}`);
      }
      const completed = condition === 'Complete' ? job.status?.completionTime : undefined;
      if (completed !== undefined && (!status.lastSuccessfulTime || status.lastSuccessfulTime < completed))
        status.lastSuccessfulTime = completed;
    }
    return status;
  }

  /** References to Jobs that are no more go; the informer may be behind, so the API is asked. */
  async function forgetMissing(
    cronJob: CronJob,
    status: CronJobStatus,
    own: readonly Job[],
    signal: AbortSignal,
  ): Promise<void> {
    const known = new Set(own.map((job) => job.metadata?.uid));
    for (const { uid, name = '', namespace } of status.active ?? []) {
      if (known.has(uid)) continue;
      if ((await ignoreNotFound(client.get<Job>(RESOURCES.jobs, name, namespace, signal))) !== undefined) continue;
      recorder.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`);
      endActive(status, uid);
    }
  }

  /** The CronJob with what we wrote last: the informer of Jobs may be ahead of that of CronJobs. */
  async function newest(cronJob: CronJob, own: readonly Job[], signal: AbortSignal): Promise<CronJob> {
    const { name = '', namespace } = cronJob.metadata ?? {};
    const isKnown = (job: Job): boolean =>
      cronJob.status?.active?.some((reference) => reference.uid === job.metadata?.uid) ?? false;
    if (own.every((job) => isFinished(job) || isKnown(job))) return cronJob;
    return await client.get<CronJob>(RESOURCES.cronjobs, name, namespace, signal);
  }

  async function reconcile(cached: CronJob, key: string, signal: AbortSignal): Promise<number | undefined> {
    const own = jobs
      .byIndex('controller', cached.metadata?.uid ?? '')
      .filter((job) => keysOfController(job, CRONJOB_KIND)[0] === key);
    const cronJob = await newest(cached, own, signal);
    const status = syncActive(cronJob, own);
    await forgetMissing(cronJob, status, own, signal);
    let next: number | undefined;
    try {
      next = await startDue(cronJob, own, status, signal);
      await clearHistory(cronJob, status, own, signal);
    } finally {
      // What was begun is noted even where the rest failed: it would be begun again.
      if (!isSameJson(status, cronJob.status))
        await client.update<CronJob>(RESOURCES.cronjobs, { ...cronJob, status }, { subresource: 'status', signal });
    }
    return next;
  }

  /** Starts what is due, notes it in the status, and gives the time until the next start. */
  async function startDue(
    cronJob: CronJob,
    own: readonly Job[],
    status: CronJobStatus,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { spec } = cronJob;
    if (cronJob.metadata?.deletionTimestamp) return undefined;
    const warn = (reason: string, message: string): undefined => {
      recorder.event(cronJob, 'Warning', reason, message);
      return undefined;
    };
    const timeZone = spec?.timeZone;
    if (timeZone !== undefined && !isTimeZone(timeZone))
      return warn('UnknownTimeZone', `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`);
    if (spec?.suspend) return undefined;
    let schedule: CronSchedule;
    try {
      schedule = new CronSchedule(spec?.schedule ?? '', timeZone);
    } catch (error) {
      if (!(error instanceof CronSyntaxError)) throw error;
      return warn('UnparseableSchedule', `unparseable schedule: "${spec?.schedule}" : ${error.message}`);
    }
    const now = clock.now();
    const nextAt = schedule.next(now);
    if (nextAt === undefined)
      return warn(
        'InvalidSchedule',
        `invalid schedule: ${spec?.schedule} : time difference between two schedules is less than 1 second`,
      );
    const untilNext = nextAt - now + START_DELAY_MS;
    const due = dueStart(cronJob, schedule, now);
    if (!due) return untilNext;
    if (due.missed > MANY_MISSED)
      warn(
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      );
    const deadline = spec?.startingDeadlineSeconds;
    if (deadline !== undefined && due.at + deadline * 1000 < now) {
      warn('MissSchedule', `Missed scheduled time to start a job: ${formatRfc1123(due.at)}`);
      return untilNext;
    }
    if (spec?.concurrencyPolicy === 'Forbid' && (status.active ?? []).length > 0) {
      recorder.event(
        cronJob,
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      );
      return untilNext;
    }
    if (spec?.concurrencyPolicy === 'Replace') {
      for (const reference of status.active ?? []) {
        const job = own.find((candidate) => candidate.metadata?.uid === reference.uid);
        if (job) await deleteJob(cronJob, status, job, signal);
      }
    }
    const begun = await begin(cronJob, jobFor(cronJob, due.at), signal);
    if (begun && !status.active?.some(({ uid }) => uid === begun.metadata?.uid)) {
      status.active = [...(status.active ?? []), referenceTo(begun)];
      status.lastScheduleTime = formatTime(due.at);
    }
    return untilNext;
  }

  /** Makes the Job of a start, or finds the one that we made before; nothing where it is somebody else's. */
  async function begin(cronJob: CronJob, job: Job, signal: AbortSignal): Promise<Job | undefined> {
    const { name = '', namespace } = job.metadata ?? {};
    try {
      const created = await client.create<Job>(RESOURCES.jobs, job, { signal });
      recorder.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
      return created;
    } catch (error) {
      if (isNamespaceTerminating(error)) throw error;
      if (!isStatusError(error, 409)) {
        recorder.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
        throw error;
      }
      const found = await client.get<Job>(RESOURCES.jobs, name, namespace, signal);
      return controllerOf(found)?.uid === cronJob.metadata?.uid ? found : undefined;
    }
  }

  return createController({
    name: 'cronjob-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [
      source(cronJobs, (cronJob) => [keyOf(cronJob)]),
      source(jobs, (job) => keysOfController(job, CRONJOB_KIND)),
    ],
    reconcile: async ({ namespace, name, key, signal }) => {
      const cronJob = cronJobs.get(name, namespace);
      if (!cronJob) return undefined;
      const requeueAfterMs = await reconcile(cronJob, key, signal);
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    },
  });
}

/** The latest start that is due, and how many were missed (utils.go mostRecentScheduleTime). */
function dueStart(cronJob: CronJob, schedule: CronSchedule, now: number): { at: number; missed: number } | undefined {
  const created = Date.parse(cronJob.metadata?.creationTimestamp ?? '') || 0;
  let earliest = Date.parse(cronJob.status?.lastScheduleTime ?? '') || created;
  const deadline = cronJob.spec?.startingDeadlineSeconds;
  if (deadline !== undefined) earliest = Math.max(earliest, now - deadline * 1000);
  let latest: number | undefined;
  let missed = 0;
  for (let at = schedule.next(earliest); at !== undefined && at <= now; at = schedule.next(at)) {
    latest = at;
    missed++;
    // The clock jumped far: the next start counts from now.
    if (missed > MANY_MISSED * 10) {
      latest = schedule.next(now - 3_600_000) ?? latest;
      break;
    }
  }
  return latest === undefined ? undefined : { at: latest, missed };
}

function endActive(status: CronJobStatus, uid: string | undefined): void {
  const active = (status.active ?? []).filter((reference) => reference.uid !== uid);
  if (active.length > 0) status.active = active;
  else delete status.active;
}

/** Go's time.RFC1123Z in UTC: `Tue, 01 Dec 2026 04:28:20 +0000`. */
function formatRfc1123(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}

/** The Job of one start; its name tells the minute, so that it is made only once (utils.go getJobFromTemplate2). */
export function jobFor(cronJob: CronJob, at: number): Job {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cronJob.metadata?.name}-${Math.floor(at / 60_000)}`,
      ...(cronJob.metadata?.namespace ? { namespace: cronJob.metadata.namespace } : {}),
      ...(metadata?.labels ? { labels: { ...metadata.labels } } : {}),
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: formatTimeIn(at, cronJob.spec?.timeZone) },
      ownerReferences: [controllerReference(cronJob, CRONJOB_KIND)],
    },
    ...(spec ? { spec: structuredClone(spec) } : {}),
  };
}

function referenceTo(job: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = job.metadata ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

function startOf(job: Job): number {
  return Date.parse(job.status?.startTime ?? job.metadata?.creationTimestamp ?? '') || 0;
}

function endOf(job: Job): string | undefined {
  return job.status?.conditions?.find(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  )?.type;
}
