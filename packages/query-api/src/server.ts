import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { LabError, type Logger, silentLogger, systemCodeOf } from '@kind-e2e/base';

/** Takes a request and gives true, or gives false to let the next one try. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export interface ListenAddress {
  readonly host: string;
  /** 0 asks the operating system for a free one. */
  readonly port: number;
}

export interface ServerOptions {
  readonly addresses: readonly ListenAddress[];
  /** Tried in order; a request that none takes is answered with 404. */
  readonly handlers: readonly RequestHandler[];
  readonly upgradeHandlers?: readonly UpgradeHandler[];
  readonly logger?: Logger;
}

export interface RunningServer extends AsyncDisposable {
  /** Where it listens, in the order of the addresses asked for. */
  readonly addresses: readonly ListenAddress[];
}

/** Serves the same handlers on several addresses. Fails, and leaves nothing open, where one of them is taken. */
export async function listen(options: ServerOptions): Promise<RunningServer> {
  const logger = options.logger ?? silentLogger;
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    const addresses: ListenAddress[] = [];
    for (const address of options.addresses) {
      const server = makeServer(options, logger);
      await listenOn(server, address);
      servers.push(server);
      addresses.push({ host: address.host, port: (server.address() as AddressInfo).port });
    }
    return { addresses, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function makeServer(options: ServerOptions, logger: Logger): Server {
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 120_000 }, (request, response) => {
    try {
      for (const handler of options.handlers) if (handler(request, response)) return;
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('404 page not found\n');
    } catch (error) {
      logger.error('a request handler failed', { url: request.url, error });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  server.on('upgrade', (request, socket, head) => {
    for (const handler of options.upgradeHandlers ?? []) if (handler(request, socket, head)) return;
    socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  return server;
}

function listenOn(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        systemCodeOf(error) === 'EADDRINUSE'
          ? new LabError(`${host}:${port} is taken by another process`, {
              code: 'PORT_TAKEN',
              side: 'user',
              remedy: 'Stop the other process, or choose another port.',
              cause: error,
            })
          : error,
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
