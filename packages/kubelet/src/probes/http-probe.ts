import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf, systemCodeOf } from '@kind-e2e/base';

export interface HttpProbeOptions {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly timeoutMs: number;
}

export interface ProbeOutcome {
  readonly ok: boolean;
  readonly message: string;
}

const MAX_BODY_BYTES = 10 * 1024;

/** One HTTP GET; 200 to 399 is healthy (kubernetes pkg/probe/http). */
export function probeHttp(options: HttpProbeOptions): Promise<ProbeOutcome> {
  const { host, port, timeoutMs } = options;
  const scheme = options.scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const path = options.path.startsWith('/') ? options.path : `/${options.path}`;
  const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*', Connection: 'close' };
  for (const { name, value } of options.headers) {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === name.toLowerCase()) delete headers[known];
    if (value !== '') headers[name] = value;
  }
  return new Promise((resolve) => {
    const request = (scheme === 'https' ? httpsRequest : httpRequest)(url, {
      agent: false,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(scheme === 'https' ? { rejectUnauthorized: false } : {}),
    });
    request.once('error', (error) => {
      const isLate = error.name === 'AbortError' || error.name === 'TimeoutError';
      const why = isLate
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : dialMessage(error, host, port);
      resolve({ ok: false, message: `Get "${url}": ${why}` });
    });
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) response.destroy();
      });
      response.on('error', () => undefined);
      const ok = status >= 200 && status < 400;
      resolve({ ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` });
    });
    request.end();
  });
}

/** Go's words for a connection that was not made. */
export function dialMessage(error: unknown, host: string, port: number): string {
  switch (systemCodeOf(error)) {
    case 'ECONNREFUSED':
      return `dial tcp ${host}:${port}: connect: connection refused`;
    case 'ECONNRESET':
      return `read tcp ${host}:${port}: read: connection reset by peer`;
    case 'EHOSTUNREACH':
      return `dial tcp ${host}:${port}: connect: no route to host`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${host}: no such host`;
    case 'HPE_INVALID_CONSTANT':
      return 'malformed HTTP response';
    default:
      return messageOf(error) === 'socket hang up' ? 'EOF' : messageOf(error);
  }
}
