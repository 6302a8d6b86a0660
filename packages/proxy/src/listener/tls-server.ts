import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { DownstreamTls } from '../http/stream.ts';
import type { Identity } from '../snapshot/snapshot.ts';
import { spiffeIdOf } from './spiffe.ts';

export interface TlsServerSettings {
  readonly identity: Identity;
  readonly alpn: readonly string[];
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  /** Names of which a client's certificate must bear one. */
  readonly clientNames?: readonly string[];
}

type Done = (socket: TLSSocket, info: DownstreamTls) => void;

/** ALPN of connections between proxies of the mesh (Istio's util.ALPNInMesh and its h2 and http/1.1 kin). */
export const MESH_ALPN_HTTP1 = 'istio-http/1.1';
export const MESH_ALPN_HTTP2 = 'istio-h2';
export const MESH_ALPN_TCP = 'istio';
export const MESH_ALPN: readonly string[] = [MESH_ALPN_HTTP1, MESH_ALPN_HTTP2, MESH_ALPN_TCP, 'h2', 'http/1.1'];

/**
 * Terminates TLS on sockets that others accepted. One for each certificate, whatever number of listeners use it; a
 * renewed certificate is put in place for new handshakes.
 */
export class TlsServer {
  readonly #server: Server;
  #settings: TlsServerSettings;
  readonly #waiting = new Map<string, Done>();

  constructor(settings: TlsServerSettings) {
    this.#settings = settings;
    this.#server = createServer({
      ...optionsOf(settings),
      ALPNProtocols: [...settings.alpn],
      requestCert: settings.clientCertificate !== 'none',
      rejectUnauthorized: settings.clientCertificate === 'required',
      handshakeTimeout: 15_000,
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (_error, socket: TLSSocket) => {
      this.#waiting.delete(keyOf(socket));
      socket.destroy();
    });
  }

  update(settings: TlsServerSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (
      before.identity.certificateChainPem !== settings.identity.certificateChainPem ||
      before.identity.trustBundlePem !== settings.identity.trustBundlePem
    )
      this.#server.setSecureContext(optionsOf(settings));
  }

  /** `done` is called when the handshake succeeded; otherwise the socket is closed. */
  handshake(socket: Socket, done: Done): void {
    const key = keyOf(socket);
    this.#waiting.set(key, done);
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#waiting.get(key) === done) this.#waiting.delete(key);
    });
    this.#server.emit('connection', socket);
  }

  #onSecure(socket: TLSSocket): void {
    const key = keyOf(socket);
    const done = this.#waiting.get(key);
    this.#waiting.delete(key);
    socket.on('error', () => {});
    if (done === undefined) {
      socket.destroy();
      return;
    }
    const { identity, clientCertificate, clientNames } = this.#settings;
    const peer = clientCertificate === 'none' ? undefined : socket.getPeerCertificate();
    const known = peer !== undefined && Object.keys(peer).length > 0 && socket.authorized;
    if (clientNames && clientNames.length > 0 && known) {
      const names = (peer.subjectaltname ?? '').split(', ').map((name) => name.replace(/^(?:DNS|URI|IP Address):/, ''));
      if (!names.some((name) => clientNames.includes(name))) {
        socket.destroy();
        return;
      }
    }
    const serverName = (socket as TLSSocket & { servername?: string | false }).servername;
    done(socket, {
      peerSpiffeId: known ? spiffeIdOf(peer) : undefined,
      peerSubject: known ? subjectOf(peer.subject) : undefined,
      peerFingerprint: known ? peer.fingerprint256?.replaceAll(':', '').toLowerCase() : undefined,
      localSpiffeId: identity.spiffeId || undefined,
      serverName: serverName || undefined,
      alpn: socket.alpnProtocol || undefined,
      mutual: known,
    });
  }
}

function optionsOf(settings: TlsServerSettings) {
  return {
    cert: settings.identity.certificateChainPem,
    key: settings.identity.privateKeyPem,
    ...(settings.identity.trustBundlePem ? { ca: settings.identity.trustBundlePem } : {}),
    ...(settings.minVersion ? { minVersion: settings.minVersion } : {}),
    ...(settings.maxVersion ? { maxVersion: settings.maxVersion } : {}),
    ...(settings.ciphers ? { ciphers: settings.ciphers } : {}),
  };
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}|${socket.localPort}`;
}

function subjectOf(subject: object | undefined): string {
  // A mesh certificate's subject is empty; Envoy prints that as `Subject=""`.
  return Object.entries(subject ?? {})
    .filter(([, value]) => String(value) !== '')
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(',');
}
