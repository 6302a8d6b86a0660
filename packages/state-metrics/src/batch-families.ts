import { quantityMilliValue } from '@kind-e2e/kube-api';
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import {
  conditionMetrics,
  type Family,
  family,
  infoFamily,
  type Metric,
  numberFamily,
  one,
  ownerMetrics,
  quantityOf,
  seconds,
} from './family.ts';

const FAILURE_REASONS = ['BackoffLimitExceeded', 'DeadlineExceeded', 'Evicted'];

function failures({ status }: Job): readonly Metric[] {
  const failed = status?.failed ?? 0;
  if (failed === 0) return one(0);
  const reason = status?.conditions?.find(({ type }) => type === 'Failed')?.reason ?? '';
  if (!FAILURE_REASONS.includes(reason)) return one(failed, { reason: '' });
  return FAILURE_REASONS.map((known) => ({ labels: { reason: known }, value: known === reason ? failed : 0 }));
}

function ofCondition(job: Job, wanted: string): readonly Metric[] {
  return (job.status?.conditions ?? [])
    .filter(({ type }) => type === wanted)
    .flatMap((condition) => conditionMetrics(condition, 'condition'));
}

/** docs/metrics/workload/job-metrics.md */
export const JOB_FAMILIES: readonly Family<Job>[] = [
  infoFamily('kube_job_info', '[STABLE] Information about job.', () => ({})),
  numberFamily('kube_job_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_job_spec_parallelism',
    '[STABLE] The maximum desired number of pods the job should run at any given time.',
    ({ spec }) => spec?.parallelism,
  ),
  numberFamily(
    'kube_job_spec_completions',
    '[STABLE] The desired number of successfully finished pods the job should be run with.',
    ({ spec }) => spec?.completions,
  ),
  numberFamily(
    'kube_job_spec_active_deadline_seconds',
    '[STABLE] The duration in seconds relative to the startTime that the job may be active before the system tries to terminate it.',
    ({ spec }) => spec?.activeDeadlineSeconds,
  ),
  numberFamily(
    'kube_job_status_active',
    '[STABLE] The number of actively running pods.',
    ({ status }) => status?.active ?? 0,
  ),
  numberFamily(
    'kube_job_status_succeeded',
    '[STABLE] The number of pods which reached Phase Succeeded.',
    ({ status }) => status?.succeeded ?? 0,
  ),
  family(
    'kube_job_status_failed',
    '[STABLE] The number of pods which reached Phase Failed and the reason for failure.',
    failures,
  ),
  family('kube_job_complete', '[STABLE] The job has completed its execution.', (job) => ofCondition(job, 'Complete')),
  family('kube_job_failed', '[STABLE] The job has failed its execution.', (job) => ofCondition(job, 'Failed')),
  numberFamily(
    'kube_job_status_start_time',
    '[STABLE] StartTime represents time when the job was acknowledged by the Job Manager.',
    ({ status }) => seconds(status?.startTime),
  ),
  numberFamily(
    'kube_job_status_completion_time',
    '[STABLE] CompletionTime represents time when the job was completed.',
    ({ status }) => seconds(status?.completionTime),
  ),
  family('kube_job_owner', "[STABLE] Information about the Job's owner.", ({ metadata }) =>
    ownerMetrics(metadata?.ownerReferences),
  ),
];

/** docs/metrics/workload/cronjob-metrics.md */
export const CRONJOB_FAMILIES: readonly Family<CronJob>[] = [
  infoFamily('kube_cronjob_info', '[STABLE] Info about cronjob.', ({ spec }) => ({
    schedule: spec?.schedule ?? '',
    concurrency_policy: spec?.concurrencyPolicy ?? '',
    timezone: spec?.timeZone ?? 'local',
  })),
  numberFamily('kube_cronjob_created', '[STABLE] Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_cronjob_status_active',
    '[STABLE] Active holds pointers to currently running jobs.',
    ({ status }) => status?.active?.length ?? 0,
  ),
  numberFamily(
    'kube_cronjob_status_last_schedule_time',
    '[STABLE] LastScheduleTime keeps information of when was the last time the job was successfully scheduled.',
    ({ status }) => seconds(status?.lastScheduleTime),
  ),
  numberFamily(
    'kube_cronjob_status_last_successful_time',
    'LastSuccessfulTime keeps information of when was the last time the job was completed successfully.',
    ({ status }) => seconds(status?.lastSuccessfulTime),
  ),
  numberFamily(
    'kube_cronjob_spec_suspend',
    '[STABLE] Suspend flag tells the controller to suspend subsequent executions.',
    ({ spec }) => (spec?.suspend === true ? 1 : 0),
  ),
  numberFamily(
    'kube_cronjob_spec_starting_deadline_seconds',
    '[STABLE] Deadline in seconds for starting the job if it misses scheduled time for any reason.',
    ({ spec }) => spec?.startingDeadlineSeconds,
  ),
  numberFamily(
    'kube_cronjob_spec_successful_job_history_limit',
    'Successful job history limit tells the controller how many completed jobs should be preserved.',
    ({ spec }) => spec?.successfulJobsHistoryLimit,
  ),
  numberFamily(
    'kube_cronjob_spec_failed_job_history_limit',
    'Failed job history limit tells the controller how many failed jobs should be preserved.',
    ({ spec }) => spec?.failedJobsHistoryLimit,
  ),
];

/** Name and numbers of a metric's target or of its present value, by type (internal/store/horizontalpodautoscaler.go). */
function targetMetrics(specs: readonly (MetricSpec | MetricStatus)[] | undefined): readonly Metric[] {
  return (specs ?? []).flatMap((spec) => {
    const source = spec.resource ?? spec.containerResource ?? spec.pods ?? spec.object ?? spec.external;
    if (source === undefined) return [];
    const name = 'name' in source ? source.name : source.metric.name;
    const target = 'target' in source ? source.target : source.current;
    const milli = (text: unknown): number | undefined => {
      const quantity = quantityOf(text);
      return quantity === undefined ? undefined : Number(quantityMilliValue(quantity)) / 1000;
    };
    return [
      ...one(milli(target.value), { metric_name: name, metric_target_type: 'value' }),
      ...one(target.averageUtilization, { metric_name: name, metric_target_type: 'utilization' }),
      ...one(milli(target.averageValue), { metric_name: name, metric_target_type: 'average' }),
    ];
  });
}

/** docs/metrics/workload/horizontalpodautoscaler-metrics.md */
export const HPA_FAMILIES: readonly Family<HorizontalPodAutoscaler>[] = [
  infoFamily('kube_horizontalpodautoscaler_info', 'Information about this autoscaler.', ({ spec }) => ({
    scaletargetref_api_version: spec?.scaleTargetRef.apiVersion ?? '',
    scaletargetref_kind: spec?.scaleTargetRef.kind ?? '',
    scaletargetref_name: spec?.scaleTargetRef.name ?? '',
  })),
  numberFamily('kube_horizontalpodautoscaler_created', 'Unix creation timestamp', ({ metadata }) =>
    seconds(metadata?.creationTimestamp),
  ),
  numberFamily(
    'kube_horizontalpodautoscaler_metadata_generation',
    '[STABLE] The generation observed by the HorizontalPodAutoscaler controller.',
    ({ metadata }) => metadata?.generation,
  ),
  numberFamily(
    'kube_horizontalpodautoscaler_spec_max_replicas',
    '[STABLE] Upper limit for the number of pods that can be set by the autoscaler; cannot be smaller than MinReplicas.',
    ({ spec }) => spec?.maxReplicas,
  ),
  numberFamily(
    'kube_horizontalpodautoscaler_spec_min_replicas',
    '[STABLE] Lower limit for the number of pods that can be set by the autoscaler, default 1.',
    ({ spec }) => spec?.minReplicas ?? 1,
  ),
  family(
    'kube_horizontalpodautoscaler_spec_target_metric',
    'The metric specifications used by this autoscaler when calculating the desired replica count.',
    ({ spec }) => targetMetrics(spec?.metrics),
  ),
  family(
    'kube_horizontalpodautoscaler_status_target_metric',
    'The current metric status used by this autoscaler when calculating the desired replica count.',
    ({ status }) => targetMetrics(status?.currentMetrics),
  ),
  numberFamily(
    'kube_horizontalpodautoscaler_status_current_replicas',
    '[STABLE] Current number of replicas of pods managed by this autoscaler.',
    ({ status }) => status?.currentReplicas ?? 0,
  ),
  numberFamily(
    'kube_horizontalpodautoscaler_status_desired_replicas',
    '[STABLE] Desired number of replicas of pods managed by this autoscaler.',
    ({ status }) => status?.desiredReplicas ?? 0,
  ),
  family('kube_horizontalpodautoscaler_status_condition', '[STABLE] The condition of this autoscaler.', ({ status }) =>
    (status?.conditions ?? []).flatMap((condition) =>
      conditionMetrics(condition, 'status', { condition: condition.type }),
    ),
  ),
];
