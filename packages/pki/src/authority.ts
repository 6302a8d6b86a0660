import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { type Clock, systemClock } from '@kind-e2e/base';
import { type CertificateUse, createCertificatePem, type Subject, type SubjectAltNames } from './certificate.ts';

/** A certificate with its private key, both PEM. */
export interface CertificatePair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A CA: its certificate, its key, and what it can sign. */
export interface Authority extends CertificatePair {
  /** For TLS servers, and for clients too where `use` is `peer`. */
  issue(request: CertificateRequest): CertificatePair;
  /** Signs a public key that somebody else holds the private part of; gives the certificate's PEM. */
  sign(request: CertificateRequest & { readonly publicKeyPem: string }): string;
  /** Signs what somebody asks for in a certification request, as it stands there; gives the certificate's PEM. */
  signRequest(request: RawRequest): string;
}

/** Parts of a certification request, in DER. */
export interface RawRequest {
  readonly subject: Buffer;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** GeneralNames. */
  readonly altNames?: Buffer | undefined;
  /** Names of key usages as Kubernetes has them: `client auth`. */
  readonly usages: readonly string[];
  readonly validityMs: number;
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly altNames?: SubjectAltNames;
  readonly use: Exclude<CertificateUse, 'ca'>;
  /** Default one year. */
  readonly validityMs?: number;
}

export interface AuthorityOptions {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** SPIFFE asks a CA to name its trust domain: `spiffe://cluster.local`. */
  readonly uris?: readonly string[];
  /** Default ten years. */
  readonly validityMs?: number;
  readonly clock?: Clock;
}

export const DAY_MS = 86_400_000;
const AUTHORITY_VALIDITY_MS = 3650 * DAY_MS;
const CERTIFICATE_VALIDITY_MS = 365 * DAY_MS;
/** Certificates begin a little in the past, for clocks that differ. */
const BACKDATE_MS = 300_000;
const SHORT_MS = 8 * 3_600_000;

/** Makes a new self-signed CA with an ECDSA P-256 key. */
export function createAuthority(options: AuthorityOptions): Authority {
  const clock = options.clock ?? systemClock;
  const { publicKey, privateKey } = newKeyPair();
  const subject: Subject = {
    commonName: options.commonName,
    ...(options.organizations ? { organizations: options.organizations } : {}),
  };
  const certPem = createCertificatePem({
    subject,
    issuer: subject,
    ...(options.uris ? { altNames: { uris: options.uris } } : {}),
    notBeforeMs: clock.now() - BACKDATE_MS,
    notAfterMs: clock.now() + (options.validityMs ?? AUTHORITY_VALIDITY_MS),
    publicKey,
    signingKey: privateKey,
    use: 'ca',
  });
  return openAuthority({ certPem, keyPem: pemOf(privateKey) }, clock);
}

/** A CA from its PEM files. Throws where they are not PEM or do not belong together. */
export function openAuthority(pair: CertificatePair, clock: Clock = systemClock): Authority {
  const certificate = new X509Certificate(pair.certPem);
  const signingKey = createPrivateKey(pair.keyPem);
  if (!certificate.checkPrivateKey(signingKey)) throw new Error('the key does not belong to the CA certificate');
  const issuer = subjectOf(certificate);
  const sign = (request: CertificateRequest, publicKey: KeyObject): string =>
    createCertificatePem({
      subject: request.subject,
      issuer,
      ...(request.altNames ? { altNames: request.altNames } : {}),
      notBeforeMs: clock.now() - BACKDATE_MS,
      notAfterMs: Math.min(
        clock.now() + (request.validityMs ?? CERTIFICATE_VALIDITY_MS),
        certificate.validToDate.getTime(),
      ),
      publicKey,
      signingKey,
      use: request.use,
    });
  return {
    ...pair,
    issue(request) {
      const { publicKey, privateKey } = newKeyPair();
      return { certPem: sign(request, publicKey), keyPem: pemOf(privateKey) };
    },
    sign: (request) => sign(request, createPublicKey(request.publicKeyPem)),
    signRequest: ({ subject, publicKey, altNames, usages, validityMs }) =>
      createCertificatePem({
        subject,
        issuer,
        ...(altNames ? { altNames } : {}),
        usages,
        use: 'client',
        notBeforeMs: clock.now() - BACKDATE_MS,
        // Short ones last as long as was asked for, long ones begin earlier (authority/policies.go).
        notAfterMs: Math.min(
          clock.now() + validityMs - (validityMs < SHORT_MS ? 0 : BACKDATE_MS),
          certificate.validToDate.getTime(),
        ),
        publicKey: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
        signingKey,
      }),
  };
}

/** Certificate of a workload: one URI, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, for both sides of mTLS. */
export function issueSpiffeCertificate(
  authority: Authority,
  uri: string,
  validityMs: number = DAY_MS,
): CertificatePair {
  return authority.issue({ subject: { commonName: '' }, altNames: { uris: [uri] }, use: 'peer', validityMs });
}

/** A P-256 private key as PKCS #8 PEM, for signing tokens. */
export function createSigningKeyPem(): string {
  return pemOf(newKeyPair().privateKey);
}

/** Who a certificate is about and until when it holds. */
export function readCertificate(certPem: string): {
  readonly subject: Subject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly altNames: string;
} {
  const certificate = new X509Certificate(certPem);
  return {
    subject: subjectOf(certificate),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    altNames: certificate.subjectAltName ?? '',
  };
}

function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function subjectOf(certificate: X509Certificate): Subject {
  const organizations: string[] = [];
  let commonName = '';
  for (const line of (certificate.subject ?? '').split('\n')) {
    if (line.startsWith('CN=')) commonName = line.slice(3);
    else if (line.startsWith('O=')) organizations.push(line.slice(2));
  }
  return { commonName, ...(organizations.length > 0 ? { organizations } : {}) };
}
