import type { Exchange } from './exchange.ts';
import { normalizePath } from './path.ts';
import { redirectReply } from './redirect.ts';
import { clientAddress, prepareRequest } from './request-head.ts';
import * as respond from './respond.ts';

const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
const AUTHORITY = /^[-._~%!$&'()*+,;=:@[\]0-9A-Za-z]*$/;

/** What stands in front of routing: the form of the request, then who may ask. Gives the refusal, if it is refused. */
export function admit(exchange: Exchange): respond.LocalReply | undefined {
  const { role, head, stream } = exchange;
  if (head.method === 'CONNECT') return respond.noRoute;
  // HTTP/1 heads were checked by their parser; what HTTP/2 lets through must not get into an HTTP/1 request line.
  if (head.protocol === 'HTTP/2' && !(TARGET.test(head.path) && AUTHORITY.test(head.authority)))
    return respond.badPath('http2.invalid.header.field');
  exchange.span = prepareRequest(role, head, stream.connection);
  exchange.remoteAddress = clientAddress(role, head, stream.connection);
  const path = head.path === '*' ? '*' : normalizePath(head.path);
  if (path === undefined) return respond.badPath('path_normalization_failed');
  head.path = path;
  if (head.upgrade === 'h2c') head.upgrade = undefined;
  if (head.upgrade !== undefined && head.upgrade !== 'websocket') return respond.upgradeFailed;
  if (role.httpsRedirect && head.scheme === 'http')
    return redirectReply(exchange, { kind: 'redirect', status: 301, scheme: 'https' }, undefined);
  return role.direction === 'outbound' ? undefined : authorize(exchange);
}

function authorize(exchange: Exchange): respond.LocalReply | undefined {
  const { role, head, stream } = exchange;
  const { jwt, policies } = role.proxy;
  const verdict = jwt?.verify(head);
  if (verdict && 'denied' in verdict) return respond.jwtDenied(verdict.denied);
  if (policies.empty) return undefined;
  const denied = policies.check({
    head,
    connection: stream.connection,
    clientAddress: exchange.remoteAddress,
    port: role.port,
    claims: verdict?.claims,
  });
  return denied === undefined ? undefined : respond.rbacDenied(denied);
}
