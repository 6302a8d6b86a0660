import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import { type Json, recordsIn } from './pod-parts.ts';

export type SecurityLevel = 'privileged' | 'baseline' | 'restricted';

const BASELINE_CAPABILITIES: ReadonlySet<string> = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);
const RESTRICTED_VOLUMES: ReadonlySet<string> = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret image'.split(' '),
);
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]);

interface Parts {
  readonly spec: Json;
  readonly podContext: Json;
  readonly containers: readonly { readonly name: string; readonly container: Json; readonly context: Json }[];
}

/** What of a pod a level forbids, in the words of k8s.io/pod-security-admission/policy. */
export function podSecurityProblems(pod: KubeObject, level: SecurityLevel): string[] {
  if (level === 'privileged') return [];
  const spec = sectionOf(pod, 'spec');
  const parts: Parts = {
    spec,
    podContext: isRecord(spec.securityContext) ? spec.securityContext : {},
    containers: ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
      recordsIn(spec, list).map((container) => ({
        name: String(container.name),
        container,
        context: isRecord(container.securityContext) ? container.securityContext : {},
      })),
    ),
  };
  return [...baseline(parts, level), ...(level === 'restricted' ? restricted(parts) : [])];
}

function named(names: readonly string[], be: string): string {
  const list = names.map((name) => `"${name}"`).join(', ');
  return `${names.length === 1 ? 'container' : 'containers'} ${list} ${be}`;
}

function baseline({ spec, podContext, containers }: Parts, level: SecurityLevel): string[] {
  const problems: string[] = [];
  const host = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name] === true);
  if (host.length > 0) problems.push(`host namespaces (${host.map((name) => `${name}=true`).join(', ')})`);
  const privileged = containers.filter(({ context }) => context.privileged === true).map(({ name }) => name);
  if (privileged.length > 0)
    problems.push(`privileged (${named(privileged, 'must not set securityContext.privileged=true')})`);
  if (level === 'baseline') {
    const added = containers.filter(({ context }) =>
      addedCapabilities(context).some((name) => !BASELINE_CAPABILITIES.has(name)),
    );
    if (added.length > 0) {
      const extra = [...new Set(added.flatMap(({ context }) => addedCapabilities(context)))].filter(
        (name) => !BASELINE_CAPABILITIES.has(name),
      );
      problems.push(
        `non-default capabilities (${named(
          added.map(({ name }) => name),
          `must not include ${extra
            .sort()
            .map((name) => `"${name}"`)
            .join(', ')} in securityContext.capabilities.add`,
        )})`,
      );
    }
    const paths = recordsIn(spec, 'volumes').filter(({ hostPath }) => hostPath !== undefined);
    if (paths.length > 0)
      problems.push(
        `hostPath volumes (${paths.length === 1 ? 'volume' : 'volumes'} ${paths.map(({ name }) => `"${String(name)}"`).join(', ')})`,
      );
  }
  const ports = containers.flatMap(({ name, container }) =>
    recordsIn(container, 'ports')
      .filter(({ hostPort }) => typeof hostPort === 'number' && hostPort !== 0)
      .map(({ hostPort }) => ({ name, hostPort: Number(hostPort) })),
  );
  if (ports.length > 0) {
    const names = [...new Set(ports.map(({ name }) => name))];
    const numbers = [...new Set(ports.map(({ hostPort }) => hostPort))].sort((a, b) => a - b);
    problems.push(
      `hostPort (${named(names, `${names.length === 1 ? 'uses' : 'use'} ${numbers.length === 1 ? 'hostPort' : 'hostPorts'} ${numbers.join(', ')}`)})`,
    );
  }
  const unconfined = containers.filter(({ context }) => seccompOf(context) === 'Unconfined').map(({ name }) => name);
  if (seccompOf(podContext) === 'Unconfined' && level === 'baseline')
    problems.push('seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")');
  else if (unconfined.length > 0 && level === 'baseline')
    problems.push(
      `seccompProfile (${named(unconfined, 'must not set securityContext.seccompProfile.type to "Unconfined"')})`,
    );
  const sysctls = recordsIn(podContext, 'sysctls')
    .map(({ name }) => String(name))
    .filter((name) => !SAFE_SYSCTLS.has(name));
  if (sysctls.length > 0) problems.push(`forbidden sysctls (${sysctls.join(', ')})`);
  return problems;
}

function restricted({ spec, podContext, containers }: Parts): string[] {
  const problems: string[] = [];
  const escalating = containers
    .filter(({ context }) => context.allowPrivilegeEscalation !== false)
    .map(({ name }) => name);
  if (escalating.length > 0)
    problems.push(
      `allowPrivilegeEscalation != false (${named(escalating, 'must set securityContext.allowPrivilegeEscalation=false')})`,
    );
  const undropped = containers
    .filter(({ context }) => !droppedCapabilities(context).includes('ALL'))
    .map(({ name }) => name);
  const added = containers
    .filter(({ context }) => addedCapabilities(context).some((name) => name !== 'NET_BIND_SERVICE'))
    .map(({ name }) => name);
  const capabilities = [
    ...(undropped.length > 0 ? [named(undropped, 'must set securityContext.capabilities.drop=["ALL"]')] : []),
    ...(added.length > 0
      ? [
          named(
            added,
            'must not include other capabilities than "NET_BIND_SERVICE" in securityContext.capabilities.add',
          ),
        ]
      : []),
  ];
  if (capabilities.length > 0) problems.push(`unrestricted capabilities (${capabilities.join('; ')})`);
  const volumes = recordsIn(spec, 'volumes').flatMap((volume) => {
    const type = Object.keys(volume).find((key) => key !== 'name');
    return type !== undefined && !RESTRICTED_VOLUMES.has(type) ? [{ name: String(volume.name), type }] : [];
  });
  if (volumes.length > 0) {
    const types = [...new Set(volumes.map(({ type }) => type))];
    problems.push(
      `restricted volume types (${volumes.length === 1 ? 'volume' : 'volumes'} ${volumes.map(({ name }) => `"${name}"`).join(', ')} ${volumes.length === 1 ? 'uses' : 'use'} restricted volume ${types.length === 1 ? 'type' : 'types'} ${types.map((type) => `"${type}"`).join(', ')})`,
    );
  }
  const asRoot = containers
    .filter(
      ({ context }) =>
        context.runAsNonRoot === false || (context.runAsNonRoot === undefined && podContext.runAsNonRoot !== true),
    )
    .map(({ name }) => name);
  if (asRoot.length > 0)
    problems.push(`runAsNonRoot != true (pod or ${named(asRoot, 'must set securityContext.runAsNonRoot=true')})`);
  const rootUsers = containers.filter(({ context }) => context.runAsUser === 0).map(({ name }) => name);
  if (podContext.runAsUser === 0 || rootUsers.length > 0)
    problems.push(
      `runAsUser=0 (${podContext.runAsUser === 0 ? 'pod must not set runAsUser=0' : named(rootUsers, 'must not set runAsUser=0')})`,
    );
  const open = containers
    .filter(
      ({ context }) => !['RuntimeDefault', 'Localhost'].includes(seccompOf(context) ?? seccompOf(podContext) ?? ''),
    )
    .map(({ name }) => name);
  if (open.length > 0)
    problems.push(
      `seccompProfile (pod or ${named(open, 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"')})`,
    );
  return problems;
}

function capabilitiesOf(context: Json, part: 'add' | 'drop'): string[] {
  const list = isRecord(context.capabilities) ? context.capabilities[part] : undefined;
  return Array.isArray(list) ? list.map(String) : [];
}

const addedCapabilities = (context: Json): string[] => capabilitiesOf(context, 'add');
const droppedCapabilities = (context: Json): string[] => capabilitiesOf(context, 'drop');

function seccompOf(context: Json): string | undefined {
  const profile = context.seccompProfile;
  return isRecord(profile) && typeof profile.type === 'string' ? profile.type : undefined;
}
