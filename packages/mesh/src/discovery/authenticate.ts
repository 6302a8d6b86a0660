import type { Clock } from '@kind-e2e/base';
import type { ApiObject, KubeClient } from '@kind-e2e/kube-client';
import type { Authenticate } from './server.ts';

interface TokenReview extends ApiObject {
  spec?: { token?: string };
  status?: { authenticated?: boolean; user?: { username?: string; groups?: string[] } };
}

const TOKEN_REVIEWS = { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' };
const REMEMBER_MS = 60_000;

/** Asks the API server who a token is (TokenReview); an answer is remembered for a minute. */
export function tokenReviewer(client: KubeClient, clock: Clock): Authenticate {
  const known = new Map<string, { until: number; username: string; groups: readonly string[] }>();
  return async (token) => {
    const now = clock.now();
    const remembered = known.get(token);
    if (remembered && remembered.until > now) return remembered;
    const review = await client.create<TokenReview>(TOKEN_REVIEWS, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    const user = review.status?.user;
    if (review.status?.authenticated !== true || user?.username === undefined) return undefined;
    const found = { until: now + REMEMBER_MS, username: user.username, groups: user.groups ?? [] };
    for (const [key, entry] of known) if (entry.until <= now) known.delete(key);
    known.set(token, found);
    return found;
  };
}
