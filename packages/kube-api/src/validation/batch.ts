/** Jobs and cron jobs (`pkg/apis/batch/validation`). */
import { type FieldError, invalidValue, requiredValue, tooLong, unsupportedValue } from '../errors/field-error.ts';
import { labelSelectorOf, matchesLabels } from '../selectors/label-selector.ts';
import { numberAt, recordAt, stringAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { cronProblem } from './cron.ts';
import { domainPrefixedPath, immutableField, notNegative, shownLabels } from './field-rules.ts';
import { goJobPart, goPodTemplate } from './go-dump.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policies.ts';
import { validateLabelSelector } from './label-selector.ts';
import { byteLength } from './names.ts';
import { validatePodTemplate } from './pod/pod-spec.ts';

const MAX_MANAGED_BY = 63;

function validateJobSpec(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ])
    out.push(...notNegative(spec[name], `${field}.${name}`));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    out.push(requiredValue(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  const mode = spec.completionMode;
  if (typeof mode === 'string') {
    if (mode !== 'NonIndexed' && mode !== 'Indexed')
      out.push(unsupportedValue(`${field}.completionMode`, mode, ['NonIndexed', 'Indexed']));
    if (mode === 'Indexed') {
      if (spec.completions === undefined)
        out.push(requiredValue(`${field}.completions`, `when completion mode is ${mode}`));
      if ((numberAt(spec, 'parallelism') ?? 0) > 100_000)
        out.push(
          invalidValue(
            `${field}.parallelism`,
            spec.parallelism,
            'must be less than or equal to 100000 when completion mode is Indexed',
          ),
        );
      if ((numberAt(spec, 'maxFailedIndexes') ?? 0) > (numberAt(spec, 'completions') ?? Number.POSITIVE_INFINITY))
        out.push(
          invalidValue(`${field}.maxFailedIndexes`, spec.maxFailedIndexes, 'must be less than or equal to completions'),
        );
    }
  }
  if (mode !== 'Indexed') {
    if (spec.backoffLimitPerIndex !== undefined)
      out.push(
        invalidValue(`${field}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'),
      );
    if (spec.maxFailedIndexes !== undefined)
      out.push(invalidValue(`${field}.maxFailedIndexes`, spec.maxFailedIndexes, 'requires indexed completion mode'));
  }
  const pod = recordAt(recordAt(spec, 'template'), 'spec') ?? {};
  const restart = stringAt(pod, 'restartPolicy');
  const path = `${field}.template.spec.restartPolicy`;
  out.push(...validatePodTemplate(recordAt(spec, 'template') ?? {}, `${field}.template`));
  if (restart === 'Always' || restart === '') out.push(requiredValue(path, 'valid values: "OnFailure", "Never"'));
  else if (restart !== 'OnFailure' && restart !== 'Never')
    out.push(unsupportedValue(path, restart, ['OnFailure', 'Never']));
  if (isRecord(spec.podFailurePolicy) && restart !== 'Never')
    out.push(invalidValue(path, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  const policy = recordAt(spec, 'podFailurePolicy');
  if (policy !== undefined) out.push(...validatePodFailurePolicy(policy, spec, `${field}.podFailurePolicy`));
  const success = recordAt(spec, 'successPolicy');
  if (success !== undefined) out.push(...validateSuccessPolicy(success, spec, `${field}.successPolicy`));
  if (typeof spec.managedBy === 'string') {
    out.push(...domainPrefixedPath(spec.managedBy, `${field}.managedBy`));
    if (spec.managedBy.length > MAX_MANAGED_BY) out.push(tooLong(`${field}.managedBy`, MAX_MANAGED_BY));
  }
  const replacement = spec.podReplacementPolicy;
  if (typeof replacement === 'string' && replacement !== 'Failed' && replacement !== 'TerminatingOrFailed')
    out.push(unsupportedValue(`${field}.podReplacementPolicy`, replacement, ['Failed', 'TerminatingOrFailed']));
  return out;
}

export function validateJob(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out = validateJobSpec(spec, 'spec');
  const selector = recordAt(spec, 'selector');
  if (selector === undefined) out.push(requiredValue('spec.selector'));
  else {
    out.push(...validateLabelSelector(selector, 'spec.selector'));
    const labels = stringMapAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels');
    if (!matchesLabels(safeSelector(selector), labels))
      out.push(
        invalidValue('spec.template.metadata.labels', shownLabels(spec), '`selector` does not match template `labels`'),
      );
  }
  return out;
}

function safeSelector(selector: JsonRecord): ReturnType<typeof labelSelectorOf> {
  try {
    return labelSelectorOf(selector);
  } catch {
    return undefined;
  }
}

export function validateJobUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const out = validateJobSpec(spec, 'spec');
  const isElastic =
    spec.completionMode === 'Indexed' &&
    spec.completions === spec.parallelism &&
    before.completions === before.parallelism;
  if (!isElastic) out.push(...immutableField(spec.completions, before.completions, 'spec.completions'));
  out.push(...immutableField(spec.selector, before.selector, 'spec.selector'));
  out.push(...immutableTemplate(spec, before, old));
  for (const name of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'])
    out.push(...immutableField(spec[name], before[name], `spec.${name}`, goJobPart(name, spec[name])));
  return out;
}

/** A suspended job that never started may change where its pods run. */
function immutableTemplate(spec: JsonRecord, before: JsonRecord, old: JsonRecord): FieldError[] {
  const template = recordAt(spec, 'template') ?? {};
  const oldTemplate = recordAt(before, 'template') ?? {};
  if (semanticEquals(template, oldTemplate)) return [];
  const isSuspended = before.suspend === true && recordAt(old, 'status')?.startTime === undefined;
  if (isSuspended) {
    const strip = (source: JsonRecord): JsonRecord => {
      const { metadata: _, spec: pod, ...rest } = source;
      const {
        nodeSelector: _1,
        tolerations: _2,
        affinity: _3,
        schedulingGates: _4,
        ...other
      } = isRecord(pod) ? pod : {};
      const affinity = isRecord(_3) ? { ..._3, nodeAffinity: null } : null;
      return { ...rest, spec: { ...other, affinity } };
    };
    if (semanticEquals(strip(template), strip(oldTemplate))) return [];
  }
  return [invalidValue('spec.template', goPodTemplate(template), 'field is immutable')];
}

export function validateCronJob(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  if (byteLength(name) > 52) out.push(invalidValue('metadata.name', name, 'must be no more than 52 characters'));
  const schedule = stringAt(spec, 'schedule');
  if (schedule === '') out.push(requiredValue('spec.schedule'));
  else if (schedule.includes('TZ'))
    out.push(
      invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
    );
  else {
    const problem = cronProblem(schedule);
    if (problem !== undefined) out.push(invalidValue('spec.schedule', schedule, problem));
  }
  const zone = spec.timeZone;
  if (typeof zone === 'string' && !isTimeZone(zone))
    out.push(
      invalidValue(
        'spec.timeZone',
        zone,
        zone === '' ? 'timeZone must be nil or non-empty string' : `unknown time zone ${zone}`,
      ),
    );
  for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'])
    out.push(...notNegative(spec[field], `spec.${field}`));
  const policy = stringAt(spec, 'concurrencyPolicy');
  if (policy === '') out.push(requiredValue('spec.concurrencyPolicy'));
  else if (!['Allow', 'Forbid', 'Replace'].includes(policy))
    out.push(unsupportedValue('spec.concurrencyPolicy', policy, ['Allow', 'Forbid', 'Replace']));
  const job = recordAt(recordAt(spec, 'jobTemplate'), 'spec') ?? {};
  if (job.manualSelector === true)
    out.push(unsupportedValue('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  return [...out, ...validateJobSpec(job, 'spec.jobTemplate.spec')];
}

function isTimeZone(zone: string): boolean {
  if (zone === '' || zone.toLowerCase() === 'local') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
