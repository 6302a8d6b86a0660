import { type FieldError, forbiddenValue, invalid, invalidValue } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { integerOf } from '../handlers/options.ts';
import { containerOf, kubeletTarget, nodeOf } from './kubelet-target.ts';
import { streamFromKubelet } from './pass-request.ts';
import { podOf } from './pod-streams.ts';

const PASSED = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

/** GET of `pods/…/log`: text from the kubelet, as it comes. */
export async function handleLog(call: ResourceRequest): Promise<void> {
  const { context, info, query, response } = call;
  const pod = podOf(context, info);
  checkLogOptions(query);
  const container = containerOf(pod, query.get('container') ?? '');
  const node = nodeOf(pod);
  if (node === '') {
    // A pod without a node has nothing to say yet (`LogLocation` gives no location).
    response.writeHead(204, { 'Cache-Control': 'no-cache, private' });
    response.end();
    return;
  }
  const params = new URLSearchParams();
  for (const name of PASSED) {
    const value = query.get(name);
    if (value !== null && value !== '') params.set(name, value);
  }
  const suffix = params.size > 0 ? `?${params}` : '';
  const path = `/containerLogs/${info.namespace}/${info.name}/${encodeURIComponent(container)}${suffix}`;
  await streamFromKubelet(response, kubeletTarget(context, node, path), call.signal);
}

/** `ValidatePodLogOptions`. */
function checkLogOptions(query: URLSearchParams): void {
  const errors: FieldError[] = [];
  const least = (name: string, min: number, message: string): void => {
    const value = integerOf(query, name);
    if (value !== undefined && !(value >= min)) errors.push(invalidValue(name, value, message));
  };
  least('tailLines', 0, 'must be greater than or equal to 0');
  least('limitBytes', 1, 'must be greater than 0');
  least('sinceSeconds', 1, 'must be greater than 0');
  const sinceTime = query.get('sinceTime');
  if (sinceTime !== null && sinceTime !== '' && Number.isNaN(Date.parse(sinceTime)))
    errors.push(invalidValue('sinceTime', sinceTime, 'must be RFC 3339'));
  if (integerOf(query, 'sinceSeconds') !== undefined && sinceTime !== null && sinceTime !== '')
    errors.push(forbiddenValue('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', errors);
}
