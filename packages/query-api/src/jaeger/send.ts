import { ApiError } from '../http/api-error.ts';
import type { RequestContext } from '../http/router.ts';
import { sendJsonText } from '../http/send.ts';

const PRETTY_INDENT = 4;

/** Jaeger's frame around data (`structuredResponse` of jaegerquery/internal/http_handler.go); `prettyPrint` indents. */
export function sendStructured(
  { response, parameters }: Pick<RequestContext, 'response' | 'parameters'>,
  { data, total = 0 }: { readonly data: unknown; readonly total?: number },
): void {
  sendPretty({ response, parameters }, { data, total, limit: 0, offset: 0, errors: null });
}

export function sendPretty(
  { response, parameters }: Pick<RequestContext, 'response' | 'parameters'>,
  value: unknown,
): void {
  const pretty = parameters.get('prettyPrint') ?? '';
  sendJsonText(
    response,
    200,
    JSON.stringify(value, undefined, pretty === '' || pretty === 'false' ? 0 : PRETTY_INDENT),
  );
}

/** As `http.Error` of Go sends what is JSON in fact: as plain text, with a line's end. */
export function sendGoError(response: RequestContext['response'], status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': body.length,
  });
  response.end(body);
}

export function failStructured({ response }: Pick<RequestContext, 'response'>, error: unknown): void {
  const status = error instanceof ApiError ? error.status : 500;
  const msg = error instanceof Error ? error.message : String(error);
  sendGoError(response, status, { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg }] });
}
