import { request } from 'node:https';
import { createAuthority } from '@kind-e2e/pki';
import { type ApiServer, type ApiServerOptions, createApiServer } from '../src/index.ts';

export const ADMIN_TOKEN = 'admin-token';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly body: unknown;
}

export interface TestServer extends AsyncDisposable {
  readonly api: ApiServer;
  readonly caPem: string;
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

const authority = createAuthority({ commonName: 'kubernetes' });
const tls = authority.issue({
  subject: { commonName: 'kube-apiserver' },
  altNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
  use: 'server',
});

/** A server on a free port with one administrator. */
export async function startServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const api = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    tls: { ...tls, caPem: authority.certPem },
    tokens: [
      { token: ADMIN_TOKEN, user: 'kubernetes-admin', groups: ['system:masters'] },
      { token: 'controller-token', user: 'system:kube-controller-manager' },
      { token: 'nobody-token', user: 'nobody' },
    ],
    clientCaPem: authority.certPem,
    ...options,
  });
  return {
    api,
    caPem: authority.certPem,
    ask: (method, path, body, headers) => ask(api.url, method, path, body, headers),
    [Symbol.asyncDispose]: () => api.close(),
  };
}

export function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const content = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      {
        method,
        agent: false,
        rejectUnauthorized: false,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          accept: 'application/json',
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(content);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
