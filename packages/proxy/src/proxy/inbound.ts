import type { Socket } from 'node:net';
import type { HttpRole } from '../http/role.ts';
import { CompiledRouteTable } from '../http/route-table.ts';
import type { DownstreamTls } from '../http/stream.ts';
import { looksLikeTls, parseClientHello } from '../listener/client-hello.ts';
import type { Accept, TrackedConnection } from '../listener/net-listener.ts';
import { peek, SERVER_FIRST_MS, sniffHttp } from '../listener/peek.ts';
import { MESH_ALPN_HTTP1, MESH_ALPN_HTTP2, type TlsServer } from '../listener/tls-server.ts';
import type { InboundPort } from '../snapshot/snapshot.ts';
import { proxyTcp } from '../tcp/tcp-proxy.ts';
import { HttpAcceptor } from './accept-http.ts';
import { inboundKey, type WorkloadRuntime } from './workload.ts';

type Track = (connection: TrackedConnection) => () => void;

/** A port of a workload as others reach it: mutual TLS or plain as the mode allows, then HTTP or TCP to the application. */
export class InboundAcceptor {
  readonly #workload: WorkloadRuntime;
  readonly #meshTls: () => TlsServer | undefined;
  readonly #http: HttpAcceptor;
  #port: InboundPort;

  constructor(workload: WorkloadRuntime, port: InboundPort, meshTls: () => TlsServer | undefined) {
    this.#workload = workload;
    this.#port = port;
    this.#meshTls = meshTls;
    this.#http = new HttpAcceptor(roleOf(workload, port), workload.clock);
  }

  update(port: InboundPort): void {
    const changed = JSON.stringify(port) !== JSON.stringify(this.#port);
    this.#port = port;
    if (changed) this.#http.role = roleOf(this.#workload, port);
  }

  readonly accept: Accept = (socket, track) => {
    const { mtls, protocol } = this.#port;
    const server = this.#meshTls();
    if (mtls === 'DISABLE' || server === undefined) {
      if (mtls === 'STRICT') socket.destroy();
      else this.#plain(socket, undefined, track);
      return;
    }
    const mayBeServerFirst = protocol === 'tcp' || protocol === 'auto';
    peek(
      socket,
      this.#workload.clock,
      mtls === 'PERMISSIVE' && mayBeServerFirst ? SERVER_FIRST_MS : undefined,
      (bytes, final) => this.#decide(bytes, final),
      (decision) => {
        if (decision === 'mesh') server.handshake(socket, (secured, info) => this.#plain(secured, info, track));
        else if (decision === 'plain') this.#plain(socket, undefined, track);
        else socket.destroy();
      },
    );
  };

  /** TLS of the application's own (no ALPN of the mesh) is passed through where plain text may be. */
  #decide(bytes: Buffer, final: boolean): 'mesh' | 'plain' | 'refuse' | undefined {
    const strict = this.#port.mtls === 'STRICT';
    if (bytes.length === 0) return final ? (strict ? 'refuse' : 'plain') : undefined;
    if (!looksLikeTls(bytes)) return strict ? 'refuse' : 'plain';
    if (strict) return 'mesh';
    const hello = parseClientHello(bytes);
    if (hello === 'more') return final ? 'plain' : undefined;
    if (hello === undefined) return 'plain';
    const ofMesh = hello.alpn.some((name) => name.startsWith('istio'));
    return ofMesh || (this.#port.protocol !== 'tls' && this.#port.protocol !== 'tcp' && this.#port.protocol !== 'auto')
      ? 'mesh'
      : 'plain';
  }

  #plain(socket: Socket, tls: DownstreamTls | undefined, track: Track): void {
    const { protocol } = this.#port;
    if (tls?.alpn === MESH_ALPN_HTTP2 || tls?.alpn === 'h2') {
      this.#http.accept(socket, 'http2', tls, track);
      return;
    }
    if (protocol === 'tcp' || protocol === 'tls') {
      this.#tcp(socket, tls, track);
      return;
    }
    if (tls?.alpn === MESH_ALPN_HTTP1) {
      this.#http.accept(socket, 'http1', tls, track);
      return;
    }
    const { clock } = this.#workload;
    peek(socket, clock, protocol === 'auto' ? SERVER_FIRST_MS : undefined, sniffHttp, (kind) => {
      if (kind === 'other' && protocol === 'auto') this.#tcp(socket, tls, track);
      // What is no HTTP on an HTTP port gets its 400 from the parser.
      else this.#http.accept(socket, kind === 'http2' ? 'http2' : 'http1', tls, track);
    });
  }

  #tcp(socket: Socket, tls: DownstreamTls | undefined, track: Track): void {
    const { port, service } = this.#port;
    proxyTcp(
      { proxy: this.#workload, direction: 'inbound', port, localAddress: undefined },
      socket,
      tls,
      { destinations: [{ cluster: inboundKey(port), weight: 1 }], service },
      track,
    );
  }
}

function roleOf(workload: WorkloadRuntime, port: InboundPort): HttpRole {
  const servicePort = port.service.port ?? port.port;
  return {
    direction: 'inbound',
    proxy: workload,
    port: port.port,
    service: port.service,
    routes: new CompiledRouteTable({
      name: `inbound|${servicePort}||`,
      virtualHosts: [
        {
          name: `inbound|http|${servicePort}`,
          domains: ['*'],
          routes: [
            {
              name: 'default',
              match: {},
              operation: `${port.service.host}:${servicePort}/*`,
              action: {
                kind: 'forward',
                destinations: [{ cluster: inboundKey(port.port), weight: 1 }],
                retry: { attempts: 1, on: ['reset-before-request'], ignorePreviousHosts: true },
              },
            },
          ],
        },
      ],
    }),
  };
}
