import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { type Logger, messageOf, systemCodeOf } from '@kind-e2e/base';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { type ClusterZone, TTL_SECONDS, type ZoneRecord } from './zone.ts';

/** DNS response codes (RFC 1035, 4.1.1). */
const FORMERR = 1;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;

const MAX_UDP_BYTES = 512;
/** What we take and give over UDP with EDNS, below any MTU. */
const EDNS_UDP_BYTES = 1232;
const MAX_TCP_CONNECTIONS = 256;
const TCP_IDLE_MS = 10_000;
const UPSTREAM_TIMEOUT_MS = 2000;

export interface DnsServerOptions {
  readonly zone: ClusterZone;
  /** The address to listen on. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
  /** Looks up names outside the cluster. Default the system's resolver. */
  readonly upstream?: Upstream;
}

/** Asks for names outside the cluster; rejects with the codes of node:dns (`ENOTFOUND`, `ENODATA`, …). */
export interface Upstream {
  resolve(name: string, type: 'A' | 'AAAA'): Promise<readonly { readonly address: string; readonly ttl: number }[]>;
}

export interface DnsServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

interface Reply {
  readonly code: number;
  readonly answers: readonly Answer[];
  readonly additionals?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly isOurs: boolean;
}

/** Serves the cluster's names over UDP and TCP (RFC 1035, EDNS by RFC 6891); all others are asked of the upstream. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address, logger } = options;
  const answerer = new Answerer(options);
  const tcp = createServer((socket) => serveTcp(socket, answerer, logger));
  tcp.maxConnections = MAX_TCP_CONNECTIONS;
  const port = await listenTcp(tcp, options.port, address);
  const udp = createSocket('udp4');
  const sockets = new Set<TcpSocket>();
  tcp.on('connection', (socket: TcpSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  udp.on('message', (message, from) => void serveUdp(udp, message, from, answerer, logger));
  udp.on('error', (error) => logger.warn('the DNS socket failed', { error: messageOf(error) }));
  try {
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(port, address, () => {
        udp.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    tcp.close();
    throw error;
  }
  let done: Promise<void> | undefined;
  return {
    address,
    port,
    [Symbol.asyncDispose]() {
      done ??= (async () => {
        for (const socket of sockets) socket.destroy();
        await Promise.all([
          new Promise<void>((resolve) => udp.close(() => resolve())),
          new Promise<void>((resolve) => tcp.close(() => resolve())),
        ]);
      })();
      return done;
    },
  };
}

function listenTcp(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

async function serveUdp(
  udp: Socket,
  message: Buffer,
  from: RemoteInfo,
  answerer: Answerer,
  logger: Logger,
): Promise<void> {
  try {
    const reply = await answerer.answer(message, 'udp');
    if (reply) udp.send(reply, from.port, from.address, () => {});
  } catch (error) {
    logger.debug('a DNS question was not answered', { error: messageOf(error) });
  }
}

function serveTcp(socket: TcpSocket, answerer: Answerer, logger: Logger): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (pending.length < 2 + length) return;
      const message = pending.subarray(2, 2 + length);
      pending = pending.subarray(2 + length);
      answerer.answer(message, 'tcp').then(
        (reply) => {
          if (!reply || socket.destroyed) return;
          const size = Buffer.alloc(2);
          size.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([size, reply]));
        },
        (error: unknown) => logger.debug('a DNS question was not answered', { error: messageOf(error) }),
      );
    }
  });
}

class Answerer {
  readonly #zone: ClusterZone;
  readonly #upstream: Upstream;

  constructor(options: DnsServerOptions) {
    this.#zone = options.zone;
    this.#upstream = options.upstream ?? systemUpstream();
  }

  /** The bytes of the reply; undefined where the question deserves none. */
  async answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    let query: Packet & { opcode?: string };
    try {
      query = decode(message);
    } catch {
      if (message.length < 12) return undefined;
      return encode({ type: 'response', id: message.readUInt16BE(0), flags: FORMERR, questions: [] });
    }
    if (query.type === 'response') return undefined;
    const [question] = query.questions ?? [];
    const reply = await this.#reply(query, question);
    const opt = query.additionals?.find((record): record is OptAnswer => record.type === 'OPT');
    const limit =
      transport === 'tcp' ? 65_535 : Math.max(MAX_UDP_BYTES, Math.min(opt?.udpPayloadSize ?? 0, EDNS_UDP_BYTES));
    return this.#encode(query, reply, opt, limit);
  }

  async #reply(query: { readonly opcode?: string }, question: Question | undefined): Promise<Reply> {
    const nothing = { answers: [], isOurs: false };
    if (query.opcode !== undefined && query.opcode !== 'QUERY') return { ...nothing, code: NOTIMP };
    if (!question) return { ...nothing, code: FORMERR };
    if (question.class !== undefined && question.class !== 'IN') return { ...nothing, code: REFUSED };
    const found = this.#zone.answer(question.name, question.type);
    switch (found.kind) {
      case 'nxdomain':
        return { code: NXDOMAIN, answers: [], authorities: [this.#authority()], isOurs: true };
      case 'foreign':
        return await this.#foreign(question);
      case 'records': {
        const answers = found.records.map(toAnswer);
        const [first] = found.records;
        // A client that asks for addresses wants those of the name behind an alias as well.
        if (first?.type === 'CNAME' && (question.type === 'A' || question.type === 'AAAA'))
          answers.push(...(await this.#follow(first.target, question.type)));
        return {
          code: 0,
          answers,
          additionals: found.extra.map(toAnswer),
          ...(answers.length === 0 ? { authorities: [this.#authority()] } : {}),
          isOurs: true,
        };
      }
    }
  }

  async #follow(target: string, type: 'A' | 'AAAA'): Promise<readonly Answer[]> {
    const found = this.#zone.answer(target, type);
    if (found.kind === 'records') return found.records.map(toAnswer);
    if (found.kind === 'nxdomain') return [];
    return (await this.#foreign({ name: target, type })).answers;
  }

  async #foreign(question: Pick<Question, 'name' | 'type'>): Promise<Reply> {
    const { name, type } = question;
    if (type !== 'A' && type !== 'AAAA') return { code: REFUSED, answers: [], isOurs: false };
    try {
      const found = await this.#upstream.resolve(name, type);
      return {
        code: 0,
        answers: found.map(({ address, ttl }) => ({ name, type, ttl, class: 'IN', data: address })),
        isOurs: false,
      };
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'ENODATA') return { code: 0, answers: [], isOurs: false };
      return { code: code === 'ENOTFOUND' ? NXDOMAIN : SERVFAIL, answers: [], isOurs: false };
    }
  }

  /** How long "no such name" may be believed (RFC 2308). */
  #authority(): Answer {
    const { domain } = this.#zone;
    return {
      name: domain,
      type: 'SOA',
      ttl: TTL_SECONDS,
      class: 'IN',
      data: {
        mname: `ns.dns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial: 1,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: TTL_SECONDS,
      },
    };
  }

  #encode(query: Packet, reply: Reply, opt: OptAnswer | undefined, limit: number): Buffer {
    const flags =
      ((query.flags ?? 0) & RECURSION_DESIRED) |
      RECURSION_AVAILABLE |
      (reply.isOurs ? AUTHORITATIVE_ANSWER : 0) |
      reply.code;
    const ownOpt: OptAnswer[] = opt
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: EDNS_UDP_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [];
    const packet: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags,
      questions: query.questions ?? [],
      answers: [...reply.answers],
      authorities: [...(reply.authorities ?? [])],
      additionals: [...(reply.additionals ?? []), ...ownOpt],
    };
    const bytes = encode(packet);
    if (bytes.length <= limit) return bytes;
    const lean = encode({ ...packet, additionals: ownOpt });
    if (lean.length <= limit) return lean;
    return encode({ ...packet, flags: flags | TRUNCATED_RESPONSE, answers: [], authorities: [], additionals: ownOpt });
  }
}

function toAnswer(record: ZoneRecord): Answer {
  const common = { name: record.name, ttl: TTL_SECONDS, class: 'IN' as const };
  switch (record.type) {
    case 'A':
      return { ...common, type: 'A', data: record.address };
    case 'CNAME':
      return { ...common, type: 'CNAME', data: record.target };
    case 'PTR':
      return { ...common, type: 'PTR', data: record.target };
    case 'TXT':
      return { ...common, type: 'TXT', data: record.text };
    case 'SRV':
      return {
        ...common,
        type: 'SRV',
        data: { priority: 0, weight: record.share, port: record.port, target: record.target },
      };
  }
}

/** The resolver of the machine, with a short patience: a pod's look-up must not hang where there is no network. */
function systemUpstream(): Upstream {
  const resolver = new dns.Resolver({ timeout: UPSTREAM_TIMEOUT_MS, tries: 1 });
  return {
    resolve: (name, type) =>
      type === 'A' ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }),
  };
}
