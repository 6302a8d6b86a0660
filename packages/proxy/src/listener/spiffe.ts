import type { PeerCertificate } from 'node:tls';

/** The SPIFFE id among a certificate's alternative names. A certificate with two is not to be believed. */
export function spiffeIdOf(certificate: PeerCertificate | undefined): string | undefined {
  const names = certificate?.subjectaltname;
  if (!names) return undefined;
  const ids = names.split(', ').filter((entry) => entry.startsWith('URI:spiffe://'));
  return ids.length === 1 ? ids[0]?.slice('URI:'.length) : undefined;
}

/** `cluster.local/ns/default/sa/x`, as policies write a principal. */
export function principalOf(spiffeId: string | undefined): string | undefined {
  return spiffeId?.startsWith('spiffe://') ? spiffeId.slice('spiffe://'.length) : spiffeId;
}

/** The namespace in an Istio identity. */
export function namespaceOf(spiffeId: string | undefined): string | undefined {
  return /\/ns\/([^/]+)\/sa\//.exec(spiffeId ?? '')?.[1];
}
