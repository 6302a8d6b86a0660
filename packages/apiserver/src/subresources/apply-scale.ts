import { applyPatch, badRequest, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { applyQuery, readConfiguration } from '../handlers/apply.ts';
import { operationOptions } from '../handlers/options.ts';
import { hasStatus } from '../operations/managed-fields.ts';
import { timestampOf } from '../operations/object-identity.ts';
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
  const { query, manager } = applyQuery(call);
  const scale = await readConfiguration(call);
  const schema = resource.behavior.schema();
  if (!schema) throw badRequest(`server-side apply is not supported for ${resource.definition.plural}`);
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
    const merged = applyPatch({
      schema,
      gvk: resource.definition,
      live: servedCopy(resource, current) as Json,
      applied: structuredClone(applied),
      manager,
      force: query.force ?? false,
      subresource: 'scale',
      now: timestampOf(context.clock.now()),
      hasStatus: hasStatus(resource),
      applyDefaults: (object) => resource.behavior.setDefaults(object as KubeObject),
    }) as KubeObject;
    return updateObject(context, resource, current, merged, {
      user: call.user,
      dryRun: query.dryRun,
      fieldManager: manager,
      warnings: call.warnings,
      isApplied: true,
      operationOptions: operationOptions('UpdateOptions', query),
      subresource: 'scale',
    });
  });
  return written.object;
}
