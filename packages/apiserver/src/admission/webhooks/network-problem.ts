import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { messageOf } from '@kind-e2e/base';

const VERIFY = 'tls: failed to verify certificate: x509: ';
/** Codes of OpenSSL for a chain that ends in nobody who is trusted. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** A failed connection in the words of Go's `net` and `crypto/tls`. */
export function networkProblem(error: unknown, host: string, port: number): string {
  const code = codeOf(error);
  const dial = `dial tcp ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `${dial}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${dial}: connect: no route to host`;
    case 'ENETUNREACH':
      return `${dial}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `${dial}: i/o timeout`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ECONNRESET':
    case 'EPIPE':
      return 'EOF';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `${VERIFY}certificate has expired or is not yet valid`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
  }
  if (UNTRUSTED.has(code)) return `${VERIFY}certificate signed by unknown authority`;
  return messageOf(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Undefined where a certificate is for a host; what `x509.Certificate.VerifyHostname` says where it is not. */
export function hostnameProblem(host: string, certificate: PeerCertificate): Error | undefined {
  if (checkServerIdentity(host, certificate) === undefined) return undefined;
  const names = (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== '');
  const kind = isIP(host) === 0 ? 'DNS:' : 'IP Address:';
  const own = names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  if (own.length > 0) return new Error(`${VERIFY}certificate is valid for ${own.join(', ')}, not ${host}`);
  return new Error(
    isIP(host) === 0
      ? `${VERIFY}certificate is not valid for any names, but wanted to match ${host}`
      : `${VERIFY}cannot validate certificate for ${host} because it doesn't contain any IP SANs`,
  );
}
