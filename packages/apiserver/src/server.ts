import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { messageOf, silentLogger, systemClock } from '@kind-e2e/base';
import { badRequest, internalError, StatusError } from '@kind-e2e/kube-api';
import { createAdmissionChain } from './admission/create-chain.ts';
import type { ApiContext } from './api-context.ts';
import { Authenticator, staticTokens } from './auth/authenticator.ts';
import { authorizeRequest } from './auth/authorize.ts';
import { impersonatedUser } from './auth/impersonation.ts';
import { RbacAuthorizer } from './auth/rbac-authorizer.ts';
import { DEFAULT_ISSUER, ServiceAccountTokens } from './auth/service-account-tokens.ts';
import { bootstrapObjects } from './bootstrap/bootstrap.ts';
import { CrdController } from './crd/crd-controller.ts';
import { serveDiscovery } from './discovery/discovery.ts';
import { RequestCounts } from './discovery/metrics.ts';
import { dispatchResource } from './dispatch.ts';
import { FairQueue } from './http/fair-queue.ts';
import { parseRequestInfo } from './http/request-info.ts';
import { sendStatus, sendText } from './http/respond.ts';
import type { ApiServer, ApiServerOptions } from './options.ts';
import { ResourceTable } from './resources/resource-table.ts';
import { addressText, parseIpRange } from './services/ip-range.ts';
import { ServiceAllocator } from './services/service-allocator.ts';
import { expireEvents } from './storage/event-expiry.ts';
import { openObjectStore } from './storage/open-store.ts';
import { handleUpgrade, isStreamRequest } from './streams/upgrade-requests.ts';

const NO_SEAT: Disposable = { [Symbol.dispose]: () => {} };

const DEFAULT_SERVICE_CIDR = '127.11.0.0/16';

function firstAddressOf(cidr: string): string {
  return addressText(parseIpRange(cidr).first + 1);
}

/** Starts an API server. It answers when the promise resolves. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const store = await openObjectStore(options.dataFile, clock, logger);
  const ending = new AbortController();
  const tokens = new ServiceAccountTokens({
    privatePem: options.serviceAccountKey?.privatePem,
    issuer: options.issuer ?? DEFAULT_ISSUER,
    store,
    clock,
  });
  const authenticator = new Authenticator([
    staticTokens(options.tokens ?? []),
    (token, audiences) => tokens.userOf(token, audiences),
  ]);
  const authorizer = new RbacAuthorizer(store);
  const serviceCidr = options.serviceCidr ?? DEFAULT_SERVICE_CIDR;
  const apiServiceAddress = options.apiServiceAddress ?? firstAddressOf(serviceCidr);
  const resources = new ResourceTable();
  const context: ApiContext = {
    store,
    resources,
    admission: createAdmissionChain(
      { store, resources, logger, authorizer },
      clock,
      options.mutators ?? [],
      options.validators ?? [],
    ),
    services: new ServiceAllocator(store, serviceCidr, [apiServiceAddress]),
    authenticator,
    authorizer,
    tokens,
    kubelets: options.kubelet ?? { token: '' },
    queue: new FairQueue(),
    requests: new RequestCounts(),
    clock,
    logger,
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const warnings: string[] = [];
    try {
      const [rawPath = '/', rawQuery = ''] = splitOnce(request.url ?? '/');
      const query = new URLSearchParams(rawQuery);
      let info: ReturnType<typeof parseRequestInfo>;
      try {
        info = parseRequestInfo(request.method ?? 'GET', rawPath, query);
      } catch {
        throw badRequest('the path is not percent-encoded UTF-8');
      }
      const user = impersonatedUser(authorizer, authenticator.authenticate(request), request);
      authorizeRequest(authorizer, user, info);
      // Watches and streams hold no seat: they wait, they do not work.
      const isLong = info.verb === 'watch' || info.subresource === 'log' || info.subresource === 'proxy';
      using seat = isLong ? NO_SEAT : await context.queue.enter(user.name);
      void seat;
      if (info.isResource)
        await dispatchResource(context, request, response, info, query, user, warnings, ending.signal);
      else if (!(await serveDiscovery(context, request, response, info.path, query)))
        await sendText(request, response, '404 page not found\n', {
          status: 404,
          contentType: 'text/plain; charset=utf-8',
        });
      context.requests.add(info.verb, info.group, info.resource, response.statusCode);
    } catch (error) {
      if (!(error instanceof StatusError))
        logger.error('request failed', { error, url: request.url, method: request.method });
      const status = error instanceof StatusError ? error.status : internalError(messageOf(error)).status;
      if (!response.headersSent) await sendStatus(request, response, status, warnings);
      else response.destroy();
    }
  };

  const server = createServer({
    cert: options.tls.certPem,
    key: options.tls.keyPem,
    ...(options.clientCaPem ? { ca: options.clientCaPem, requestCert: true, rejectUnauthorized: false } : {}),
    keepAliveTimeout: 120_000,
    headersTimeout: 30_000,
    requestTimeout: 0,
    maxHeaderSize: 64 * 1024,
    shouldUpgradeCallback: (request) => isStreamRequest(request),
  });
  server.on('upgrade', (request, socket, head) => handleUpgrade(context, request, socket, head, ending.signal));
  server.on('request', (request, response) => void handle(request, response));
  server.listen(options.listen.port, options.listen.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  new CrdController(context);
  await bootstrapObjects(context, { apiServiceAddress, host: options.listen.host, port });

  const eventExpiry = expireEvents(store, clock);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      ending.abort();
      eventExpiry[Symbol.dispose]();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, clock.sleep(1_000)]);
      server.closeAllConnections();
      await store[Symbol.asyncDispose]();
    })();
    return closing;
  };
  return {
    url: `https://${options.listen.host}:${port}`,
    port,
    get revision() {
      return store.durableRevision;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function splitOnce(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}
