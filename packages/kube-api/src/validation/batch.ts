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
import { byteLength, isDns1123Label } from './names.ts';
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
  if (typeof spec.managedBy === 'string') {
    out.push(...domainPrefixedPath(spec.managedBy, `${field}.managedBy`));
    if (spec.managedBy.length > MAX_MANAGED_BY) out.push(tooLong(`${field}.managedBy`, MAX_MANAGED_BY));
  }
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
      out.push(...manyIndexes(spec, field));
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
  const policy = recordAt(spec, 'podFailurePolicy');
  if (policy !== undefined) out.push(...validatePodFailurePolicy(policy, spec, `${field}.podFailurePolicy`));
  const success = recordAt(spec, 'successPolicy');
  if (success !== undefined) out.push(...validateSuccessPolicy(success, spec, `${field}.successPolicy`));
  const replacement = spec.podReplacementPolicy;
  const replacements = policy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  if (typeof replacement === 'string' && !replacements.includes(replacement))
    out.push(unsupportedValue(`${field}.podReplacementPolicy`, replacement, replacements));
  out.push(...validatePodTemplate(recordAt(spec, 'template') ?? {}, `${field}.template`));
  const restart = stringAt(recordAt(recordAt(spec, 'template'), 'spec'), 'restartPolicy');
  const path = `${field}.template.spec.restartPolicy`;
  if (restart === 'Always' || restart === '') out.push(requiredValue(path, 'valid values: "OnFailure", "Never"'));
  else if (restart !== 'OnFailure' && restart !== 'Never')
    out.push(unsupportedValue(path, restart, ['OnFailure', 'Never']));
  else if (policy !== undefined && restart !== 'Never')
    out.push(invalidValue(path, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  return out;
}

/** Limits of jobs with very many indexes and a backoff of each. */
function manyIndexes(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const failed = numberAt(spec, 'maxFailedIndexes');
  if (failed !== undefined && failed > 100_000)
    out.push(invalidValue(`${field}.maxFailedIndexes`, failed, 'must be less than or equal to 100000'));
  if ((numberAt(spec, 'completions') ?? 0) <= 100_000 || spec.backoffLimitPerIndex === undefined) return out;
  if (failed === undefined)
    out.push(requiredValue(`${field}.maxFailedIndexes`, 'must be specified when completions is above 100000'));
  for (const name of ['parallelism', 'maxFailedIndexes']) {
    const value = numberAt(spec, name);
    if (value !== undefined && value > 10_000)
      out.push(
        invalidValue(
          `${field}.${name}`,
          value,
          'must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
        ),
      );
  }
  return out;
}

/** What the server wrote into a job must still be there (`validateGeneratedSelector`). */
function generatedSelector(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const selector = recordAt(spec, 'selector');
  if (spec.manualSelector === true || selector === undefined) return [];
  const metadata = recordAt(object, 'metadata');
  const expected: Record<string, string> = {};
  for (const prefix of ['', 'batch.kubernetes.io/']) {
    expected[`${prefix}controller-uid`] = stringAt(metadata, 'uid');
    expected[`${prefix}job-name`] = stringAt(metadata, 'name');
  }
  const labels = stringMapAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels');
  const out: FieldError[] = [];
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) out.push(requiredValue(path, `must be '${value}'`));
    else if (labels[key] !== value) out.push(invalidValue(path, labels, `must be '${value}'`));
  }
  const parsed = safeSelector(selector);
  if (parsed !== undefined && !matchesLabels(parsed, expected))
    out.push(invalidValue('spec.selector', selector, '`selector` not auto-generated'));
  return out;
}

/** The pods of an indexed job are named after the index (`ValidateJob`). */
function hostNames(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec');
  const completions = numberAt(spec, 'completions') ?? 0;
  if (spec?.completionMode !== 'Indexed' || completions <= 0) return [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const last = `${name}-${completions - 1}`;
  return isDns1123Label(last).length === 0
    ? []
    : [invalidValue('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`)];
}

function selectorAndLabels(spec: JsonRecord): FieldError[] {
  const selector = recordAt(spec, 'selector');
  if (selector === undefined) return [requiredValue('spec.selector')];
  const out = validateLabelSelector(selector, 'spec.selector');
  const labels = stringMapAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels');
  const parsed = safeSelector(selector);
  if (parsed !== undefined && !matchesLabels(parsed, labels))
    out.push(
      invalidValue('spec.template.metadata.labels', shownLabels(spec), '`selector` does not match template `labels`'),
    );
  return out;
}

export function validateJob(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  return [
    ...generatedSelector(object),
    ...validateJobSpec(spec, 'spec'),
    ...selectorAndLabels(spec),
    ...hostNames(object),
  ];
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
  const out = [...validateJobSpec(spec, 'spec'), ...selectorAndLabels(spec)];
  if (spec.completionMode !== 'Indexed')
    out.push(...immutableField(spec.completions, before.completions, 'spec.completions'));
  else if (spec.completions !== before.completions && spec.completions !== spec.parallelism)
    out.push(
      invalidValue('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'),
    );
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
  const out = cronJobSpec(recordAt(object, 'spec') ?? {}, undefined);
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  if (byteLength(name) > 52) out.push(invalidValue('metadata.name', name, 'must be no more than 52 characters'));
  return out;
}

export function validateCronJobUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return cronJobSpec(recordAt(object, 'spec') ?? {}, recordAt(old, 'spec') ?? {});
}

/** Zones in schedules are let be where they are already. */
function scheduleProblems(spec: JsonRecord, old: JsonRecord | undefined): FieldError[] {
  const field = 'spec.schedule';
  const schedule = stringAt(spec, 'schedule');
  if (schedule === '') return [requiredValue(field)];
  const out: FieldError[] = [];
  const bare = schedule.replace(/^(CRON_)?TZ=\S+\s+/, '');
  const problem = cronProblem(bare);
  if (problem !== undefined) out.push(invalidValue(field, schedule, problem));
  if (!schedule.includes('TZ')) return out;
  const isAllowed = stringAt(old, 'schedule').includes('TZ');
  if (!isAllowed)
    out.push(invalidValue(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else if (spec.timeZone !== undefined)
    out.push(invalidValue(field, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
  return out;
}

function cronJobSpec(spec: JsonRecord, old: JsonRecord | undefined): FieldError[] {
  const out = scheduleProblems(spec, old);
  out.push(...notNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'));
  if (old === undefined || old.timeZone !== spec.timeZone) out.push(...timeZoneProblems(spec.timeZone));
  const policy = stringAt(spec, 'concurrencyPolicy');
  if (policy === '') out.push(requiredValue('spec.concurrencyPolicy'));
  else if (!['Allow', 'Forbid', 'Replace'].includes(policy))
    out.push(unsupportedValue('spec.concurrencyPolicy', policy, ['Allow', 'Forbid', 'Replace']));
  const job = recordAt(recordAt(spec, 'jobTemplate'), 'spec') ?? {};
  out.push(...validateJobSpec(job, 'spec.jobTemplate.spec'));
  if (job.selector !== undefined)
    out.push(invalidValue('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'));
  if (job.manualSelector === true)
    out.push(unsupportedValue('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  for (const field of ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'])
    out.push(...notNegative(spec[field], `spec.${field}`));
  return out;
}

function timeZoneProblems(zone: unknown): FieldError[] {
  const field = 'spec.timeZone';
  if (typeof zone !== 'string') return [];
  if (zone === '') return [invalidValue(field, zone, 'timeZone must be nil or non-empty string')];
  const unknown = invalidValue(field, zone, `unknown time zone ${zone}`);
  const parts = zone.split('/');
  if (
    parts.some((part) => part.startsWith('-') || part === '.' || part === '..' || !/^[A-Za-z._0-9+-]{1,14}$/.test(part))
  )
    return [unknown];
  if (zone.toLowerCase() === 'local') {
    const explicit = invalidValue(
      field,
      zone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    );
    // Go knows the zone `Local` in this spelling only.
    return zone === 'Local' ? [explicit] : [explicit, unknown];
  }
  return isTimeZone(zone) ? [] : [unknown];
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
