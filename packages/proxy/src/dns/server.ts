import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { Backoff, type Clock, DNS_PORT, type Logger, systemCodeOf } from '@kind-e2e/base';
import type { NameTable } from '../snapshot/snapshot.ts';
import {
  formatAnswer,
  formatError,
  parseQuestion,
  RCODE_FAILURE,
  RCODE_NAME,
  RCODE_OK,
  TYPE_A,
  TYPE_ANY,
  TYPE_SRV,
} from './message.ts';
import { type Asker, resolveName } from './resolve.ts';

export interface DnsServerOptions {
  readonly address: string;
  /** Default 15053. */
  readonly port?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly names: () => NameTable;
  readonly asker: () => Asker;
  /** `address` or `address:port` of servers for names outside the cluster. Default: the system's. */
  readonly upstreams?: readonly string[];
}

/** Short, as a name's address may change with the next snapshot. */
const TTL_SECONDS = 5;
const UPSTREAM_TIMEOUT_MS = 3_000;

/** A sidecar's DNS, over UDP and TCP: names of the mesh itself, all else from the system's servers. */
export class DnsServer implements AsyncDisposable {
  readonly #options: DnsServerOptions;
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly listening: Promise<void>;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.listening = this.#listen();
  }

  async #listen(): Promise<void> {
    const { address, clock, logger } = this.#options;
    const port = this.#options.port ?? DNS_PORT;
    const backoff = new Backoff({ initialMs: 20, maxMs: 1000 });
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        this.#udp ??= await bindUdp(address, port, (message, reply) => void this.#answer(message, true).then(reply));
        this.#tcp ??= await bindTcp(address, port, (socket) => this.#serveTcp(socket));
        return;
      } catch (error) {
        if (attempt === 1)
          logger.warn('cannot answer DNS yet, will be tried again', { address, port, code: systemCodeOf(error) });
        await clock.sleep(backoff.next(), this.#stop.signal).catch(() => {});
      }
    }
  }

  async #answer(message: Buffer, udp: boolean): Promise<Buffer | undefined> {
    const question = parseQuestion(message);
    if (question === undefined) return undefined;
    if ('rcode' in question) return formatError(question.id, question.rcode);
    const kind =
      question.type === TYPE_A || question.type === TYPE_ANY ? 'A' : question.type === TYPE_SRV ? 'SRV' : 'other';
    const found = resolveName(this.#options.names(), this.#options.asker(), question.name, kind);
    if (found) return formatAnswer(question, found.found ? RCODE_OK : RCODE_NAME, found.answers, TTL_SECONDS, udp);
    return (await this.#forward(message)) ?? formatAnswer(question, RCODE_FAILURE, [], 0, udp);
  }

  /** Passes the query on as it is. */
  async #forward(message: Buffer): Promise<Buffer | undefined> {
    for (const upstream of this.#options.upstreams ?? getServers()) {
      const [, host = upstream, port] = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(upstream) ?? [];
      const isV6 = host.includes(':');
      const socket = createSocket(isV6 ? 'udp6' : 'udp4');
      try {
        const answer = await new Promise<Buffer | undefined>((resolve) => {
          const timer = this.#options.clock.after(UPSTREAM_TIMEOUT_MS, () => resolve(undefined));
          const settle = (value: Buffer | undefined): void => {
            timer[Symbol.dispose]();
            resolve(value);
          };
          socket.on('error', () => settle(undefined));
          socket.on('message', (bytes) => {
            if (bytes.length >= 12 && bytes.readUInt16BE(0) === message.readUInt16BE(0)) settle(bytes);
          });
          socket.send(message, Number(port ?? 53), host, (error) => {
            if (error) settle(undefined);
          });
        });
        if (answer) return answer;
      } finally {
        socket.close();
      }
    }
    return undefined;
  }

  #serveTcp(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let buffered = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        const size = buffered.readUInt16BE(0);
        const message = buffered.subarray(2, 2 + size);
        buffered = buffered.subarray(2 + size);
        void this.#answer(message, false).then((answer) => {
          if (answer === undefined || socket.destroyed) return;
          const head = Buffer.alloc(2);
          head.writeUInt16BE(answer.length, 0);
          socket.write(Buffer.concat([head, answer]));
        });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.listening;
    for (const socket of this.#sockets) socket.destroy();
    this.#udp?.close();
    this.#udp = undefined;
    this.#tcp?.close();
    this.#tcp = undefined;
  }
}

function bindUdp(
  address: string,
  port: number,
  onMessage: (message: Buffer, reply: (answer: Buffer | undefined) => void) => void,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.on('message', (message, from) =>
      onMessage(message, (answer) => {
        if (answer) socket.send(answer, from.port, from.address, () => {});
      }),
    );
    socket.bind(port, address, () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function bindTcp(address: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection);
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}
