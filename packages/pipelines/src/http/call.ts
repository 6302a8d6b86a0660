import type { IncomingMessage, ServerResponse } from 'node:http';
import { LabError } from '@kind-e2e/base';
import type { Pipelines } from '../controller/pipelines.ts';
import { filterByTree } from './tree.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A request to Jenkins' REST API, with what answers it. */
export interface Call {
  readonly pipelines: Pipelines;
  readonly url: URL;
  readonly path: string;
  readonly base: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export const isPost = (call: Call): boolean => call.request.method === 'POST';

export function methodNotAllowed(response: ServerResponse): void {
  response.writeHead(405, { allow: 'POST', 'content-type': 'text/plain' }).end('Form post required\n');
}

export function notFound(call: Call): void {
  sendFailure(call.response, 404, `nothing is at ${call.path}`);
}

/** Jenkins says in `X-Error` what is wrong; its clients read it there (hudson.model.Failure). */
export function sendFailure(response: ServerResponse, status: number, message: string, remedy?: string): void {
  response.setHeader('x-error', message.replace(/[^\x20-\x7e]+/g, ' '));
  sendJson(response, status, { message, remedy });
}

/** An answer of `…/api/json`: the part that `tree` asks for, in lines where `pretty` asks for them. */
export function sendView(call: Call, view: unknown): void {
  const { searchParams } = call.url;
  const tree = searchParams.get('tree');
  const shown = tree === null || tree === '' ? view : filterByTree(view, tree);
  const isPretty = searchParams.has('pretty') && searchParams.get('pretty') !== 'false';
  sendText(call.response, JSON.stringify(shown, undefined, isPretty ? 2 : undefined), 'application/json');
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, JSON.stringify(body), 'application/json', status);
}

export function sendText(response: ServerResponse, text: string, type: string, status = 200): void {
  response
    .writeHead(status, { 'content-type': `${type};charset=utf-8`, 'content-length': Buffer.byteLength(text) })
    .end(text);
}

export async function readBody(call: Call): Promise<string> {
  return (await readBytes(call)).toString('utf8');
}

export async function readBytes(call: Call): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of call.request) {
    size += (part as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw new LabError('the body is larger than 4 MB', { code: 'BODY_TOO_LARGE', side: 'user' });
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

/** Parameters of the query, of a form, or of JSON. */
export async function readForm(call: Call): Promise<Record<string, string>> {
  const body = await readBody(call);
  const type = call.request.headers['content-type'] ?? '';
  const query = Object.fromEntries(call.url.searchParams);
  if (type.includes('json') && body !== '') {
    const given = JSON.parse(body) as Record<string, unknown>;
    return { ...query, ...Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)])) };
  }
  const { json, ...fields } = Object.fromEntries(new URLSearchParams(body));
  return { ...query, ...fields, ...(json === undefined ? {} : parametersOfForm(json)) };
}

/** Jenkins' own forms, and scripts that imitate them, send `json={"parameter":[{"name":"A","value":"b"}]}`. */
function parametersOfForm(json: string): Record<string, string> {
  try {
    const given = JSON.parse(json) as { parameter?: FormParameter | readonly FormParameter[] };
    const list = given.parameter === undefined ? [] : [given.parameter].flat();
    return Object.fromEntries(list.map(({ name, value }) => [String(name), String(value ?? '')]));
  } catch (error) {
    throw new LabError(`json of the form is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'FORM_JSON',
      side: 'user',
      remedy: 'send json={"parameter":[{"name":"…","value":"…"}]}',
      cause: error,
    });
  }
}

interface FormParameter {
  readonly name: unknown;
  readonly value: unknown;
}
