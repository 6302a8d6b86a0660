import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isRecord } from '@kind-e2e/kube-api';

type Json = Record<string, unknown>;

/** What Go's `tls.X509KeyPair` says of a TLS secret (`warningsForSecret` of `pkg/registry/core/secret`). */
export function keyPairWarnings(secret: Json): string[] {
  if (secret.type !== 'kubernetes.io/tls') return [];
  const data = isRecord(secret.data) ? secret.data : {};
  const text = (key: string): string => Buffer.from(String(data[key] ?? ''), 'base64').toString('latin1');
  const problem = keyPairProblem(text('tls.crt'), text('tls.key'));
  return problem === undefined ? [] : [problem];
}

function keyPairProblem(certificates: string, keys: string): string | undefined {
  const blocks = pemBlocks(certificates);
  const certificate = blocks.find(({ type }) => type === 'CERTIFICATE');
  const skipped = blocks.map(({ type }) => type);
  if (!certificate) {
    if (skipped.length === 0) return 'tls: failed to find any PEM data in certificate input';
    if (skipped.length === 1 && skipped[0]?.endsWith('PRIVATE KEY'))
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${skipped.join(' ')}]`;
  }
  const others = pemBlocks(keys);
  const key = others.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'));
  if (!key) {
    const types = others.map(({ type }) => type);
    if (types.length === 0) return 'tls: failed to find any PEM data in key input';
    if (types.length === 1 && types[0] === 'CERTIFICATE')
      return 'tls: found a certificate rather than a key in the PEM for the private key';
    return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
  }
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate.text);
  } catch {
    return 'x509: malformed certificate';
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key.text);
  } catch {
    return 'tls: failed to parse private key';
  }
  if (parsed.checkPrivateKey(privateKey)) return undefined;
  return parsed.publicKey.asymmetricKeyType === privateKey.asymmetricKeyType
    ? 'tls: private key does not match public key'
    : 'tls: private key type does not match public key type';
}

/** The blocks of a PEM text whose content is base64 (`pem.Decode`). */
function pemBlocks(text: string): { readonly type: string; readonly text: string }[] {
  const pattern = /-----BEGIN ([^\n-]+)-----\r?\n([^-]*)-----END \1-----/g;
  return [...text.matchAll(pattern)]
    .filter((match) => /^[A-Za-z0-9+/=\s]*$/.test((match[2] ?? '').replace(/^[^\n]*: .*$/gm, '')))
    .map((match) => ({ type: match[1] ?? '', text: match[0] }));
}
