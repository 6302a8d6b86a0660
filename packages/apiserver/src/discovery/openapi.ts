import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../api-context.ts';
import { sendText } from '../http/respond.ts';

/** `/openapi/v2` and `/openapi/v3`. */
export async function serveOpenApi(
  _context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  _query: URLSearchParams,
): Promise<boolean> {
  if (path === '/openapi/v2') {
    await sendText(request, response, '', {
      contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    });
    return true;
  }
  if (path === '/openapi/v3') {
    await sendText(request, response, '{"paths":{}}');
    return true;
  }
  return false;
}
