import type { Socket } from 'node:net';
import type { HttpRole } from '../http/role.ts';
import { CompiledRouteTable } from '../http/route-table.ts';
import type { DownstreamTls } from '../http/stream.ts';
import { looksLikeTls, parseClientHello } from '../listener/client-hello.ts';
import type { Accept, TrackedConnection } from '../listener/net-listener.ts';
import { peek, SERVER_FIRST_MS, sniffHttp } from '../listener/peek.ts';
import { bestByName } from '../listener/server-name.ts';
import { TlsServer } from '../listener/tls-server.ts';
import type { GatewayListener, GatewayTls } from '../snapshot/snapshot.ts';
import { pickTcpRoute, proxyTcp } from '../tcp/tcp-proxy.ts';
import { HttpAcceptor } from './accept-http.ts';
import type { WorkloadRuntime } from './workload.ts';

type Track = (connection: TrackedConnection) => () => void;

const NO_ROUTES = new CompiledRouteTable({ name: '', virtualHosts: [] });

/** A listener of a gateway: plain HTTP, HTTPS by server name, TLS passed through, or TCP. */
export class GatewayAcceptor {
  readonly #workload: WorkloadRuntime;
  readonly #http: HttpAcceptor;
  readonly #servers = new Map<string, TlsServer>();
  #config: GatewayListener;

  constructor(workload: WorkloadRuntime, config: GatewayListener) {
    this.#workload = workload;
    this.#config = config;
    this.#http = new HttpAcceptor(this.#role(), workload.clock);
  }

  update(config: GatewayListener): void {
    this.#config = config;
    const next = this.#role();
    const { role } = this.#http;
    if (
      next.routes !== role.routes ||
      next.port !== role.port ||
      next.httpsRedirect !== role.httpsRedirect ||
      next.trustedHops !== role.trustedHops
    )
      this.#http.role = next;
    const wanted = new Set((config.tls ?? []).map(keyOf));
    for (const key of this.#servers.keys()) if (!wanted.has(key)) this.#servers.delete(key);
  }

  #role(): HttpRole {
    const { routes, httpsRedirect, trustedHops } = this.#config;
    const port = this.#config.matchPort ?? this.#config.port;
    return {
      direction: 'gateway',
      proxy: this.#workload,
      port,
      service: undefined,
      routes: (routes === undefined ? undefined : this.#workload.tables.routes(routes)) ?? NO_ROUTES,
      httpsRedirect: httpsRedirect === true,
      trustedHops: trustedHops ?? 0,
    };
  }

  readonly accept: Accept = (socket, track) => {
    switch (this.#config.protocol) {
      case 'http':
        this.#speakHttp(socket, undefined, track);
        return;
      case 'tcp':
        this.#tcp(socket, undefined, track);
        return;
      case 'https':
      case 'tls':
        this.#acceptTls(socket, track);
    }
  };

  #speakHttp(socket: Socket, tls: DownstreamTls | undefined, track: Track): void {
    if (tls?.alpn !== undefined) {
      this.#http.accept(socket, tls.alpn === 'h2' ? 'http2' : 'http1', tls, track);
      return;
    }
    peek(socket, this.#workload.clock, undefined, sniffHttp, (kind) =>
      this.#http.accept(socket, kind === 'http2' ? 'http2' : 'http1', tls, track),
    );
  }

  #acceptTls(socket: Socket, track: Track): void {
    peek(
      socket,
      this.#workload.clock,
      15 * SERVER_FIRST_MS * 10,
      (bytes, final) => {
        if (bytes.length > 0 && !looksLikeTls(bytes)) return { entry: undefined, name: undefined };
        const hello = parseClientHello(bytes);
        if (hello === 'more') return final ? { entry: undefined, name: undefined } : undefined;
        const name = hello?.serverName;
        const entries = this.#config.tls ?? [];
        const entry =
          name === undefined
            ? (entries.find((e) => e.hosts.includes('*')) ?? entries[0])
            : bestByName(entries, (e) => e.hosts, name);
        return { entry: hello === undefined ? undefined : entry, name };
      },
      ({ entry, name }) => {
        if (entry === undefined) socket.destroy();
        else if (entry.mode === 'PASSTHROUGH') this.#tcp(socket, name, track);
        else this.#terminate(socket, entry, track);
      },
    );
  }

  #terminate(socket: Socket, entry: GatewayTls, track: Track): void {
    const identity = this.#workload.tables.identity(entry.identity);
    if (identity === undefined) {
      socket.destroy();
      return;
    }
    const settings = {
      identity,
      alpn: this.#config.protocol === 'https' ? ['h2', 'http/1.1'] : [],
      clientCertificate: entry.mode === 'MUTUAL' ? 'required' : entry.mode === 'OPTIONAL_MUTUAL' ? 'optional' : 'none',
      ...(entry.minVersion ? { minVersion: entry.minVersion } : {}),
      ...(entry.maxVersion ? { maxVersion: entry.maxVersion } : {}),
      ...(entry.cipherSuites?.length ? { ciphers: entry.cipherSuites.join(':') } : {}),
      ...(entry.subjectAltNames ? { clientNames: entry.subjectAltNames } : {}),
    } as const;
    const key = keyOf(entry);
    let server = this.#servers.get(key);
    if (server === undefined) {
      server = new TlsServer(settings);
      this.#servers.set(key, server);
    } else server.update(settings);
    server.handshake(socket, (secured, info) => {
      if (this.#config.protocol === 'https') this.#speakHttp(secured, info, track);
      else this.#tcp(secured, info.serverName, track, info);
    });
  }

  #tcp(socket: Socket, serverName: string | undefined, track: Track, info?: DownstreamTls): void {
    const route = pickTcpRoute(this.#config.tcp ?? [], serverName);
    if (route === undefined) {
      socket.destroy();
      return;
    }
    const { port } = this.#config;
    const { address } = this.#workload.config;
    proxyTcp({ proxy: this.#workload, direction: 'gateway', port, localAddress: address }, socket, info, route, track);
  }
}

function keyOf(entry: GatewayTls): string {
  return JSON.stringify(entry);
}
