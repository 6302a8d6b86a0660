import { isRecord, type KubeObject, StatusError } from '@kind-e2e/kube-api';
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
    const live = servedCopy(resource, current);
    const merged = inScaleWords(resource.apiVersion, replicasPath, () =>
      mergeApplied(call, query, schema, structuredClone(applied), live),
    );
    return updateObject(context, resource, current, merged, {
      ...writeOptions(call, 'UpdateOptions', query),
      isApplied: true,
      subresource: 'scale',
    });
  });
  return written.object;
}

/** Whoever applies a Scale is told of conflicts in a Scale. */
function inScaleWords<T>(apiVersion: string, replicasPath: readonly string[], apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'Conflict') throw error;
    const own = `.${replicasPath.join('.')}`;
    const told = (text: string): string =>
      text.replaceAll(` using ${apiVersion}`, ' using autoscaling/v1').replaceAll(own, '.spec.replicas');
    const { status } = error;
    const causes = (status.details?.causes ?? []).map((cause) => ({
      ...cause,
      ...(cause.message === undefined ? {} : { message: told(cause.message) }),
      ...(cause.field === undefined ? {} : { field: told(cause.field) }),
    }));
    throw new StatusError({ ...status, message: told(status.message ?? ''), details: { ...status.details, causes } });
  }
}
