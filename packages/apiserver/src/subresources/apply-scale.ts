import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { applyQuery, applySchema, mergeApplied, readConfiguration } from '../handlers/apply.ts';
import { writeOptions } from '../handlers/options.ts';
import { currentRecord, guaranteedUpdate, servedCopy, updateObject } from '../operations/update.ts';
import { writePath } from './json-path.ts';

type Json = Record<string, unknown>;

/**
 * A Scale that is applied: its manager applies the replicas of the object behind it, and nothing else
 * (`managedfields.ScaleHandler`). Gives the object.
 */
export async function applyScale(
  call: ResourceRequest,
  replicasPath: readonly string[],
  replicasOf: (applied: Json) => number | undefined,
): Promise<KubeObject> {
  const { context, resource, info } = call;
  const query = applyQuery(call);
  const scale = await readConfiguration(call);
  const schema = applySchema(call);
  const replicas = replicasOf(scale);
  const metadata = isRecord(scale.metadata) ? scale.metadata : {};
  const version = typeof metadata.resourceVersion === 'string' ? { resourceVersion: metadata.resourceVersion } : {};
  const applied = {
    apiVersion: resource.apiVersion,
    kind: resource.definition.kind,
    metadata: { name: info.name, ...version },
  };
  if (replicas !== undefined) writePath(applied as KubeObject, replicasPath, replicas);
  const written = await guaranteedUpdate(() => {
    const current = currentRecord(context, resource, info.namespace, info.name);
    const merged = mergeApplied(call, query, schema, structuredClone(applied), servedCopy(resource, current));
    return updateObject(context, resource, current, merged, {
      ...writeOptions(call, 'UpdateOptions', query),
      isApplied: true,
      subresource: 'scale',
    });
  });
  return written.object;
}
