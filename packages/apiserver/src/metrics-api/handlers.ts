import { type KubeObject, notFound } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { parseListQuery } from '../handlers/options.ts';
import { createSelection } from '../handlers/selection.ts';
import { contentTypeOf, encodeBody } from '../handlers/send.ts';
import { sendText } from '../http/respond.ts';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { tableOf } from '../views/table.ts';
import { nodeSummary, type Usage } from './node-summary.ts';

const API_VERSION = 'metrics.k8s.io/v1beta1';
const WINDOW = '10s';

/** GET of metrics.k8s.io nodes and pods (metrics-server's part), made from the kubelets' summaries when asked. */
export async function handleMetrics(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const isNodes = resource.definition.plural === 'nodes';
  const base = context.resources.find('', 'v1', isNodes ? 'nodes' : 'pods') ?? resource;
  const options = parseListQuery(call.query, false);
  const selection = createSelection(base, info.namespace, info.name, options.labelSelector, options.fieldSelector);
  const records = context.store
    .collection(base.collection)
    .list(isNodes ? '' : info.namespace || undefined)
    .filter((record) => selection.matches(record));
  const items = isNodes ? await nodeMetrics(call, records) : await podMetrics(call, records);
  const [only] = items;
  if (info.name !== '' && !only)
    throw notFound({ group: 'metrics.k8s.io', resource: resource.definition.plural }, info.name);
  const body = info.name !== '' && only ? oneBody(call, only) : listBody(call, items);
  await sendText(call.request, call.response, await encodeBody(call.form, JSON.stringify(body)), {
    contentType: contentTypeOf(call.form),
  });
}

function oneBody(call: ResourceRequest, object: KubeObject): unknown {
  return call.form.form === 'Table' ? table(call, [object]) : object;
}

function listBody(call: ResourceRequest, items: readonly KubeObject[]): unknown {
  if (call.form.form === 'Table') return table(call, items);
  return { kind: call.resource.definition.listKind, apiVersion: API_VERSION, metadata: {}, items };
}

function table(call: ResourceRequest, items: readonly KubeObject[]): unknown {
  return tableOf(
    call.resource,
    items,
    { resourceVersion: '' },
    {
      include: call.include,
      version: call.form.viewVersion,
      nowMs: call.context.clock.now(),
    },
  );
}

async function nodeMetrics(call: ResourceRequest, nodes: readonly ObjectRecord[]): Promise<KubeObject[]> {
  const summaries = await Promise.all(nodes.map((node) => nodeSummary(call.context, node.name, call.signal)));
  return nodes.flatMap((node, index) => {
    const usage = summaries[index]?.node;
    if (!usage) return [];
    return [
      {
        kind: 'NodeMetrics',
        apiVersion: API_VERSION,
        metadata: metadataOf(call, node),
        timestamp: timeOf(call, usage),
        window: WINDOW,
        usage: amounts(usage),
      } as KubeObject,
    ];
  });
}

async function podMetrics(call: ResourceRequest, pods: readonly ObjectRecord[]): Promise<KubeObject[]> {
  const nodes = new Set(pods.map((pod) => String(sectionOf(pod.object, 'spec').nodeName ?? '')));
  nodes.delete('');
  const summaries = await Promise.all([...nodes].map((node) => nodeSummary(call.context, node, call.signal)));
  const byPod = new Map(
    summaries.flatMap((summary) => (summary?.pods ?? []).map((pod) => [`${pod.namespace}/${pod.name}`, pod] as const)),
  );
  return pods.flatMap((pod) => {
    const usage = byPod.get(`${pod.namespace}/${pod.name}`);
    const [first] = usage?.containers ?? [];
    if (!usage || !first) return [];
    return [
      {
        kind: 'PodMetrics',
        apiVersion: API_VERSION,
        metadata: metadataOf(call, pod),
        timestamp: timeOf(call, first),
        window: WINDOW,
        containers: usage.containers.map((container) => ({ name: container.name, usage: amounts(container) })),
      } as KubeObject,
    ];
  });
}

function metadataOf(call: ResourceRequest, record: ObjectRecord): KubeObject['metadata'] {
  return {
    name: record.name,
    ...(record.namespace === '' ? {} : { namespace: record.namespace }),
    creationTimestamp: timestampOf(call.context.clock.now()),
    ...(Object.keys(record.labels).length > 0 ? { labels: record.labels } : {}),
  };
}

function timeOf(call: ResourceRequest, usage: Usage): string {
  const ms = Date.parse(usage.time);
  return timestampOf(Number.isNaN(ms) ? call.context.clock.now() : ms);
}

function amounts(usage: Usage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(usage.cpuNanoCores)}n`, memory: `${Math.round(usage.memoryBytes / 1024)}Ki` };
}
