import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, LabError, type Logger, systemCodeOf } from '@kind-e2e/base';
import { ContentStore } from '../store/content-store.ts';
import { collectGarbage, type GarbageOptions, type GarbageReport } from '../store/garbage.ts';
import { handleBlob, handleUpload, handleUploads, methodNotAllowed } from './blobs.ts';
import { RegistryError, sendError } from './errors.ts';
import { type Exchange, sendEmpty, sendJson } from './exchange.ts';
import { handleCatalog, handleReferrers, handleTags } from './listings.ts';
import { handleManifest } from './manifests.ts';
import { parseRoute } from './routes.ts';
import { UploadTable } from './uploads.ts';

export interface RegistryOptions {
  /** Where content is kept; made when it is not there. */
  readonly directory: string;
  /** Default host 127.0.0.1; port 0 takes a free one. */
  readonly listen: { readonly host?: string; readonly port: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A registry that speaks OCI distribution-spec 1.1 over plain HTTP: for loopback, without authentication. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:5001` */
  readonly address: string;
  readonly port: number;
  readonly store: ContentStore;
  collectGarbage(options?: GarbageOptions): Promise<GarbageReport>;
}

/** Starts a registry. Throws a LabError `PORT_IN_USE` when the port is taken. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const store = new ContentStore(options.directory);
  await store.open();
  const uploads = new UploadTable(store);
  const host = options.listen.host ?? '127.0.0.1';
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void serve(request, response, store, uploads, options.logger);
  });
  await listen(server, host, options.listen.port);
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: `${host}:${port}`,
    port,
    store,
    collectGarbage: (garbage) => collectGarbage(store, options.clock, garbage),
    [Symbol.asyncDispose]() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (systemCodeOf(error) !== 'EADDRINUSE') reject(error);
      else
        reject(
          new LabError(`port ${port} of ${host} is taken; the image registry cannot listen on it`, {
            code: 'PORT_IN_USE',
            side: 'user',
            remedy: 'stop the program that listens there, or choose another port for the registry',
            cause: error,
          }),
        );
    });
    server.listen(port, host, resolve);
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  store: ContentStore,
  uploads: UploadTable,
  logger: Logger,
): Promise<void> {
  const method = request.method ?? 'GET';
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  try {
    const url = URL.parse(request.url ?? '/', 'http://registry');
    if (!url) throw new RegistryError('NAME_INVALID', 'invalid request path');
    await dispatch(url.pathname, { request, response, query: url.searchParams, method, store, uploads });
  } catch (error) {
    if (error instanceof RegistryError) sendError(response, error, method === 'HEAD');
    else if (isBrokenConnection(error)) response.destroy();
    else {
      logger.error('registry request failed', { method, url: request.url, error });
      sendError(response, new RegistryError('UNKNOWN', 'internal error of the registry'), method === 'HEAD');
    }
  } finally {
    request.resume();
  }
}

async function dispatch(pathname: string, exchange: Exchange): Promise<void> {
  const route = parseRoute(pathname);
  if (!route) return sendEmpty(exchange, 404);
  switch (route.kind) {
    case 'base':
      if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET');
      return sendJson(exchange, {});
    case 'catalog':
      return handleCatalog(exchange);
    case 'blob':
      return handleBlob(exchange, route.repository, route.digest);
    case 'uploads':
      return handleUploads(exchange, route.repository);
    case 'upload':
      return handleUpload(exchange, route.repository, route.id);
    case 'manifest':
      return handleManifest(exchange, route.repository, route.reference);
    case 'tags':
      return handleTags(exchange, route.repository);
    case 'referrers':
      return handleReferrers(exchange, route.repository, route.digest);
  }
}

function isBrokenConnection(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
