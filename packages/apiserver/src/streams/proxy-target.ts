import { badRequest, isRecord, notFound, serviceUnavailable } from '@kind-e2e/kube-api';
import { recordsIn } from '../admission/pod-parts.ts';
import type { ApiContext } from '../api-context.ts';
import type { RequestInfo } from '../http/request-info.ts';
import { sectionOf } from '../operations/object-identity.ts';
import { kubeletTarget, type StreamTarget } from './kubelet-target.ts';

interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port` or `scheme:name:port` (apimachinery `net.SplitSchemeNamePort`). */
function splitName(id: string): ProxyName {
  const parts = id.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { scheme: '', name: first, port: '' };
  if (parts.length === 2) return { scheme: '', name: first, port: second };
  if (parts.length === 3 && (first === 'http' || first === 'https' || first === ''))
    return { scheme: first, name: second, port: third };
  throw badRequest(`invalid proxy request "${id}"`);
}

/** Where `…/proxy` of a pod, service or node leads. `rawPath` is the request's path with its query. */
export function proxyTarget(context: ApiContext, info: RequestInfo, rawPath: string): StreamTarget {
  const at = rawPath.indexOf('/proxy', rawPath.indexOf(`/${info.resource}/`) + info.resource.length + 2);
  const rest = rawPath.slice(at + '/proxy'.length);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  switch (info.resource) {
    case 'nodes':
      return kubeletTarget(context, splitName(info.name).name, path);
    case 'pods':
      return podTarget(context, info, path);
    default:
      return serviceTarget(context, info, path);
  }
}

function podTarget(context: ApiContext, info: RequestInfo, path: string): StreamTarget {
  const { scheme, name, port } = splitName(info.name);
  const record = context.store.collection('pods').get(info.namespace, name);
  if (!record) throw notFound({ group: '', resource: 'pods' }, name);
  const { podIP } = sectionOf(record.object, 'status');
  if (typeof podIP !== 'string' || podIP === '') throw badRequest('address not allowed');
  const ports = recordsIn(sectionOf(record.object, 'spec'), 'containers').flatMap((container) =>
    recordsIn(container, 'ports'),
  );
  const number =
    port === ''
      ? Number(ports[0]?.containerPort ?? 80)
      : /^\d+$/.test(port)
        ? Number(port)
        : Number(ports.find((one) => one.name === port)?.containerPort);
  return targetOf(podIP, number, scheme, path, info.name);
}

function serviceTarget(context: ApiContext, info: RequestInfo, path: string): StreamTarget {
  const { scheme, name, port } = splitName(info.name);
  const record = context.store.collection('services').get(info.namespace, name);
  if (!record) throw notFound({ group: '', resource: 'services' }, name);
  const ports = recordsIn(sectionOf(record.object, 'spec'), 'ports');
  const wanted =
    port === '' && ports.length === 1 ? ports[0] : ports.find((one) => one.name === port || String(one.port) === port);
  if (!wanted) throw serviceUnavailable(`no service port "${port}" found for service "${name}"`);
  for (const slice of context.store.collection('discovery.k8s.io/endpointslices').records(info.namespace)) {
    if (slice.labels['kubernetes.io/service-name'] !== name) continue;
    const fields = slice.object as Record<string, unknown>;
    const slicePort = recordsIn(fields, 'ports').find((one) => (one.name ?? '') === (wanted.name ?? ''));
    const ready = recordsIn(fields, 'endpoints').find(
      ({ conditions }) => !isRecord(conditions) || conditions.ready !== false,
    );
    const address = Array.isArray(ready?.addresses) ? ready.addresses[0] : undefined;
    if (typeof address === 'string' && typeof slicePort?.port === 'number')
      return targetOf(address, slicePort.port, scheme, path, info.name);
  }
  throw serviceUnavailable(`no endpoints available for service "${name}"`);
}

function targetOf(host: string, port: number, scheme: string, path: string, id: string): StreamTarget {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest(`invalid port in proxy request "${id}"`);
  return { host, port, isTls: scheme === 'https', path, headers: {} };
}
