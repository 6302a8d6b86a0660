import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '@kind-e2e/base';
import { badRequest, internalError, resourceNotFound, StatusError } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import { authorizeRequest } from '../auth/authorize.ts';
import { impersonatedUser } from '../auth/impersonation.ts';
import { parseRequestInfo, type RequestInfo } from '../http/request-info.ts';
import { podStreamTarget } from './pod-streams.ts';
import { proxyTarget } from './proxy-target.ts';
import { passUpgrade, refuseUpgrade } from './upgrade.ts';

const STREAM_PATH = /\/(?:exec|attach|portforward|proxy)(?:[/?]|$)/;
const PROTOCOL = /^(?:spdy\/3\.1|websocket)$/i;

/** Whether a request's upgrade is for us; others are answered as if they asked for none. */
export function isStreamRequest(request: IncomingMessage): boolean {
  return STREAM_PATH.test(request.url ?? '') && PROTOCOL.test(request.headers.upgrade ?? '');
}

/** A request to turn its connection into streams: it is allowed or not, and then passed on. */
export function handleUpgrade(
  context: ApiContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  signal: AbortSignal,
): void {
  try {
    const url = request.url ?? '/';
    const at = url.indexOf('?');
    const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
    let info: RequestInfo;
    try {
      info = parseRequestInfo(request.method ?? 'GET', at < 0 ? url : url.slice(0, at), query);
    } catch {
      throw badRequest('the path is not percent-encoded UTF-8');
    }
    const user = impersonatedUser(context.authorizer, context.authenticator.authenticate(request), request);
    authorizeRequest(context.authorizer, user, info);
    const isCore = info.group === '' && info.version === 'v1';
    let target: ReturnType<typeof proxyTarget>;
    if (isCore && info.subresource === 'proxy' && ['pods', 'services', 'nodes'].includes(info.resource))
      target = proxyTarget(context, info, url);
    else if (isCore && info.resource === 'pods' && ['exec', 'attach', 'portforward'].includes(info.subresource))
      target = podStreamTarget(context, info, query);
    else throw resourceNotFound();
    passUpgrade(request, socket, head, target, signal);
  } catch (error) {
    if (!(error instanceof StatusError)) context.logger.error('upgrade failed', { error, url: request.url });
    refuseUpgrade(socket, error instanceof StatusError ? error.status : internalError(messageOf(error)).status);
  }
}
