import type { Clock } from '@kind-e2e/base';
import { type Authority, createAuthority, issueSpiffeCertificate, loadOrCreateAuthority } from '@kind-e2e/pki';
import type { Identity } from '@kind-e2e/proxy';

/** Istio's workload certificates last 24 h and are renewed when half of that is over. */
const VALIDITY_MS = 24 * 3_600_000;
const RENEW_AFTER_MS = VALIDITY_MS / 2;

export interface MeshCertificatesOptions {
  readonly clock: Clock;
  readonly trustDomain: string;
  /** Where the mesh's authority is kept; none: a new one that lives as long as the process. */
  readonly caDirectory?: string;
  /** Default 24 h; tests take less. */
  readonly validityMs?: number;
}

/** The mesh's certificate authority: an identity for each service account in use, renewed in time. */
export class MeshCertificates {
  readonly #authority: Authority;
  readonly #clock: Clock;
  readonly #validityMs: number;
  readonly #issued = new Map<string, { identity: Identity; renewAt: number }>();

  constructor(options: MeshCertificatesOptions) {
    const authority = {
      commonName: 'kind-e2e mesh root',
      organizations: [options.trustDomain],
      uris: [`spiffe://${options.trustDomain}`],
      clock: options.clock,
    };
    this.#authority =
      options.caDirectory === undefined
        ? createAuthority(authority)
        : loadOrCreateAuthority(options.caDirectory, 'mesh-ca', authority);
    this.#clock = options.clock;
    this.#validityMs = options.validityMs ?? VALIDITY_MS;
  }

  get rootPem(): string {
    return this.#authority.certPem;
  }

  identityOf(spiffeId: string): Identity {
    const known = this.#issued.get(spiffeId);
    const now = this.#clock.now();
    if (known && known.renewAt > now) return known.identity;
    const pair = issueSpiffeCertificate(this.#authority, spiffeId, this.#validityMs);
    const identity: Identity = {
      spiffeId,
      certificateChainPem: pair.certPem,
      privateKeyPem: pair.keyPem,
      trustBundlePem: this.#authority.certPem,
    };
    this.#issued.set(spiffeId, { identity, renewAt: now + this.#validityMs * (RENEW_AFTER_MS / VALIDITY_MS) });
    return identity;
  }

  /** Milliseconds until the next certificate is to be renewed. */
  get nextRenewalMs(): number {
    let next = this.#validityMs;
    const now = this.#clock.now();
    for (const { renewAt } of this.#issued.values()) next = Math.min(next, Math.max(0, renewAt - now));
    return next;
  }
}
