import { formatTime, isStatusError } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { CronJob, CronJobStatus, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { ObjectReference } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { isFinished } from '../job/job-state.ts';
import { controllerReference, keysOfController } from '../ownership/owner-references.ts';
import { CronSchedule, CronSyntaxError } from './cron-schedule.ts';

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

  async function deleteJob(cronJob: CronJob, job: Job, signal: AbortSignal): Promise<void> {
    const { name = '', namespace } = job.metadata ?? {};
    await ignoreNotFound(
      client.delete(RESOURCES.jobs, { name, namespace }, { propagationPolicy: 'Background', signal }),
    );
    recorder.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }

  async function clearHistory(cronJob: CronJob, own: readonly Job[], signal: AbortSignal): Promise<void> {
    const finished = own.filter(isFinished).toSorted((a, b) => startOf(a) - startOf(b));
    const keep = async (list: readonly Job[], limit: number | undefined): Promise<void> => {
      if (limit === undefined) return;
      for (const job of list.slice(0, Math.max(0, list.length - limit))) await deleteJob(cronJob, job, signal);
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

  /** The latest start that is due, and how many were missed. */
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

  function syncActive(cronJob: CronJob, own: readonly Job[]): CronJobStatus {
    const status: CronJobStatus = { ...cronJob.status };
    const active: ObjectReference[] = [];
    const byUid = new Map(own.map((job) => [job.metadata?.uid, job]));
    for (const reference of status.active ?? []) {
      const job = byUid.get(reference.uid);
      if (!job) {
        recorder.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
      } else if (isFinished(job)) {
        const condition = endOf(job);
        recorder.event(
          cronJob,
          'Normal',
          'SawCompletedJob',
          `Saw completed job: ${reference.name}, condition: ${condition}`,
        );
        if (condition === 'Complete' && job.status?.completionTime) {
          const last = status.lastSuccessfulTime;
          if (!last || last < job.status.completionTime) status.lastSuccessfulTime = job.status.completionTime;
        }
      } else active.push(reference);
    }
    for (const job of own) {
      const isKnown = active.some((reference) => reference.uid === job.metadata?.uid);
      if (!isFinished(job) && !isKnown) active.push(referenceTo(job));
    }
    if (active.length > 0) status.active = active;
    else delete status.active;
    return status;
  }

  async function reconcile(cronJob: CronJob, key: string, signal: AbortSignal): Promise<number | undefined> {
    const own = jobs
      .byIndex('controller', cronJob.metadata?.uid ?? '')
      .filter((job) => keysOfController(job, CRONJOB_KIND)[0] === key);
    await clearHistory(cronJob, own, signal);
    const status = syncActive(cronJob, own);
    const next = await startDue(cronJob, own, status, signal);
    if (!isSameJson(status, cronJob.status))
      await client.update<CronJob>(RESOURCES.cronjobs, { ...cronJob, status }, { subresource: 'status', signal });
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
    if (cronJob.metadata?.deletionTimestamp || spec?.suspend) return undefined;
    let schedule: CronSchedule;
    try {
      schedule = new CronSchedule(spec?.schedule ?? '', spec?.timeZone);
    } catch (error) {
      const isSyntax = error instanceof CronSyntaxError;
      recorder.event(
        cronJob,
        'Warning',
        isSyntax ? 'UnparseableSchedule' : 'UnknownTimeZone',
        isSyntax
          ? `unparseable schedule: "${spec?.schedule}" : ${error.message}`
          : `invalid timeZone: "${spec?.timeZone}"`,
      );
      return undefined;
    }
    const now = clock.now();
    const nextAt = schedule.next(now);
    const untilNext = nextAt === undefined ? undefined : nextAt - now + START_DELAY_MS;
    const due = dueStart(cronJob, schedule, now);
    if (!due) return untilNext;
    if (due.missed > MANY_MISSED)
      recorder.event(
        cronJob,
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      );
    const deadline = spec?.startingDeadlineSeconds;
    if (deadline !== undefined && due.at + deadline * 1000 < now) {
      recorder.event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${formatTime(due.at)}`);
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
        if (job) await deleteJob(cronJob, job, signal);
      }
      delete status.active;
    }
    const job = jobFor(cronJob, due.at);
    try {
      const created = await client.create<Job>(RESOURCES.jobs, job, { signal });
      recorder.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${created.metadata?.name}`);
      status.active = [...(status.active ?? []), referenceTo(created)];
    } catch (error) {
      if (!isStatusError(error, 409)) {
        recorder.event(
          cronJob,
          'Warning',
          'FailedCreate',
          `Error creating job: ${error instanceof Error ? error.message : String(error)}`,
        );
        throw error;
      }
    }
    status.lastScheduleTime = formatTime(due.at);
    return untilNext;
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

/** The Job of one start; its name tells the minute, so that it is made only once. */
function jobFor(cronJob: CronJob, at: number): Job {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cronJob.metadata?.name}-${Math.floor(at / 60_000)}`,
      ...(cronJob.metadata?.namespace ? { namespace: cronJob.metadata.namespace } : {}),
      ...(metadata?.labels ? { labels: { ...metadata.labels } } : {}),
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: formatTime(at) },
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
