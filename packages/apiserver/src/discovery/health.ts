import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import { metricsText } from './metrics.ts';

const TEXT = 'text/plain; charset=utf-8';
const CHECKS = ['ping', 'log', 'etcd', 'poststarthook/bootstrap', 'poststarthook/crd-informer-synced'];

/** `/healthz`, `/livez`, `/readyz` (also one check of them, and `verbose`) and `/metrics`; false for other paths. */
export async function serveHealth(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<boolean> {
  if (path === '/metrics') {
    await sendText(request, response, metricsText(context), {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    });
    return true;
  }
  const match = /^\/(healthz|livez|readyz)(?:\/(.+?))?\/?$/.exec(path);
  const name = match?.[1];
  if (name === undefined) return false;
  const check = match?.[2];
  if (check !== undefined && !CHECKS.includes(check)) return false;
  const body = query.has('verbose') && check === undefined ? verbose(name, query.getAll('exclude')) : 'ok';
  await sendText(request, response, body, { contentType: TEXT, headers: { 'X-Content-Type-Options': 'nosniff' } });
  return true;
}

/** `handleRootHealth` */
function verbose(name: string, exclude: readonly string[]): string {
  const lines = CHECKS.map((check) => `[+]${check}${exclude.includes(check) ? ' excluded:' : ''} ok\n`);
  const unknown = exclude.filter((one) => !CHECKS.includes(one)).map((one) => JSON.stringify(one));
  if (unknown.length > 0)
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(', ')}\n`);
  return `${lines.join('')}${name} check passed\n`;
}
