import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTool } from './host-tools.ts';

/**
 * How a container sees files. `namespace`: a mount namespace of its own, where the image and the volumes are at their
 * paths (Linux with unprivileged user namespaces). `direct`: the host's view, with paths in arguments and environment
 * rewritten and a preload for Node.js programs.
 */
export interface ViewMode {
  readonly kind: 'namespace' | 'direct';
  /** Whether the image can be laid under a writable layer; without it folders of the image are copied. */
  readonly hasOverlay: boolean;
  /** Whether a program can be shown another user id than 0 (util-linux 2.36). */
  readonly canMapUser: boolean;
  /** Options of a read-only bind mount: flags that the data directory's own mount locks must be repeated. */
  readonly readOnlyBind: string;
  /** Why it is not `namespace`. */
  readonly reason?: string;
}

const DIRECT: ViewMode = { kind: 'direct', hasOverlay: false, canMapUser: false, readOnlyBind: 'bind' };

/** Tries the real thing once, in a folder of the data directory, since upper layers do not work on every file system. */
export function probeView(directory: string): ViewMode {
  if (process.platform !== 'linux') return { ...DIRECT, reason: `${process.platform} has no namespaces` };
  const root = join(directory, `probe-${process.pid}`);
  const path = (name: string): string => join(root, name);
  try {
    for (const name of ['root/.kind-e2e/old', 'root/usr', 'root/proc', 'lower', 'upper', 'work', 'root/over'])
      mkdirSync(path(name), { recursive: true });
    const bind = `${fstabPath(path('root'))} ${fstabPath(path('root'))} none bind 0 0\n`;
    const run = (mounts: string): { readonly ok: boolean; readonly why: string } => {
      writeFileSync(path('fstab'), bind + mounts);
      const script = 'mount -n -a -T "$0/fstab" && cd "$0/root" && pivot_root . .kind-e2e/old';
      const result = spawnSync(hostTool('unshare'), [...NAMESPACE_ARGUMENTS, '/bin/sh', '-c', script, root], {
        encoding: 'utf8',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        timeout: 5_000,
      });
      return { ok: result.status === 0, why: (result.stderr ?? '').trim() || (result.error?.message ?? '') };
    };
    const line = (source: string, target: string, options: string): string =>
      `${fstabPath(source)} ${fstabPath(path(target))} none ${options} 0 0\n`;
    const plain = run(line('/usr', 'root/usr', 'rbind') + line('/proc', 'root/proc', 'rbind'));
    if (!plain.ok) return { ...DIRECT, reason: plain.why };
    const readOnlyBind = ['bind,ro', 'bind,ro,nosuid,nodev'].find(
      (each) => run(line(path('lower'), 'root/over', each)).ok,
    );
    const overlay = run(
      `overlay ${fstabPath(path('root/over'))} overlay ${overlayOptions([path('lower')], path('upper'), path('work'))} 0 0\n`,
    );
    const mapped = spawnSync(hostTool('unshare'), ['-U', '--map-user=1000', '--map-group=1000', '--', 'true'], {
      timeout: 5_000,
    });
    return {
      kind: 'namespace',
      hasOverlay: overlay.ok,
      canMapUser: mapped.status === 0,
      readOnlyBind: readOnlyBind ?? 'bind',
    };
  } finally {
    // overlayfs leaves a folder without permissions there.
    if (existsSync(path('work/work'))) chmodSync(path('work/work'), 0o700);
    rmSync(root, { recursive: true, force: true });
  }
}

/** A user namespace in which the caller is root, a mount namespace whose mounts do not leak out, and a host name of its own. */
export const NAMESPACE_ARGUMENTS = [
  '--user',
  '--map-root-user',
  '--mount',
  '--uts',
  '--propagation',
  'private',
] as const;

/** A path as fstab(5) writes it. */
export function fstabPath(path: string): string {
  return path.replace(/[\\ \t\n#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** Mount options of overlayfs; `:` and `,` in paths are escaped as the kernel's parser wants them. */
export function overlayOptions(lower: readonly string[], upper?: string, work?: string): string {
  const escaped = (path: string): string => fstabPath(path.replace(/[\\:,]/g, '\\$&'));
  const parts = [`lowerdir=${lower.map(escaped).join(':')}`];
  if (upper !== undefined && work !== undefined) parts.push(`upperdir=${escaped(upper)}`, `workdir=${escaped(work)}`);
  return parts.join(',');
}
