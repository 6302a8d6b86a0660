import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemCodeOf } from '@kind-e2e/base';
import type { Reference } from '../image/reference.ts';

export interface RegistryClientOptions {
  /** Whether a registry host is asked over plain HTTP. Default: loopback hosts, as Docker does. */
  readonly isPlainHttp?: (registry: string) => boolean;
  readonly signal?: AbortSignal;
  /** Tokens that were asked for, by what they are for; the client fills it. Without it no registry gets a token. */
  readonly tokens?: Map<string, string>;
}

export interface RegistryRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
}

const MAX_REDIRECTS = 5;
const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_TOKEN_BYTES = 256 * 1024;

const agents = {
  'http:': new HttpAgent({ keepAlive: true, timeout: 5_000 }),
  'https:': new HttpsAgent({ keepAlive: true, timeout: 5_000 }),
};

export function isLoopbackRegistry(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '');
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host);
}

/** URL of a path below `/v2/<repository>/` of the reference's registry. */
export function registryUrl(reference: Reference, path: string, options: RegistryClientOptions): URL {
  const isPlain = options.isPlainHttp ?? isLoopbackRegistry;
  const host = reference.registry === 'docker.io' ? 'registry-1.docker.io' : reference.registry;
  return new URL(`${isPlain(reference.registry) ? 'http' : 'https'}://${host}/v2/${reference.repository}/${path}`);
}

/**
 * Sends one request and gives the answer with its body unread; follows redirects of GET and HEAD. A registry that asks
 * for a bearer token gets an anonymous one where `options.tokens` is there (distribution, "Token Authentication").
 */
export async function send(
  method: string,
  url: URL,
  init: RegistryRequest,
  options: RegistryClientOptions,
): Promise<IncomingMessage> {
  const scope = `${url.origin}${/^\/v2\/.+?(?=\/(?:manifests|blobs)\/)/.exec(url.pathname)?.[0] ?? ''}`;
  const withToken = (): RegistryRequest => {
    const token = options.tokens?.get(scope);
    return token === undefined ? init : { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } };
  };
  const response = await sendRedirected(method, url, withToken(), options);
  if (response.statusCode !== 401 || !options.tokens || init.body instanceof Readable) return response;
  const token = await anonymousToken(response, options);
  if (token === undefined) return response;
  response.resume();
  options.tokens.set(scope, token);
  return sendRedirected(method, url, withToken(), options);
}

/** The token that the challenge of a 401 leads to, or undefined where it leads to none. */
async function anonymousToken(response: IncomingMessage, options: RegistryClientOptions): Promise<string | undefined> {
  const challenge = response.headers['www-authenticate'] ?? '';
  if (!/^bearer /i.test(challenge)) return undefined;
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const realm = parameters.get('realm');
  if (realm === undefined || !/^https?:/.test(realm) || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  for (const name of ['service', 'scope']) {
    const value = parameters.get(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const answer = await sendRedirected('GET', url, {}, options);
  if (answer.statusCode !== 200) {
    answer.resume();
    return undefined;
  }
  const body = JSON.parse((await readAll(answer, MAX_TOKEN_BYTES)).toString('utf8')) as {
    token?: string;
    access_token?: string;
  };
  return body.token ?? body.access_token;
}

async function sendRedirected(
  method: string,
  url: URL,
  init: RegistryRequest,
  options: RegistryClientOptions,
  redirects = 0,
): Promise<IncomingMessage> {
  const response = await sendOnce(method, url, init, options);
  const location = response.headers.location;
  const status = response.statusCode ?? 0;
  if (status < 300 || status >= 400 || status === 304 || location === undefined || !/^(?:GET|HEAD)$/.test(method))
    return response;
  response.resume();
  if (redirects >= MAX_REDIRECTS) throw new Error(`${url} redirects more than ${MAX_REDIRECTS} times`);
  const target = new URL(location, url);
  // What is for the registry is not for another host: storage behind it refuses a request with two authorizations.
  const { Authorization, ...others } = init.headers ?? {};
  const next = target.origin === url.origin || Authorization === undefined ? init : { ...init, headers: others };
  return sendRedirected(method, target, next, options, redirects + 1);
}

function sendOnce(
  method: string,
  url: URL,
  init: RegistryRequest,
  options: RegistryClientOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const request = (isTls ? httpsRequest : httpRequest)(url, {
      method,
      agent: agents[isTls ? 'https:' : 'http:'],
      headers: { ...init.headers },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    request.once('response', resolve);
    request.once('error', (error) => {
      // A kept connection that the server closed meanwhile says nothing about the server (Node.js, request.reusedSocket).
      if (request.reusedSocket && systemCodeOf(error) === 'ECONNRESET' && !(init.body instanceof Readable))
        sendOnce(method, url, init, options).then(resolve, reject);
      else reject(error);
    });
    if (init.body instanceof Readable) pipeline(init.body, request).catch(reject);
    else request.end(init.body);
  });
}

/** Reads a whole body; throws when it is longer than `maxBytes`. */
export async function readAll(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What a registry said about a request that failed: codes and messages of its error body, or the status. */
export async function describeFailure(response: IncomingMessage): Promise<string> {
  const status = `${response.statusCode ?? 0} ${response.statusMessage ?? ''}`.trim();
  const text = await readAll(response, MAX_ERROR_BODY_BYTES).then(
    (body) => body.toString('utf8'),
    () => '',
  );
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string; detail?: unknown }[] };
    const said = (errors ?? []).map((error) => {
      const detail = error.detail === undefined ? '' : ` (${JSON.stringify(error.detail)})`;
      return `${error.code ?? 'UNKNOWN'}: ${error.message ?? ''}${detail}`;
    });
    if (said.length > 0) return `${status}: ${said.join('; ')}`;
  } catch {
    // Not the error form of the specification: the status has to do.
  }
  return status;
}
