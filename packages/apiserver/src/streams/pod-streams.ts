import { badRequest, type KubeObject, notFound } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import type { RequestInfo } from '../http/request-info.ts';
import { sectionOf } from '../operations/object-identity.ts';
import { containerOf, kubeletTarget, nodeOf, type StreamTarget } from './kubelet-target.ts';

const FLAGS = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;
const COMPLETED: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

export function podOf(context: ApiContext, info: RequestInfo): KubeObject {
  const record = context.store.collection('pods').get(info.namespace, info.name);
  if (!record) throw notFound({ group: '', resource: 'pods' }, info.name);
  return record.object;
}

/** Where exec, attach and portforward of a pod go (registry/core/pod `strategy.go`). */
export function podStreamTarget(context: ApiContext, info: RequestInfo, query: URLSearchParams): StreamTarget {
  const pod = podOf(context, info);
  const node = nodeOf(pod);
  const noHost = (): Error => badRequest(`pod ${info.name} does not have a host assigned`);
  if (info.subresource === 'portforward') {
    if (node === '') throw noHost();
    const ports = query.getAll('ports').flatMap((list) => list.split(','));
    const params = new URLSearchParams();
    for (const port of ports) params.append('port', port);
    const suffix = params.size > 0 ? `?${params}` : '';
    return kubeletTarget(context, node, `/portForward/${info.namespace}/${info.name}${suffix}`);
  }
  const container = containerOf(pod, query.get('container') ?? '');
  if (node === '') throw noHost();
  const { phase } = sectionOf(pod, 'status');
  if (typeof phase === 'string' && COMPLETED.has(phase) && info.subresource === 'exec')
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const isOn = (name: string): boolean => /^(1|true)$/i.test(query.get(name) ?? '');
  if (info.subresource === 'exec' && query.getAll('command').length === 0)
    throw badRequest('you must specify at least 1 command for the container');
  if (!isOn('stdin') && !isOn('stdout') && !isOn('stderr'))
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  const params = new URLSearchParams();
  for (const [name, kubeletName] of Object.entries(FLAGS)) if (isOn(name)) params.set(kubeletName, '1');
  for (const command of query.getAll('command')) params.append('command', command);
  return kubeletTarget(
    context,
    node,
    `/${info.subresource}/${info.namespace}/${info.name}/${encodeURIComponent(container)}?${params}`,
  );
}
