import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '@kind-e2e/base';
import {
  type Authority,
  type AuthorityOptions,
  type CertificatePair,
  type CertificateRequest,
  createAuthority,
  createSigningKeyPem,
  DAY_MS,
  openAuthority,
  readCertificate,
} from './authority.ts';

const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;
/** A certificate with less than this left is made anew when it is loaded. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

/** Opens `<folder>/<name>.crt` and `.key`, or makes a CA and writes both, mode 0600. */
export function loadOrCreateAuthority(folder: string, name: string, options: AuthorityOptions): Authority {
  const clock = options.clock ?? systemClock;
  const known = readPair(folder, name);
  if (known && readCertificate(known.certPem).notAfterMs > clock.now() + RENEW_BEFORE_MS)
    return openAuthority(known, clock);
  const authority = createAuthority(options);
  writePair(folder, name, authority);
  return authority;
}

/**
 * Opens `<folder>/<name>.crt` and `.key`, or has them issued. They are issued anew when they end within 30 days (or a
 * third of their life, where that is less), were signed by another CA, or lack a wanted name.
 */
export function loadOrCreateCertificate(
  folder: string,
  name: string,
  authority: Authority,
  request: CertificateRequest & { readonly clock?: Clock },
): CertificatePair {
  const clock = request.clock ?? systemClock;
  const known = readPair(folder, name);
  if (known && isGood(known, authority, request, clock.now())) return known;
  const issued = authority.issue(request);
  writePair(folder, name, issued);
  return issued;
}

/** Reads the P-256 key in `<folder>/<name>.key`, or makes one and writes it, mode 0600. Gives PKCS #8 PEM. */
export function loadOrCreateSigningKey(folder: string, name: string): string {
  const path = join(folder, `${name}.key`);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  const keyPem = createSigningKeyPem();
  writePrivateFile(folder, path, keyPem);
  return keyPem;
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivateFile(folder: string, path: string, content: string): void {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, content, { mode: PRIVATE_FILE_MODE });
  chmodSync(draft, PRIVATE_FILE_MODE);
  renameSync(draft, path);
}

function readPair(folder: string, name: string): CertificatePair | undefined {
  const cert = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  if (!existsSync(cert) || !existsSync(key)) return undefined;
  return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
}

function writePair(folder: string, name: string, pair: CertificatePair): void {
  writePrivateFile(folder, join(folder, `${name}.key`), pair.keyPem);
  writePrivateFile(folder, join(folder, `${name}.crt`), pair.certPem);
}

function isGood(pair: CertificatePair, authority: Authority, request: CertificateRequest, nowMs: number): boolean {
  const { notBeforeMs, notAfterMs, subject, altNames } = readCertificate(pair.certPem);
  const renewBeforeMs = Math.min(RENEW_BEFORE_MS, (notAfterMs - notBeforeMs) / 3);
  if (notAfterMs < nowMs + renewBeforeMs || !isSignedBy(pair.certPem, authority.certPem)) return false;
  if (subject.commonName !== request.subject.commonName) return false;
  const wantedGroups = request.subject.organizations ?? [];
  if (wantedGroups.join('\n') !== (subject.organizations ?? []).join('\n')) return false;
  const names = new Set(altNames.split(', '));
  return [
    ...(request.altNames?.dnsNames ?? []).map((dns) => `DNS:${dns}`),
    ...(request.altNames?.ipAddresses ?? []).map((ip) => `IP Address:${ip}`),
    ...(request.altNames?.uris ?? []).map((uri) => `URI:${uri}`),
  ].every((wanted) => names.has(wanted));
}

function isSignedBy(certPem: string, authorityPem: string): boolean {
  return new X509Certificate(certPem).verify(new X509Certificate(authorityPem).publicKey);
}
