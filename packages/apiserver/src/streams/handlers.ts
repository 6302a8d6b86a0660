import { badRequest } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { passRequest } from './pass-request.ts';
import { podStreamTarget } from './pod-streams.ts';
import { proxyTarget } from './proxy-target.ts';

/** exec, attach and portforward without an upgrade: the target is checked, then the client is told what is missing. */
export async function handleStreamWithoutUpgrade(call: ResourceRequest): Promise<void> {
  podStreamTarget(call.context, call.info, call.query);
  throw badRequest('Upgrade request required');
}

/** Any method on `…/proxy`. */
export async function handleProxy(call: ResourceRequest): Promise<void> {
  const target = proxyTarget(call.context, call.info, call.request.url ?? '/');
  await passRequest(call.request, call.response, target, call.signal);
}
