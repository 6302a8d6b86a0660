import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { createFixtureApi, type FixtureApi } from './fixture-api.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export type RequestTaker = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface FixtureServer {
  readonly url: string;
  readonly api: FixtureApi;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves the built console as the lab does (assets under /console-assets/, the page for all other paths) with the fixture's APIs. */
export async function startFixtureServer(
  port = 0,
  /** Takes requests before the fixture does; says whether it took one. */
  before: RequestTaker = () => false,
): Promise<FixtureServer> {
  const dist = join(import.meta.dirname, '../dist');
  const api = createFixtureApi();
  const server: Server = createServer((request, response) => {
    if (before(request, response)) return;
    api.handle(request, response, () => {
      const path = new URL(request.url ?? '/', 'http://fixture').pathname;
      if (path.startsWith('/console-assets/')) {
        const file = join(dist, normalize(path.slice('/console-assets/'.length)));
        if (file.startsWith(dist) && existsSync(file) && statSync(file).isFile()) {
          response.writeHead(200, {
            'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
            'cache-control': 'public, max-age=31536000, immutable',
          });
          response.end(readFileSync(file));
          return;
        }
        response.writeHead(404).end('no such asset');
        return;
      }
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
        .end(readFileSync(join(dist, 'index.html')));
    });
  });
  api.upgrade(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    api,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
