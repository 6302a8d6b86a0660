import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isStatusError } from '@kind-e2e/kube-api';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from 'kubernetes-types/core/v1.d.ts';
import { writeAtomically } from './atomic-writer.ts';
import type { ObjectReader } from './object-reader.ts';
import { type ProjectionContext, projectFiles } from './projection.ts';

/** A volume cannot be made ready; the event FailedMount carries the message. */
export class VolumeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VolumeError';
  }
}

export interface PodVolumesOptions extends Omit<ProjectionContext, 'pod' | 'volumeName'> {
  readonly dataDir: string;
  /** Folder of the pod. */
  readonly podFolder: string;
  readonly client: KubeClient;
  readonly objects: ObjectReader;
}

export interface PreparedVolume {
  readonly path: string;
  readonly readOnly: boolean;
}

/** Whether the content of a volume follows objects of the API and must be looked at again and again. */
export function isLiveVolume(volume: Volume): boolean {
  return Boolean(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);
}

/** Makes one volume of a pod ready, or brings its content up to date. Throws VolumeError. */
export async function prepareVolume(pod: Pod, volume: Volume, options: PodVolumesOptions): Promise<PreparedVolume> {
  const folder = (plugin: string): string => join(options.podFolder, 'volumes', `kubernetes.io~${plugin}`, volume.name);
  if (isLiveVolume(volume)) {
    const plugin = volume.configMap
      ? 'configmap'
      : volume.secret
        ? 'secret'
        : volume.projected
          ? 'projected'
          : 'downward-api';
    const path = folder(plugin);
    await writeAtomically(path, await projectFiles(volume, { ...options, pod, volumeName: volume.name }));
    return { path, readOnly: false };
  }
  if (volume.hostPath) return hostPath(volume, options.dataDir);
  if (volume.persistentVolumeClaim)
    return claim(pod, volume.persistentVolumeClaim.claimName, volume.persistentVolumeClaim.readOnly ?? false, options);
  if (volume.ephemeral) return claim(pod, `${pod.metadata?.name}-${volume.name}`, false, options);
  if (volume.emptyDir || Object.keys(volume).length === 1) {
    const path = folder('empty-dir');
    await mkdir(path, { recursive: true, mode: 0o777 });
    return { path, readOnly: false };
  }
  const plugin = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw new VolumeError(
    `MountVolume.SetUp failed for volume "${volume.name}" : volume type "${plugin}" is not supported by the embedded engine`,
  );
}

/** `/var/log/pods` means the lab's own log folder (docs/contracts.md). */
async function hostPath(volume: Volume, dataDir: string): Promise<PreparedVolume> {
  const { path: wanted = '/', type = '' } = volume.hostPath ?? {};
  const logs = '/var/log/pods';
  const isLogs = wanted === logs || wanted.startsWith(`${logs}/`);
  const path = isLogs ? join(dataDir, 'log', 'pods', wanted.slice(logs.length)) : resolve(wanted);
  const fail = (why: string): VolumeError =>
    new VolumeError(
      `MountVolume.SetUp failed for volume "${volume.name}" : hostPath type check failed: ${path} ${why}`,
    );
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate') await writeFile(path, '', { flag: 'a' });
  const info = await stat(path).catch(() => undefined);
  if (type === 'Directory' && !info?.isDirectory()) throw fail('is not a directory');
  if (type === 'File' && !info?.isFile()) throw fail('is not a file');
  if (type === 'Socket' && !info?.isSocket()) throw fail('is not a socket file');
  if (type === 'CharDevice' && !info?.isCharacterDevice()) throw fail('is not a character device');
  if (type === 'BlockDevice' && !info?.isBlockDevice()) throw fail('is not a block device');
  // Docker and containerd make a folder where nothing is.
  if (!info) await mkdir(path, { recursive: true });
  return { path, readOnly: false };
}

/** The folder of the volume that the claim is bound to: `hostPath` or `local` of the PersistentVolume. */
async function claim(
  pod: Pod,
  claimName: string,
  readOnly: boolean,
  options: PodVolumesOptions,
): Promise<PreparedVolume> {
  const namespace = pod.metadata?.namespace ?? 'default';
  const fetched = await options.client
    .get<PersistentVolumeClaim>(RESOURCES.persistentvolumeclaims, claimName, namespace)
    .catch((error: unknown) => {
      if (isStatusError(error, 404))
        throw new VolumeError(
          `error processing PVC ${namespace}/${claimName}: failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`,
        );
      throw error;
    });
  const volumeName = fetched.spec?.volumeName;
  if (fetched.status?.phase !== 'Bound' || volumeName === undefined || volumeName === '')
    throw new VolumeError(`error processing PVC ${namespace}/${claimName}: PVC is not bound`);
  const volume = await options.client.get<PersistentVolume>(RESOURCES.persistentvolumes, volumeName);
  const host = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
  const path = host === undefined ? join(options.dataDir, 'volumes', volumeName) : resolve(host);
  await mkdir(path, { recursive: true, mode: 0o777 });
  return { path, readOnly };
}
