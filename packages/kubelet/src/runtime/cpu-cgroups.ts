import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, systemCodeOf } from '@kind-e2e/base';
import { parseQuantity, quantityMilliValue } from '@kind-e2e/kube-api';
import type { ResourceRequirements } from 'kubernetes-types/core/v1.d.ts';

/** The kernel's default, which the kubelet keeps (kubernetes pkg/kubelet/cm/helpers_linux.go QuotaPeriod). */
const PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;

/** How CPU limits are enforced here, or why not. */
export interface CpuControl {
  readonly version: 1 | 2 | undefined;
  /**
   * Path of a container's group without the container's id; '' where there are none. The groups lie beside the other
   * processes of this one's group, not in a group of their own, which would weigh no more than one of these.
   */
  readonly prefix: string;
  /** For people: what was found. */
  readonly reason: string;
}

/**
 * Looks for a CPU controller of control groups that this process may use: version 2 where the own group gives it to its
 * children, else version 1. Tries it with a group that it removes again.
 */
export function probeCpuControl(dataDir: string, procSelf = '/proc/self'): CpuControl {
  const none = (reason: string): CpuControl => ({ version: undefined, prefix: '', reason });
  if (process.platform !== 'linux') return none(`${process.platform} has no control groups`);
  const name = `kind-e2e-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-`;
  const groups = readLines(join(procSelf, 'cgroup')).map((line) => line.split(':'));
  const mounts = readLines(join(procSelf, 'mounts')).map((line) => line.split(' '));
  const candidates: { version: 1 | 2; own: string }[] = [];
  for (const [, at = '', type, options = ''] of mounts) {
    if (type === 'cgroup2')
      candidates.unshift({ version: 2, own: join(at, groups.find(([id]) => id === '0')?.[2] ?? '/') });
    if (type === 'cgroup' && options.split(',').includes('cpu')) {
      const own = groups.find(([, controllers = '']) => controllers.split(',').includes('cpu'))?.[2] ?? '/';
      candidates.push({ version: 1, own: join(at, own) });
    }
  }
  const reasons: string[] = [];
  for (const { version, own } of candidates) {
    const prefix = join(own, name);
    try {
      if (version === 2) {
        const controllers = readFileSync(join(own, 'cgroup.controllers'), 'utf8').trim().split(' ');
        if (!controllers.includes('cpu')) throw new Error('no CPU controller');
        writeFileSync(join(own, 'cgroup.subtree_control'), '+cpu');
      }
      const control: CpuControl = { version, prefix, reason: `control groups (version ${version}) in ${own}` };
      makeCpuGroup(control, 'probe', { limits: { cpu: '1' } });
      rmdirSync(`${prefix}probe`);
      return control;
    } catch (error) {
      reasons.push(`version ${version} in ${own}: ${messageOf(error)}`);
    }
  }
  return none(
    reasons.length > 0 ? `control groups cannot be used: ${reasons.join('; ')}` : 'no control groups are mounted',
  );
}

/** The settings of a container's group: file and value (kuberuntime_container_linux.go calculateLinuxResources). */
export function cpuSettings(version: 1 | 2, limits: ResourceRequirements['limits']): [string, string][] {
  const limit = milliOf(limits?.cpu);
  if (limit === undefined || limit <= 0) return [];
  const quota = Math.max(MIN_QUOTA_US, Math.round((limit * PERIOD_US) / 1000));
  if (version === 2) return [['cpu.max', `${quota} ${PERIOD_US}`]];
  return [
    ['cpu.cfs_period_us', String(PERIOD_US)],
    ['cpu.cfs_quota_us', String(quota)],
  ];
}

/** Makes the group of a container that has a limit; gives the file that takes its processes. */
export function makeCpuGroup(
  control: CpuControl,
  containerId: string,
  resources: ResourceRequirements | undefined,
): string | undefined {
  if (control.version === undefined) return undefined;
  const settings = cpuSettings(control.version, resources?.limits);
  if (settings.length === 0) return undefined;
  const directory = control.prefix + containerId;
  mkdirSync(directory, { recursive: true });
  for (const [file, value] of settings) writeFileSync(join(directory, file), value);
  return join(directory, 'cgroup.procs');
}

/** Removes groups without processes: all of them, or one container's. */
export function removeCpuGroups(control: CpuControl, containerId?: string): void {
  if (control.version === undefined) return;
  if (containerId !== undefined) {
    removeGroup(control.prefix + containerId);
    return;
  }
  const parent = dirname(control.prefix);
  for (const name of readdirSync(parent))
    if (join(parent, name).startsWith(control.prefix)) removeGroup(join(parent, name));
}

function removeGroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    // One with processes or children stays.
    if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(systemCodeOf(error) ?? '')) throw error;
  }
}

function milliOf(text: string | undefined): number | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity ? quantityMilliValue(quantity) : undefined;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    // Not there: a system without it.
    return [];
  }
}
