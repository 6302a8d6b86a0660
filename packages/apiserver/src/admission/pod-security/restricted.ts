/** What the restricted level forbids or wants besides (k8s.io/pod-security-admission/policy). */
import { isRecord } from '@kind-e2e/kube-api';
import { recordsIn } from '../pod-parts.ts';
import { baselineChecks, forbiddenSeccomp, hasOwnUsers } from './baseline.ts';
import type { LevelVersion } from './levels.ts';
import {
  type Check,
  type CheckedPod,
  capabilitiesIn,
  checkedPod,
  containersNamed,
  namesWhere,
  plural,
  profileType,
  quoted,
  settersOf,
  sorted,
  type Violation,
} from './pod-under-check.ts';

const VOLUMES: readonly string[] =
  'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' ');

const isWindows = ({ spec }: CheckedPod): boolean => isRecord(spec.os) && spec.os.name === 'windows';

const allowPrivilegeEscalation: Check = (pod) => {
  const names = namesWhere(pod, ({ context }) => context.allowPrivilegeEscalation !== false);
  return names.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${containersNamed(names)} must set securityContext.allowPrivilegeEscalation=false`,
      };
};

const capabilities: Check = (pod) => {
  const missing = namesWhere(pod, ({ context }) => !capabilitiesIn(context, 'drop').includes('ALL'));
  const adding = namesWhere(pod, ({ context }) =>
    capabilitiesIn(context, 'add').some((name) => name !== 'NET_BIND_SERVICE'),
  );
  const added = sorted(pod.containers.flatMap(({ context }) => capabilitiesIn(context, 'add'))).filter(
    (name) => name !== 'NET_BIND_SERVICE',
  );
  const details = [
    ...(missing.length > 0 ? [`${containersNamed(missing)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${containersNamed(adding)} must not include ${quoted(added)} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const restrictedVolumes: Check = ({ spec }) => {
  const bad = recordsIn(spec, 'volumes').filter((volume) => !VOLUMES.some((type) => isRecord(volume[type])));
  if (bad.length === 0) return undefined;
  const types = sorted(
    bad.map((volume) => Object.keys(volume).find((key) => key !== 'name' && isRecord(volume[key])) ?? 'unknown'),
  );
  const use = bad.length === 1 ? 'uses' : 'use';
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', bad.length)} ${quoted(bad.map(({ name }) => String(name)))} ${use} restricted volume ${plural('type', types.length)} ${quoted(types)}`,
  };
};

const runAsNonRoot: Check = (pod) => {
  const reason = 'runAsNonRoot != true';
  const setters = settersOf(
    pod.context.runAsNonRoot === false,
    namesWhere(pod, ({ context }) => context.runAsNonRoot === false),
  );
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  if (pod.context.runAsNonRoot === true) return undefined;
  const names = namesWhere(pod, ({ context }) => context.runAsNonRoot !== true);
  return names.length === 0
    ? undefined
    : { reason, detail: `pod or ${containersNamed(names)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (pod) => {
  const setters = settersOf(
    pod.context.runAsUser === 0,
    namesWhere(pod, ({ context }) => context.runAsUser === 0),
  );
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` };
};

const seccompProfile: Check = (pod) => {
  const forbidden = forbiddenSeccomp(pod);
  if (forbidden) return forbidden;
  if (profileType(pod.context, 'seccompProfile') !== undefined) return undefined;
  const names = namesWhere(pod, ({ context }) => profileType(context, 'seccompProfile') === undefined);
  return names.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${containersNamed(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
};

function restrictedChecks(minor: number): readonly Check[] {
  const notOnWindows =
    (check: Check): Check =>
    (pod) =>
      minor >= 25 && isWindows(pod) ? undefined : check(pod);
  const notAmongOwnUsers =
    (check: Check): Check =>
    (pod) =>
      hasOwnUsers(pod, minor) ? undefined : check(pod);
  return [
    ...(minor >= 8 ? [notOnWindows(allowPrivilegeEscalation)] : []),
    ...(minor >= 22 ? [notOnWindows(capabilities)] : []),
    restrictedVolumes,
    notAmongOwnUsers(runAsNonRoot),
    ...(minor >= 23 ? [notAmongOwnUsers(runAsUser)] : []),
    ...(minor >= 19 ? [notOnWindows(seccompProfile)] : []),
  ];
}

/** Everything of a pod that a level forbids. */
export function violationsOf(pod: Parameters<typeof checkedPod>[0], { level, minor }: LevelVersion): Violation[] {
  if (level === 'privileged') return [];
  const checked = checkedPod(pod);
  const isRestricted = level === 'restricted';
  const checks = [...baselineChecks(minor, isRestricted), ...(isRestricted ? restrictedChecks(minor) : [])];
  return checks.flatMap((check) => check(checked) ?? []);
}

/** `host namespaces (hostNetwork=true), privileged (…)` */
export function violationText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}
