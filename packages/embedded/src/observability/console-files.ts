import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';

/** Where Vite's hashed files are served; the same as `base` of the console's Vite configuration. */
const ASSETS = '/console-assets';
/** Paths of the console's pages; they, and every GET below them that wants HTML, get the application. */
const PAGES = ['/', '/jaeger', '/grafana', '/kiali', '/prometheus', '/cluster', '/jenkins', '/explore'];

/** Serves the console from a folder that Vite built. Gives true where it took the request. */
export function createConsoleFiles(folder: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const page = readFileSync(join(folder, 'index.html'));
  const assets = sirv(folder, { etag: true, gzip: true, immutable: true, maxAge: 31_536_000 });
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith(`${ASSETS}/`)) {
      request.url = path.slice(ASSETS.length);
      assets(request, response, () => notFound(response, path));
      return true;
    }
    if (!isPage(path) || !wantsHtml(request, path)) return false;
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': page.length,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : page);
    return true;
  };
}

/** What a browser opens below a page's path is the page, but for the APIs that live there too. */
const API = /\/api(\/|$)|^\/jenkins\/(job|queue|computer)\//;

function isPage(path: string): boolean {
  if (API.test(path)) return false;
  return PAGES.some((page) => path === page || (page !== '/' && path.startsWith(`${page}/`)));
}

/** The printed URLs themselves are pages for whoever takes anything (curl); below them are endpoints of the APIs too. */
function wantsHtml(request: IncomingMessage, path: string): boolean {
  const accept = request.headers.accept ?? '*/*';
  return accept.includes('text/html') || (accept.includes('*/*') && PAGES.includes(path.replace(/(.)\/$/, '$1')));
}

function notFound(response: ServerResponse, path: string): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`there is no ${path}\n`);
}
