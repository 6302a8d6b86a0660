import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import type { NodeContext } from '../node/node-context.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { handleRequest } from './routes.ts';

export interface KubeletServerOptions {
  readonly context: NodeContext;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Bearer token that callers must show. */
  readonly token: string;
  readonly workers: () => ReadonlyMap<string, PodWorker>;
}

export interface KubeletServer extends AsyncDisposable {
  readonly port: number;
}

/** The kubelet's HTTPS API (kubernetes pkg/kubelet/server/server.go). */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const server = createServer({ cert: options.tls.certPem, key: options.tls.keyPem }, (request, response) => {
    void handleRequest(request, response, options);
  });
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = systemCodeOf(error) === 'EADDRINUSE';
      reject(
        isTaken
          ? new LabError(`port ${port} of ${host} is taken; the kubelet cannot listen on it`, {
              code: 'PORT_IN_USE',
              side: 'user',
              remedy: 'another lab may use the same address block: stop it, or choose another block',
              cause: error,
            })
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
