import { connect, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { messageOf, systemCodeOf } from '@kind-e2e/base';
import { matchesName } from '../listener/server-name.ts';
import { spiffeIdOf } from '../listener/spiffe.ts';

/** TLS towards an upstream, ready for use. */
export interface UpstreamTls {
  readonly context: SecureContext;
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** Verify as a mesh peer: any of these SPIFFE ids, or any identity of the trust domain if none is given. */
  readonly spiffeIds?: readonly string[];
  readonly meshPeer: boolean;
  readonly subjectAltNames?: readonly string[];
  readonly insecureSkipVerify?: boolean;
}

export interface ConnectTarget {
  readonly address: string;
  readonly port: number;
  /** Address to come from, by which mesh peers know the caller. */
  readonly localAddress: string | undefined;
  readonly tls: UpstreamTls | undefined;
  readonly timeoutMs: number;
  readonly keepaliveMs: number | undefined;
  /** Keep the other direction when one ends (TCP). */
  readonly allowHalfOpen?: boolean;
}

export interface Connected {
  readonly socket: Socket;
  readonly remotePrincipal: string | undefined;
  readonly alpn: string | undefined;
}

export type ConnectFailure = {
  readonly reason: 'remote connection failure' | 'connection timeout';
  readonly transportFailure: string;
};

// What strerror says, since Envoy prints that.
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  EADDRNOTAVAIL: 'Cannot assign requested address',
};

/** Opens a connection; calls exactly one of the two, unless the returned function was called before. */
export function openConnection(
  target: ConnectTarget,
  after: (ms: number, call: () => void) => Disposable,
  onConnected: (connected: Connected) => void,
  onFailed: (failure: ConnectFailure) => void,
): () => void {
  let settled = false;
  const { tls } = target;
  const raw = connect({
    host: target.address,
    port: target.port,
    noDelay: true,
    allowHalfOpen: target.allowHalfOpen === true,
    ...(target.localAddress !== undefined && isLoopback(target.address) ? { localAddress: target.localAddress } : {}),
    ...(target.keepaliveMs === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: target.keepaliveMs }),
  });
  const socket: Socket | TLSSocket = tls
    ? connectTls({
        socket: raw,
        secureContext: tls.context,
        ALPNProtocols: [...tls.alpn],
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
        rejectUnauthorized: tls.insecureSkipVerify !== true,
        checkServerIdentity: (_host, certificate) => checkPeer(tls, certificate),
      })
    : raw;
  const finish = (): boolean => {
    if (settled) return false;
    settled = true;
    timer[Symbol.dispose]();
    return true;
  };
  const fail = (failure: ConnectFailure): void => {
    if (!finish()) return;
    socket.destroy();
    raw.destroy();
    onFailed(failure);
  };
  const onError = (error: Error): void =>
    fail({ reason: 'remote connection failure', transportFailure: describe(error, raw.connecting || !tls) });
  const onClose = (): void => onError(new Error('connection closed'));
  const timer = after(target.timeoutMs, () =>
    fail({ reason: 'connection timeout', transportFailure: 'delayed connect error: Connection timed out' }),
  );
  socket.on('error', onError);
  if (tls) raw.on('error', onError);
  socket.on('close', onClose);
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    if (!finish()) return;
    socket.off('error', onError);
    socket.off('close', onClose);
    if (tls) raw.off('error', onError).on('error', () => {});
    const secured = tls ? (socket as TLSSocket) : undefined;
    onConnected({
      socket,
      remotePrincipal: secured && tls?.meshPeer ? spiffeIdOf(secured.getPeerCertificate()) : undefined,
      alpn: secured?.alpnProtocol || undefined,
    });
  });
  return () => {
    if (!finish()) return;
    socket.on('error', () => {});
    socket.destroy();
    raw.destroy();
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.');
}

function describe(error: Error, connecting: boolean): string {
  const code = systemCodeOf(error) ?? '';
  const known = CONNECT_ERRORS[code];
  if (known !== undefined) return connecting ? `delayed connect error: ${known}` : known;
  return `TLS_error:|${messageOf(error)}:TLS_error_end`;
}

/** Istio's peers are known by the URI in their certificate; other servers by their DNS names. */
function checkPeer(tls: UpstreamTls, certificate: PeerCertificate): Error | undefined {
  if (tls.meshPeer) {
    const id = spiffeIdOf(certificate);
    if (id === undefined) return new Error('certificate has no SPIFFE identity');
    if (tls.spiffeIds === undefined || tls.spiffeIds.length === 0 || tls.spiffeIds.includes(id)) return undefined;
    return new Error(`verify SAN list: ${id} is not one of ${tls.spiffeIds.join(', ')}`);
  }
  const wanted = tls.subjectAltNames ?? [];
  if (wanted.length === 0) return undefined;
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(DNS|URI|IP Address):/, ''));
  if (names.some((name) => wanted.some((want) => want === name || matchesName(name, want)))) return undefined;
  return new Error(`verify SAN list: none of ${names.join(', ')} is one of ${wanted.join(', ')}`);
}
