import type { Clock } from '@kind-e2e/base';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Pod, ServiceAccountTokenProjection } from 'kubernetes-types/core/v1.d.ts';

interface TokenRequest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec: object;
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

interface CachedToken {
  readonly token: string;
  readonly requestedAt: number;
  readonly expiresAt: number;
}

const MAX_TTL_MS = 24 * 3_600_000;

/**
 * Tokens of service accounts bound to pods; asked anew at 80 % of their life or after a day (kubernetes
 * pkg/kubelet/token/token_manager.go).
 */
export class TokenCache {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, CachedToken>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(client: KubeClient, pod: Pod, source: ServiceAccountTokenProjection): Promise<string> {
    const { name = '', namespace = 'default', uid = '' } = pod.metadata ?? {};
    const account = pod.spec?.serviceAccountName ?? 'default';
    const key = `${uid}/${source.audience ?? ''}/${source.expirationSeconds ?? ''}`;
    const known = this.#tokens.get(key);
    const now = this.#clock.now();
    if (known && now < known.requestedAt + Math.min((known.expiresAt - known.requestedAt) * 0.8, MAX_TTL_MS))
      return known.token;
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: account, namespace },
      spec: {
        ...(source.audience === undefined || source.audience === '' ? {} : { audiences: [source.audience] }),
        expirationSeconds: source.expirationSeconds ?? 3607,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    };
    try {
      const answer = await client.create<TokenRequest>(RESOURCES.serviceaccounts, request, {
        subresource: 'token',
        name: account,
      });
      const token = answer.status?.token ?? '';
      const expiresAt = Date.parse(answer.status?.expirationTimestamp ?? '') || now + 3_600_000;
      this.#tokens.set(key, { token, requestedAt: now, expiresAt });
      return token;
    } catch (error) {
      // A token that still holds does better than none.
      if (known && now < known.expiresAt) return known.token;
      throw error;
    }
  }

  forget(uid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${uid}/`)) this.#tokens.delete(key);
  }
}
