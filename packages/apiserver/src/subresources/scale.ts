import {
  badRequest,
  formatLabelSelectorObject,
  invalid,
  invalidValue,
  isRecord,
  type KubeObject,
  notFound,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { parseWriteQuery, writeOptions } from '../handlers/options.ts';
import { APPLY_PATCH, patchDocument, readPatch } from '../handlers/patch.ts';
import { patchedText } from '../handlers/patched-text.ts';
import { sendObject } from '../handlers/send.ts';
import { readBody } from '../http/body.ts';
import { mediaTypeOf, parseDocument } from '../http/documents.ts';
import { groupResourceOf } from '../operations/object-identity.ts';
import { currentRecord, guaranteedUpdate, servedCopy, updateObject } from '../operations/update.ts';
import { applyScale } from './apply-scale.ts';
import { readPath, writePath } from './json-path.ts';

/** Where a kind keeps what a Scale shows. */
export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** A label selector as text (custom resources), or a selector object (our own kinds). */
  readonly selector: readonly string[] | undefined;
}

const BUILTIN_PATHS: ScalePaths = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

/** GET, PUT and PATCH of `…/scale`: the object seen as an autoscaling/v1 Scale. */
export async function handleScale(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const paths = resource.scalePaths ?? BUILTIN_PATHS;
  const current = currentRecord(context, resource, info.namespace, info.name);
  const object = servedCopy(resource, current);
  const scale = scaleOf(object, paths, resource.isCustom);
  if (!scale) throw notFound(groupResourceOf(resource), info.name);
  if (info.verb === 'get') {
    await sendObject(call, scale);
    return;
  }
  const isPatch = info.verb === 'patch';
  if (isPatch && mediaTypeOf(call.request.headers['content-type']) === APPLY_PATCH) {
    const applied = await applyScale(call, paths.specReplicas, (wanted) => {
      const wrong = replicasProblem(wanted);
      if (wrong !== undefined)
        throw badRequest(
          `failed to create typed patch object (${info.namespace}/${info.name}; autoscaling/v1, Kind=Scale): ${wrong}`,
        );
      const replicas = checkedReplicas(wanted, info.name);
      return isRecord(wanted.spec) && wanted.spec.replicas !== undefined ? replicas : undefined;
    });
    await sendObject(call, scaleOf(applied, paths, resource.isCustom) ?? scale);
    return;
  }
  const query = parseWriteQuery(
    call.query,
    isPatch ? 'PatchOptions' : 'UpdateOptions',
    call.request.headers['user-agent'] ?? '',
  );
  const patch = isPatch ? await readPatch(call) : undefined;
  const wanted = patch
    ? patchDocument(patch, scale, undefined)
    : await parseDocument(await readBody(call.request), call.request.headers['content-type'], 'Scale');
  const problem = replicasProblem(wanted);
  if (problem !== undefined)
    throw patch
      ? invalid({ group: '', kind: '' }, '', [invalidValue('patch', patchedText(wanted, patch.patch), problem)])
      : badRequest(`Scale in version "v1" cannot be handled as a Scale: ${problem}`);
  // The body took time to arrive: what it changes is what is there now.
  const written = await guaranteedUpdate(() => {
    const latest = currentRecord(context, resource, info.namespace, info.name);
    const next = servedCopy(resource, latest);
    const replicas = checkedReplicas(wanted, info.name);
    writePath(next, paths.specReplicas, replicas);
    const metadata = isRecord(wanted) && isRecord(wanted.metadata) ? wanted.metadata : {};
    const version = typeof metadata.resourceVersion === 'string' && !isPatch ? metadata.resourceVersion : undefined;
    next.metadata = { ...next.metadata, ...(version ? { resourceVersion: version } : {}) };
    return updateObject(context, resource, latest, next, {
      ...writeOptions(call, 'UpdateOptions', query),
      subresource: 'scale',
    });
  });
  await sendObject(call, scaleOf(written.object, paths, resource.isCustom) ?? scale);
}

/** What encoding/json says of replicas that are no int32. */
function replicasProblem(wanted: unknown): string | undefined {
  const replicas = isRecord(wanted) && isRecord(wanted.spec) ? (wanted.spec.replicas ?? 0) : 0;
  if (typeof replicas === 'number' && Number.isInteger(replicas)) return undefined;
  const word =
    typeof replicas === 'number' ? `number ${replicas}` : Array.isArray(replicas) ? 'array' : typeof replicas;
  return `json: cannot unmarshal ${word === 'boolean' ? 'bool' : word} into Go struct field ScaleSpec.spec.replicas of type int32`;
}

function checkedReplicas(wanted: unknown, name: string): number {
  if (!isRecord(wanted)) throw badRequest('the object provided is unrecognized (must be of type Scale)');
  if (typeof wanted.kind === 'string' && wanted.kind !== '' && wanted.kind !== 'Scale')
    throw badRequest(`expected input object type to be Scale, but ${wanted.kind}`);
  const metadata = isRecord(wanted.metadata) ? wanted.metadata : {};
  if (typeof metadata.name === 'string' && metadata.name !== '' && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  const spec = isRecord(wanted.spec) ? wanted.spec : {};
  const replicas = Number(spec.replicas ?? 0);
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  return replicas;
}

/** An autoscaling/v1 Scale as Go writes it: `replicas: 0` in the spec is left out. */
function scaleOf(object: KubeObject, paths: ScalePaths, isCustom: boolean): KubeObject | undefined {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const replicas = readPath(object, paths.specReplicas);
  if (isCustom && typeof replicas !== 'number') return undefined;
  const current = readPath(object, paths.statusReplicas);
  const selector = selectorText(object, paths, isCustom);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: typeof current === 'number' ? current : 0, ...(selector === '' ? {} : { selector }) },
  } as KubeObject;
}

function selectorText(object: KubeObject, paths: ScalePaths, isCustom: boolean): string {
  if (!paths.selector) return '';
  const selector = readPath(object, paths.selector);
  if (isCustom) return typeof selector === 'string' ? selector : '';
  if (!isRecord(selector)) return '';
  const isSelectorObject = 'matchLabels' in selector || 'matchExpressions' in selector;
  return formatLabelSelectorObject(isSelectorObject ? selector : { matchLabels: selector as Record<string, string> });
}
