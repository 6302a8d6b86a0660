import type { KubeClient } from '@kind-e2e/kube-client';
import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  SecretProjection,
  ServiceAccountTokenProjection,
  Volume,
} from 'kubernetes-types/core/v1.d.ts';
import { type Allocatable, type PodAddresses, podField, resourceField } from '../env/pod-fields.ts';
import type { ProjectedFile } from './atomic-writer.ts';
import type { KeyedData, ObjectReader } from './object-reader.ts';
import { VolumeError } from './pod-volumes.ts';
import type { TokenCache } from './token-cache.ts';

export interface ProjectionContext {
  readonly pod: Pod;
  readonly volumeName: string;
  readonly client: KubeClient;
  readonly objects: ObjectReader;
  readonly tokens: TokenCache;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
}

const DEFAULT_MODE = 0o644;

/** The files of a configMap, secret, downwardAPI or projected volume, by path. Throws VolumeError. */
export async function projectFiles(volume: Volume, context: ProjectionContext): Promise<Map<string, ProjectedFile>> {
  const files = new Map<string, ProjectedFile>();
  if (volume.configMap) {
    const { name = '', items, optional, defaultMode } = volume.configMap;
    await addObject(files, context, 'configmap', { name, items, optional }, defaultMode ?? DEFAULT_MODE);
  } else if (volume.secret) {
    const { secretName = '', items, optional, defaultMode } = volume.secret;
    await addObject(files, context, 'secret', { name: secretName, items, optional }, defaultMode ?? DEFAULT_MODE);
  } else if (volume.downwardAPI)
    addDownward(files, context, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? DEFAULT_MODE);
  for (const source of volume.projected?.sources ?? []) {
    const mode = volume.projected?.defaultMode ?? DEFAULT_MODE;
    if (source.configMap) await addObject(files, context, 'configmap', source.configMap, mode);
    else if (source.secret) await addObject(files, context, 'secret', source.secret, mode);
    else if (source.downwardAPI) addDownward(files, context, source.downwardAPI.items ?? [], mode);
    else if (source.serviceAccountToken) await addToken(files, context, source.serviceAccountToken, mode);
    else
      throw failure(
        context,
        `projected source ${Object.keys(source).join(', ')} is not supported by the embedded engine`,
      );
  }
  return files;
}

function failure(context: ProjectionContext, reason: string): VolumeError {
  return new VolumeError(`MountVolume.SetUp failed for volume "${context.volumeName}" : ${reason}`);
}

async function addObject(
  files: Map<string, ProjectedFile>,
  context: ProjectionContext,
  kind: KeyedData['kind'],
  source: ConfigMapProjection | SecretProjection,
  mode: number,
): Promise<void> {
  const name = source.name ?? '';
  const namespace = context.pod.metadata?.namespace ?? 'default';
  const object = await context.objects.get(context.client, kind, namespace, name);
  if (!object) {
    if (source.optional) return;
    throw failure(context, `${kind} "${name}" not found`);
  }
  if (!source.items || source.items.length === 0) {
    for (const [key, content] of object.data) files.set(key, { content, mode });
    return;
  }
  for (const item of source.items as KeyToPath[]) {
    const content = object.data.get(item.key);
    if (content === undefined) {
      if (source.optional) continue;
      throw failure(context, `references non-existent ${kind === 'configmap' ? 'config' : 'secret'} key: ${item.key}`);
    }
    files.set(item.path, { content, mode: item.mode ?? mode });
  }
}

function addDownward(
  files: Map<string, ProjectedFile>,
  context: ProjectionContext,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
): void {
  const { pod } = context;
  for (const item of items) {
    let text: string | undefined;
    if (item.fieldRef) text = podField(pod, item.fieldRef.fieldPath, context.addresses);
    else if (item.resourceFieldRef) {
      const { containerName } = item.resourceFieldRef;
      const container = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find(
        (each) => each.name === containerName,
      );
      if (!container) throw failure(context, `container ${containerName} not found`);
      text = resourceField(container, item.resourceFieldRef, context.allocatable);
    }
    if (text === undefined) throw failure(context, `unsupported fieldPath: ${item.fieldRef?.fieldPath}`);
    files.set(item.path, { content: Buffer.from(text), mode: item.mode ?? mode });
  }
}

async function addToken(
  files: Map<string, ProjectedFile>,
  context: ProjectionContext,
  source: ServiceAccountTokenProjection,
  mode: number,
): Promise<void> {
  const token = await context.tokens.get(context.client, context.pod, source);
  files.set(source.path, { content: Buffer.from(token), mode });
}
