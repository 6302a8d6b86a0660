/** What the baseline level forbids (k8s.io/pod-security-admission/policy), by the names of the checks there. */
import { isRecord } from '@kind-e2e/kube-api';
import { type Json, recordsIn } from '../pod-parts.ts';
import {
  type Check,
  type CheckedPod,
  capabilitiesIn,
  containersNamed,
  namesWhere,
  partOf,
  plural,
  profileType,
  quoted,
  settersOf,
  sorted,
} from './pod-under-check.ts';

const CAPABILITIES: ReadonlySet<string> = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);
/** Sysctls that are safe, and the version from which they are taken for that. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
};
const SELINUX_TYPES: Readonly<Record<string, number>> = {
  '': 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
};
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** True for what is allowed from a version on. */
const isAllowed = (since: Readonly<Record<string, number>>, name: string, minor: number): boolean =>
  Object.hasOwn(since, name) && minor >= (since[name] ?? 0);

const appArmorProfile: Check = (pod) => {
  const isBad = (context: Json): boolean =>
    !['RuntimeDefault', 'Localhost'].includes(profileType(context, 'appArmorProfile') ?? 'Localhost');
  const names = namesWhere(pod, ({ context }) => isBad(context));
  const contexts = [pod.context, ...pod.containers.map(({ context }) => context)].filter(isBad);
  const types = sorted(contexts.map((context) => profileType(context, 'appArmorProfile') ?? ''));
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && !isArmorAnnotation(value))
    .map(([key, value]) => `${key}="${value}"`)
    .sort();
  const setters = [
    settersOf(isBad(pod.context), names),
    annotations.length > 0 ? plural('annotation', annotations.length) : '',
  ].filter((setter) => setter !== '');
  if (setters.length === 0) return undefined;
  const values = [...types, ...annotations];
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const isArmorAnnotation = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/');

export const capabilities: Check = (pod) => {
  const forbidden = (context: Json): string[] =>
    capabilitiesIn(context, 'add').filter((name) => !CAPABILITIES.has(name));
  const names = namesWhere(pod, ({ context }) => forbidden(context).length > 0);
  if (names.length === 0) return undefined;
  const added = sorted(pod.containers.flatMap(({ context }) => forbidden(context)));
  return {
    reason: 'non-default capabilities',
    detail: `${containersNamed(names)} must not include ${quoted(added)} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: Check = ({ spec }) => {
  const host = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name] === true);
  return host.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: host.map((name) => `${name}=true`).join(', ') };
};

export const hostPathVolumes: Check = ({ spec }) => {
  const names = recordsIn(spec, 'volumes')
    .filter(({ hostPath }) => isRecord(hostPath))
    .map(({ name }) => String(name));
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` };
};

const hostPorts: Check = (pod) => {
  const ports = (container: Json): string[] =>
    recordsIn(container, 'ports')
      .filter(({ hostPort }) => typeof hostPort === 'number' && hostPort !== 0)
      .map(({ hostPort }) => String(hostPort));
  const names = namesWhere(pod, ({ container }) => ports(container).length > 0);
  if (names.length === 0) return undefined;
  const numbers = sorted(pod.containers.flatMap(({ container }) => ports(container)));
  const use = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'hostPort',
    detail: `${containersNamed(names)} ${use} ${plural('hostPort', numbers.length)} ${numbers.join(', ')}`,
  };
};

const hostProbes: Check = (pod) => {
  const hosts = (container: Json): string[] => {
    const lifecycle = partOf(container, 'lifecycle');
    return [
      ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => partOf(container, name)),
      ...['postStart', 'preStop'].map((name) => partOf(lifecycle, name)),
    ]
      .flatMap((handler) => [partOf(handler, 'httpGet').host, partOf(handler, 'tcpSocket').host])
      .filter((host): host is string => typeof host === 'string' && host !== '');
  };
  const names = sorted(namesWhere(pod, ({ container }) => hosts(container).length > 0));
  if (names.length === 0) return undefined;
  const all = sorted(pod.containers.flatMap(({ container }) => hosts(container)));
  const use = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersNamed(names)} ${use} ${plural('probe or lifecycle host', all.length)} ${quoted(all)}`,
  };
};

const privileged: Check = (pod) => {
  const names = namesWhere(pod, ({ context }) => context.privileged === true);
  return names.length === 0
    ? undefined
    : {
        reason: 'privileged',
        detail: `${containersNamed(names)} must not set securityContext.privileged=true`,
      };
};

const procMount: Check = (pod) => {
  const isBad = ({ procMount: mount }: Json): boolean => typeof mount === 'string' && mount !== 'Default';
  const names = namesWhere(pod, ({ context }) => isBad(context));
  if (names.length === 0) return undefined;
  const types = sorted(pod.containers.flatMap(({ context }) => (isBad(context) ? [String(context.procMount)] : [])));
  return {
    reason: 'procMount',
    detail: `${containersNamed(names)} must not set securityContext.procMount to ${quoted(types)}`,
  };
};

const seLinuxOptions =
  (minor: number): Check =>
  (pod) => {
    const textOf = (context: Json, name: string): string => String(partOf(context, 'seLinuxOptions')[name] ?? '');
    const isBadType = (context: Json): boolean => !isAllowed(SELINUX_TYPES, textOf(context, 'type'), minor);
    const sets = (context: Json, name: string): boolean => textOf(context, name) !== '';
    const isBad = (context: Json): boolean => isBadType(context) || sets(context, 'user') || sets(context, 'role');
    const names = namesWhere(pod, ({ context }) => isBad(context));
    const setters = settersOf(isBad(pod.context), names);
    if (setters === '') return undefined;
    const contexts = [pod.context, ...pod.containers.map(({ context }) => context)];
    const types = sorted(contexts.filter(isBadType).map((context) => textOf(context, 'type')));
    const data = [
      ...(types.length > 0 ? [`${plural('type', types.length)} ${quoted(types)}`] : []),
      ...(contexts.some((context) => sets(context, 'user')) ? ['user may not be set'] : []),
      ...(contexts.some((context) => sets(context, 'role')) ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    };
  };

/** Profiles that a pod or its containers ask for and may not; of both levels. */
export const forbiddenSeccomp: Check = (pod) => {
  const isBad = (context: Json): boolean =>
    !['RuntimeDefault', 'Localhost'].includes(profileType(context, 'seccompProfile') ?? 'Localhost');
  const names = namesWhere(pod, ({ context }) => isBad(context));
  const setters = settersOf(isBad(pod.context), names);
  if (setters === '') return undefined;
  const contexts = [pod.context, ...pod.containers.map(({ context }) => context)].filter(isBad);
  const types = sorted(contexts.map((context) => profileType(context, 'seccompProfile') ?? ''));
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
  };
};

const sysctls =
  (minor: number): Check =>
  ({ context }) => {
    const names = recordsIn(context, 'sysctls')
      .map(({ name }) => String(name))
      .filter((name) => !isAllowed(SYSCTLS, name, minor));
    return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
  };

const windowsHostProcess: Check = (pod) => {
  const isBad = (context: Json): boolean => partOf(context, 'windowsOptions').hostProcess === true;
  const setters = settersOf(
    isBad(pod.context),
    namesWhere(pod, ({ context }) => isBad(context)),
  );
  return setters === ''
    ? undefined
    : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` };
};

/** Pods of a user namespace of their own may do more (KEP-127). */
export const hasOwnUsers = ({ spec }: CheckedPod, minor: number): boolean => spec.hostUsers === false && minor >= 35;

/**
 * The checks of the baseline level in upstream's order; those that the restricted level replaces are left out for it
 * (`OverrideCheckIDs`).
 */
export function baselineChecks(minor: number, isRestricted: boolean): readonly Check[] {
  return [
    appArmorProfile,
    ...(isRestricted ? [] : [capabilities]),
    hostNamespaces,
    ...(isRestricted ? [] : [hostPathVolumes]),
    hostPorts,
    ...(minor >= 34 ? [hostProbes] : []),
    privileged,
    (pod) => (hasOwnUsers(pod, minor) ? undefined : procMount(pod)),
    seLinuxOptions(minor),
    ...(isRestricted ? [] : [forbiddenSeccomp]),
    sysctls(minor),
    windowsHostProcess,
  ];
}
