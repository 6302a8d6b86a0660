import { z } from 'zod';
import { getJson, request, withParams } from './http.ts';

/** The Kubernetes API behind the gateway; the server adds the console's identity. */
const BASE = '/api/kubernetes';

export interface Resource {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const resource = (group: string, version: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced,
});

export const RESOURCES = {
  nodes: resource('', 'v1', 'nodes', 'Node', false),
  namespaces: resource('', 'v1', 'namespaces', 'Namespace', false),
  pods: resource('', 'v1', 'pods', 'Pod'),
  services: resource('', 'v1', 'services', 'Service'),
  configmaps: resource('', 'v1', 'configmaps', 'ConfigMap'),
  secrets: resource('', 'v1', 'secrets', 'Secret'),
  events: resource('', 'v1', 'events', 'Event'),
  serviceaccounts: resource('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  deployments: resource('apps', 'v1', 'deployments', 'Deployment'),
  replicasets: resource('apps', 'v1', 'replicasets', 'ReplicaSet'),
  statefulsets: resource('apps', 'v1', 'statefulsets', 'StatefulSet'),
  daemonsets: resource('apps', 'v1', 'daemonsets', 'DaemonSet'),
  jobs: resource('batch', 'v1', 'jobs', 'Job'),
  cronjobs: resource('batch', 'v1', 'cronjobs', 'CronJob'),
  endpointslices: resource('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  horizontalpodautoscalers: resource('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  poddisruptionbudgets: resource('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  virtualservices: resource('networking.istio.io', 'v1', 'virtualservices', 'VirtualService'),
  destinationrules: resource('networking.istio.io', 'v1', 'destinationrules', 'DestinationRule'),
  gateways: resource('networking.istio.io', 'v1', 'gateways', 'Gateway'),
  serviceentries: resource('networking.istio.io', 'v1', 'serviceentries', 'ServiceEntry'),
  sidecars: resource('networking.istio.io', 'v1', 'sidecars', 'Sidecar'),
  peerauthentications: resource('security.istio.io', 'v1', 'peerauthentications', 'PeerAuthentication'),
  authorizationpolicies: resource('security.istio.io', 'v1', 'authorizationpolicies', 'AuthorizationPolicy'),
  requestauthentications: resource('security.istio.io', 'v1', 'requestauthentications', 'RequestAuthentication'),
  telemetries: resource('telemetry.istio.io', 'v1', 'telemetries', 'Telemetry'),
  podmetrics: resource('metrics.k8s.io', 'v1beta1', 'pods', 'PodMetrics'),
  nodemetrics: resource('metrics.k8s.io', 'v1beta1', 'nodes', 'NodeMetrics', false),
} as const satisfies Record<string, Resource>;

export type ResourceName = keyof typeof RESOURCES;

export const ISTIO_RESOURCES = [
  'gateways',
  'virtualservices',
  'destinationrules',
  'serviceentries',
  'sidecars',
  'peerauthentications',
  'authorizationpolicies',
  'requestauthentications',
  'telemetries',
] as const satisfies readonly ResourceName[];

const strings = z.record(z.string(), z.string()).nullish();
const ownerReference = z.looseObject({ kind: z.string(), name: z.string(), uid: z.string().optional() });

const kubeObject = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: z.looseObject({
    name: z.string().optional().default(''),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    labels: strings,
    annotations: strings,
    ownerReferences: z.array(ownerReference).nullish(),
  }),
});
export type KubeObject = z.infer<typeof kubeObject>;

const kubeList = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional(),
  items: z.array(kubeObject).nullable(),
});

export function resourcePath(kind: Resource, namespace?: string, name?: string): string {
  const root = kind.group === '' ? `${BASE}/api/${kind.version}` : `${BASE}/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

export async function listObjects(
  kind: Resource,
  options: {
    namespace?: string | undefined;
    labels?: string | undefined;
    fields?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<{ items: KubeObject[]; resourceVersion: string }> {
  const body = await getJson(resourcePath(kind, options.namespace), kubeList, {
    params: { labelSelector: options.labels, fieldSelector: options.fields },
    signal: options.signal,
  });
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  const items = (body.items ?? []).map((item) => ({
    ...item,
    apiVersion: item.apiVersion ?? apiVersion,
    kind: item.kind ?? kind.kind,
  }));
  return { items, resourceVersion: body.metadata?.resourceVersion ?? '' };
}

export const getObject = (
  kind: Resource,
  namespace: string | undefined,
  name: string,
  signal?: AbortSignal,
): Promise<KubeObject> => getJson(resourcePath(kind, namespace, name), kubeObject, { signal });

export async function patchObject(
  kind: Resource,
  target: { namespace?: string | undefined; name: string; subresource?: string },
  patch: unknown,
): Promise<void> {
  const path = resourcePath(kind, target.namespace, target.name) + (target.subresource ? `/${target.subresource}` : '');
  await request(path, { method: 'PATCH', contentType: 'application/merge-patch+json', body: JSON.stringify(patch) });
}

/** Server-side apply: the object as given, field manager `kind-e2e-console`, conflicts forced (the user saw the YAML). */
export async function applyObject(kind: Resource, object: KubeObject, dryRun = false): Promise<void> {
  const path = resourcePath(kind, object.metadata.namespace, object.metadata.name);
  await request(path, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    params: { fieldManager: 'kind-e2e-console', force: true, dryRun: dryRun ? 'All' : undefined },
    body: JSON.stringify(object),
  });
}

export async function deleteObject(kind: Resource, namespace: string | undefined, name: string): Promise<void> {
  await request(resourcePath(kind, namespace, name), { method: 'DELETE' });
}

const watchEvent = z.object({ type: z.string(), object: z.looseObject({}) });
export type WatchEvent = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject };

/** Yields changes after `resourceVersion`; ends when the server ends the watch or asks for a new list. */
export async function* watchObjects(
  kind: Resource,
  options: { namespace?: string | undefined; resourceVersion: string; signal: AbortSignal },
): AsyncGenerator<WatchEvent> {
  const response = await request(resourcePath(kind, options.namespace), {
    params: { watch: true, resourceVersion: options.resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 300 },
    signal: options.signal,
  });
  if (!response.body) return;
  for await (const line of linesOf(response.body)) {
    const event = watchEvent.safeParse(JSON.parse(line));
    if (!event.success || event.data.type === 'ERROR') return;
    if (event.data.type === 'BOOKMARK') continue;
    const object = kubeObject.safeParse(event.data.object);
    if (object.success) yield { type: event.data.type as WatchEvent['type'], object: object.data };
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += value;
      let end = rest.indexOf('\n');
      while (end >= 0) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        if (line.trim() !== '') yield line;
        end = rest.indexOf('\n');
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A container's log as it is now; with `follow` the lines as they come. */
export async function* podLog(
  pod: { namespace: string; name: string; container?: string | undefined },
  options: { tail: number; previous?: boolean; follow?: boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  const response = await request(`${resourcePath(RESOURCES.pods, pod.namespace, pod.name)}/log`, {
    params: {
      container: pod.container,
      tailLines: options.tail,
      previous: options.previous ? true : undefined,
      follow: options.follow ? true : undefined,
      timestamps: true,
    },
    accept: '*/*',
    signal: options.signal,
  });
  if (response.body) yield* linesOf(response.body);
}

/** The address of a shell in a container: WebSocket, subprotocol `v5.channel.k8s.io`. */
export function execUrl(
  pod: { namespace: string; name: string; container: string },
  command: readonly string[],
): string {
  const path = withParams(`${resourcePath(RESOURCES.pods, pod.namespace, pod.name)}/exec`, {
    container: pod.container,
    stdin: true,
    stdout: true,
    stderr: true,
    tty: true,
    command,
  });
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
