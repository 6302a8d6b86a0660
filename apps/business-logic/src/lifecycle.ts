import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import type { Log } from './log.ts';

const IDLE_CHECK_MS = 50;
/** From the signal on a connection has this long to bring its first request. */
const SILENT_MS = 1_000;

/** Whether the process takes requests, and how it ends: it answers what it has begun, then goes. */
export class Lifecycle {
  #stopping = false;

  /** `GET /readyz`: 503 from the moment that the process was asked to end. */
  readonly ready: RequestHandler = (_request, response) => {
    response.status(this.#stopping ? 503 : 200).json({ status: this.#stopping ? 'stopping' : 'ready' });
  };

  /** `GET /healthz`. */
  readonly healthy: RequestHandler = (_request, response) => {
    response.json({ status: 'ok' });
  };

  /** Tells callers to leave a connection that is about to close. */
  readonly closeConnections: RequestHandler = (_request, response, next): void => {
    if (this.#stopping) response.set('connection', 'close');
    next();
  };

  /** On SIGTERM or SIGINT: no new connections, finish what runs, flush, exit 0. A second signal exits at once. */
  endOnSignal(server: Server, flush: () => Promise<void>, log: Log): void {
    const connections = new Set<Socket>();
    server.on('connection', (socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
    const end = (signal: NodeJS.Signals): void => {
      if (this.#stopping) process.exit(1);
      this.#stopping = true;
      log.info(`${signal} received, finishing open requests`);
      server.close(() => {
        flush()
          .catch((error: unknown) => log.error('spans could not be sent', error))
          .finally(() => process.exit(0));
      });
      // A connection whose answer was being sent just now is idle in a moment; its client may keep it for long.
      setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS).unref();
      // One that never said anything is not idle to Node, and proxies open some in advance.
      setInterval(() => {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
      }, SILENT_MS).unref();
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
  }
}
