import type { Socket } from 'node:net';
import type { HttpRole } from '../http/role.ts';
import { CompiledRouteTable } from '../http/route-table.ts';
import type { DownstreamTls } from '../http/stream.ts';
import { looksLikeTls, parseClientHello } from '../listener/client-hello.ts';
import type { Accept, TrackedConnection } from '../listener/net-listener.ts';
import { peek, SERVER_FIRST_MS, sniffHttp } from '../listener/peek.ts';
import type { OutboundListener } from '../snapshot/snapshot.ts';
import { pickTcpRoute, proxyTcp } from '../tcp/tcp-proxy.ts';
import { HttpAcceptor } from './accept-http.ts';
import type { WorkloadRuntime } from './workload.ts';

type Track = (connection: TrackedConnection) => () => void;

const NO_ROUTES = new CompiledRouteTable({ name: '', virtualHosts: [] });

/** Key by which a snapshot may hold the cluster for hosts outside the registry (Istio's name for it). */
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster';

/** What the application sends: HTTP by its routes, the rest by server name or as it comes. */
export class OutboundAcceptor {
  readonly #workload: WorkloadRuntime;
  readonly #http: HttpAcceptor;
  #config: OutboundListener;

  constructor(workload: WorkloadRuntime, config: OutboundListener) {
    this.#workload = workload;
    this.#config = config;
    this.#http = new HttpAcceptor(this.#role(), workload.clock);
  }

  update(config: OutboundListener): void {
    this.#config = config;
    const next = this.#role();
    const { role } = this.#http;
    if (next.routes !== role.routes || next.passthrough !== role.passthrough) this.#http.role = next;
  }

  #role(): HttpRole {
    const { config } = this.#workload;
    const { routes, port } = this.#config;
    const role: HttpRole = {
      direction: 'outbound',
      proxy: this.#workload,
      port,
      service: undefined,
      routes: (routes === undefined ? undefined : this.#workload.tables.routes(routes)) ?? NO_ROUTES,
    };
    return config.outboundPolicy === 'ALLOW_ANY' ? { ...role, passthrough: PASSTHROUGH_CLUSTER } : role;
  }

  readonly accept: Accept = (socket, track) => {
    const { protocol, tcp } = this.#config;
    if (protocol === 'http' || protocol === 'http2' || protocol === 'grpc') {
      if (protocol === 'http' || tcp === undefined) {
        peek(socket, this.#workload.clock, undefined, sniffHttp, (kind) =>
          this.#http.accept(socket, kind === 'http2' ? 'http2' : 'http1', undefined, track),
        );
        return;
      }
    }
    if (protocol === 'tcp') {
      this.#tcp(socket, undefined, track);
      return;
    }
    peek(
      socket,
      this.#workload.clock,
      SERVER_FIRST_MS,
      (bytes, final) => {
        if (bytes.length > 0 && looksLikeTls(bytes)) {
          const hello = parseClientHello(bytes);
          if (hello === 'more') return final ? ({ kind: 'tcp', name: undefined } as const) : undefined;
          return { kind: 'tcp', name: hello?.serverName } as const;
        }
        const kind = this.#config.routes === undefined ? 'other' : sniffHttp(bytes, final);
        if (kind === undefined) return undefined;
        return kind === 'other' ? ({ kind: 'tcp', name: undefined } as const) : ({ kind } as const);
      },
      (decision) => {
        if (decision.kind === 'tcp') this.#tcp(socket, decision.name, track);
        else this.#http.accept(socket, decision.kind, undefined, track);
      },
    );
  };

  #tcp(socket: Socket, serverName: string | undefined, track: Track): void {
    const route = pickTcpRoute(this.#config.tcp ?? [], serverName);
    if (route === undefined) {
      socket.resetAndDestroy();
      return;
    }
    const tls: DownstreamTls | undefined =
      serverName === undefined
        ? undefined
        : {
            peerSpiffeId: undefined,
            peerSubject: undefined,
            peerFingerprint: undefined,
            localSpiffeId: undefined,
            serverName,
            alpn: undefined,
            mutual: false,
          };
    const { port } = this.#config;
    proxyTcp(
      { proxy: this.#workload, direction: 'outbound', port, localAddress: this.#workload.config.address },
      socket,
      tls,
      route,
      track,
    );
  }
}
