import { createServer, type Server, type Socket } from 'node:net';
import { Backoff, type Clock, type Logger, systemCodeOf } from '@kind-e2e/base';

/** A connection that can be asked to end. */
export interface TrackedConnection {
  /** Ends as soon as what runs is done. */
  drain(): void;
  destroy(): void;
  /** Called about once a second. */
  sweep?(now: number): void;
}

export type Accept = (socket: Socket, track: (connection: TrackedConnection) => () => void) => void;

/** One listening address. What it does with connections can change while it listens. */
export class NetListener {
  readonly key: string;
  accept: Accept;
  readonly #address: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #reusePort: boolean;
  #server: Server | undefined;
  readonly #connections = new Set<TrackedConnection>();
  #closed = false;
  readonly #stop = new AbortController();
  /** Resolves when it listens, or was closed before. */
  readonly listening: Promise<void>;

  constructor(options: {
    address: string;
    port: number;
    accept: Accept;
    clock: Clock;
    logger: Logger;
    reusePort: boolean;
  }) {
    this.#address = options.address;
    this.#port = options.port;
    this.key = `${options.address}:${options.port}`;
    this.accept = options.accept;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#reusePort = options.reusePort;
    this.listening = this.#listen();
  }

  get connections(): number {
    return this.#connections.size;
  }

  get isListening(): boolean {
    return this.#server?.listening === true;
  }

  /** The address may still be held by the process we replace: tried again until it is free. */
  async #listen(): Promise<void> {
    const backoff = new Backoff({ initialMs: 20, maxMs: 1000 });
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        this.#server = await bind(this.#address, this.#port, this.#reusePort, (socket) => this.#onConnection(socket));
        if (this.#closed) this.#server.close();
        return;
      } catch (error) {
        if (attempt === 1 || attempt % 20 === 0)
          this.#logger.warn('cannot listen, will be tried again', {
            address: this.key,
            code: systemCodeOf(error),
            attempt,
          });
        try {
          await this.#clock.sleep(backoff.next(), this.#stop.signal);
        } catch {
          return;
        }
      }
    }
  }

  #onConnection(socket: Socket): void {
    this.accept(socket, (connection) => {
      this.#connections.add(connection);
      if (this.#closed) connection.drain();
      return () => this.#connections.delete(connection);
    });
  }

  sweep(now: number): void {
    for (const connection of this.#connections) connection.sweep?.(now);
  }

  /** Takes no more connections; those that are here end after what they do. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop.abort();
    this.#server?.close();
    for (const connection of [...this.#connections]) connection.drain();
  }

  destroyConnections(): void {
    for (const connection of [...this.#connections]) connection.destroy();
  }
}

function bind(
  address: string,
  port: number,
  reusePort: boolean,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    server.once('error', reject);
    server.listen({ host: address, port, reusePort, backlog: 1024 }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}
