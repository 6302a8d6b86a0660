import { createPublicKey, verify } from 'node:crypto';
import type { CertificationRequest } from '@kind-e2e/kube-api';

/** Hashes of the signature algorithms that requests are signed with; Ed25519 has its own. */
const HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/** Why a request was not signed by the key that it names; undefined where it was. */
export function signatureProblem(request: CertificationRequest): string | undefined {
  const hash = HASHES[request.signatureAlgorithm];
  if (hash === undefined) return 'x509: cannot verify signature: algorithm unimplemented';
  try {
    const key = createPublicKey({ key: request.publicKey, format: 'der', type: 'spki' });
    return verify(hash, request.signed, key, request.signature) ? undefined : 'x509: signature is not valid';
  } catch {
    return 'x509: unsupported public key';
  }
}
