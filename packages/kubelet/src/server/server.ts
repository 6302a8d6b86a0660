import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import type { NodeContext } from '../node/node-context.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { StreamingServer } from '../streaming/upgrade.ts';
import { CallerAuthorizer } from './authorize.ts';
import { handleRequest } from './routes.ts';

export interface KubeletServerOptions {
  readonly context: NodeContext;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** The API server's bearer token; other callers are reviewed. */
  readonly token: string;
  readonly workers: () => ReadonlyMap<string, PodWorker>;
}

/** What the parts of the server work with. */
export interface KubeletServerContext extends KubeletServerOptions {
  readonly callers: CallerAuthorizer;
}

export interface KubeletServer extends AsyncDisposable {
  readonly port: number;
}

/** The kubelet's HTTPS API (kubernetes pkg/kubelet/server/server.go). */
export async function startKubeletServer(given: KubeletServerOptions): Promise<KubeletServer> {
  const { client, nodeName, clock } = given.context;
  const callers = new CallerAuthorizer({ client, nodeName, clock, token: given.token });
  const options: KubeletServerContext = { ...given, callers };
  const server = createServer({ cert: options.tls.certPem, key: options.tls.keyPem }, (request, response) => {
    void handleRequest(request, response, options);
  });
  // Connections that were upgraded are no longer the HTTP server's to close.
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const streams = new StreamingServer(options);
  server.on('upgrade', (request, socket, head) => streams.upgrade(request, socket, head));
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        streams.close();
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
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
