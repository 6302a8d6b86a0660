/** Defaults of apps/v1, batch/v1 and replication controllers (`pkg/apis/{apps,batch}/v1/defaults.go`). */

import { ensureRecord, recordAt, recordsAt, setDefault, stringAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { defaultPodSpec } from './pod.ts';

function templateSpec(parent: JsonRecord): void {
  const spec = recordAt(recordAt(parent, 'template'), 'spec');
  if (spec !== undefined) defaultPodSpec(spec);
}

export function defaultDeployment(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'replicas', 1);
  const strategy = ensureRecord(spec, 'strategy');
  setDefault(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = ensureRecord(strategy, 'rollingUpdate');
    setDefault(rolling, 'maxUnavailable', '25%');
    setDefault(rolling, 'maxSurge', '25%');
  }
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'progressDeadlineSeconds', 600);
  templateSpec(spec);
}

export function defaultReplicaSet(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'replicas', 1);
  templateSpec(spec);
}

export function defaultReplicationController(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const labels = stringMapAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels');
  if (Object.keys(labels).length > 0) {
    if (Object.keys(stringMapAt(spec, 'selector')).length === 0) spec.selector = { ...labels };
    const metadata = ensureRecord(object, 'metadata');
    if (Object.keys(stringMapAt(metadata, 'labels')).length === 0) metadata.labels = { ...labels };
  }
  setDefault(spec, 'replicas', 1);
  templateSpec(spec);
}

export function defaultStatefulSet(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = ensureRecord(spec, 'updateStrategy');
  setDefault(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') setDefault(ensureRecord(strategy, 'rollingUpdate'), 'partition', 0);
  const retention = ensureRecord(spec, 'persistentVolumeClaimRetentionPolicy');
  setDefault(retention, 'whenDeleted', 'Retain');
  setDefault(retention, 'whenScaled', 'Retain');
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'revisionHistoryLimit', 10);
  templateSpec(spec);
  const claims = recordsAt(spec, 'volumeClaimTemplates');
  if (claims.length > 0)
    spec.volumeClaimTemplates = claims.map((claim) => {
      const made: JsonRecord = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...claim };
      made.kind = 'PersistentVolumeClaim';
      made.apiVersion = 'v1';
      setDefault(ensureRecord(made, 'status'), 'phase', 'Pending');
      setDefault(ensureRecord(made, 'spec'), 'volumeMode', 'Filesystem');
      return made;
    });
}

export function defaultDaemonSet(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const strategy = ensureRecord(spec, 'updateStrategy');
  setDefault(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = ensureRecord(strategy, 'rollingUpdate');
    setDefault(rolling, 'maxUnavailable', 1);
    setDefault(rolling, 'maxSurge', 0);
  }
  setDefault(spec, 'revisionHistoryLimit', 10);
  templateSpec(spec);
}

function defaultJobSpec(spec: JsonRecord): void {
  const isIndexed = stringAt(spec, 'completionMode') === 'Indexed';
  if (isMissing(spec.completions) && isMissing(spec.parallelism)) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  setDefault(spec, 'parallelism', 1);
  if (isMissing(spec.backoffLimit)) spec.backoffLimit = !isMissing(spec.backoffLimitPerIndex) ? 2_147_483_647 : 6;
  setDefault(spec, 'completionMode', isIndexed ? 'Indexed' : 'NonIndexed');
  setDefault(spec, 'suspend', false);
  for (const rule of recordsAt(recordAt(spec, 'podFailurePolicy'), 'rules'))
    for (const pattern of recordsAt(rule, 'onPodConditions')) setDefault(pattern, 'status', 'True');
  setDefault(spec, 'manualSelector', false);
  if (isMissing(spec.podReplacementPolicy))
    spec.podReplacementPolicy = isRecord(spec.podFailurePolicy) ? 'Failed' : 'TerminatingOrFailed';
  templateSpec(spec);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

export function defaultJob(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  defaultJobSpec(spec);
  const labels = stringMapAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels');
  const metadata = ensureRecord(object, 'metadata');
  if (Object.keys(labels).length > 0 && Object.keys(stringMapAt(metadata, 'labels')).length === 0)
    metadata.labels = { ...labels };
}

export function defaultCronJob(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'concurrencyPolicy', 'Allow');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'successfulJobsHistoryLimit', 3);
  setDefault(spec, 'failedJobsHistoryLimit', 1);
  const template = recordAt(recordAt(spec, 'jobTemplate'), 'spec');
  if (template !== undefined) templateSpec(template);
}
