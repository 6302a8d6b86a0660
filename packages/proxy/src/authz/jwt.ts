import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import type { Clock } from '@kind-e2e/base';
import { cookieOf } from '../http/hash-key.ts';
import { getHeader, removeHeader, setHeader } from '../http/headers.ts';
import { queryParameter } from '../http/route-table.ts';
import type { RequestHead } from '../http/stream.ts';
import type { JwtRule } from '../snapshot/policy.ts';
import { claimAt } from './policies.ts';

export type JwtVerdict =
  | { readonly denied: string }
  | { readonly claims: Readonly<Record<string, unknown>> | undefined };

interface Key {
  readonly kid: string | undefined;
  readonly alg: string | undefined;
  readonly key: KeyObject;
}

const ALGORITHMS: Readonly<Record<string, { hash: string | null; type: string; dsa?: boolean; pss?: boolean }>> = {
  RS256: { hash: 'sha256', type: 'rsa' },
  RS384: { hash: 'sha384', type: 'rsa' },
  RS512: { hash: 'sha512', type: 'rsa' },
  PS256: { hash: 'sha256', type: 'rsa', pss: true },
  PS384: { hash: 'sha384', type: 'rsa', pss: true },
  PS512: { hash: 'sha512', type: 'rsa', pss: true },
  ES256: { hash: 'sha256', type: 'ec', dsa: true },
  ES384: { hash: 'sha384', type: 'ec', dsa: true },
  ES512: { hash: 'sha512', type: 'ec', dsa: true },
  EdDSA: { hash: null, type: 'ed25519' },
};
/** Clock difference that is forgiven, Envoy's default. */
const SKEW_SECONDS = 60;

/** RequestAuthentication: a token that is there must be good; whether one is needed is for policies to say. */
export class JwtVerifier {
  readonly #rules: readonly { readonly rule: JwtRule; readonly keys: readonly Key[] }[];
  readonly #clock: Clock;

  constructor(rules: readonly JwtRule[], clock: Clock) {
    this.#rules = rules.map((rule) => ({ rule, keys: keysOf(rule.jwks) }));
    this.#clock = clock;
  }

  verify(head: RequestHead): JwtVerdict {
    let claims: Record<string, unknown> | undefined;
    for (const { rule, keys } of this.#rules) {
      const found = findToken(rule, head);
      if (found === undefined) continue;
      const result = this.#check(found.token, rule, keys);
      if (result === 'other issuer') continue;
      if (typeof result === 'string') return { denied: result };
      claims ??= result;
      if (!rule.forwardOriginalToken) found.remove();
      const payload = found.token.split('.')[1] ?? '';
      if (rule.outputPayloadToHeader) setHeader(head.headers, rule.outputPayloadToHeader.toLowerCase(), payload);
      for (const { header, claim } of rule.outputClaimToHeaders ?? []) {
        const value = claimAt(result, claim.split('.'));
        if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
          setHeader(head.headers, header.toLowerCase(), String(value));
      }
    }
    if (claims === undefined && this.#rules.some(({ rule }) => findToken(rule, head) !== undefined))
      return { denied: 'Jwt issuer is not configured' };
    return { claims };
  }

  /** The claims, or Envoy's words for what is wrong with the token. */
  #check(token: string, rule: JwtRule, keys: readonly Key[]): Record<string, unknown> | string {
    const parts = token.split('.');
    const header = decode(parts[0]);
    const payload = decode(parts[1]);
    if (parts.length !== 3 || header === undefined || payload === undefined)
      return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
    if (payload.iss !== rule.issuer) return 'other issuer';
    const algorithm = typeof header.alg === 'string' ? ALGORITHMS[header.alg] : undefined;
    if (algorithm === undefined) return 'Jwt header [alg] is not supported';
    const now = this.#clock.now() / 1000;
    if (typeof payload.nbf === 'number' && payload.nbf > now + SKEW_SECONDS) return 'Jwt not yet valid';
    if (typeof payload.exp === 'number' && payload.exp < now - SKEW_SECONDS) return 'Jwt is expired';
    const audiences = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
    if (rule.audiences?.length && !rule.audiences.some((wanted) => audiences.includes(wanted)))
      return 'Audiences in Jwt are not allowed';
    const candidates = keys.filter(
      (key) =>
        (typeof header.kid !== 'string' || key.kid === undefined || key.kid === header.kid) &&
        (key.alg === undefined || key.alg === header.alg) &&
        key.key.asymmetricKeyType === algorithm.type,
    );
    if (candidates.length === 0) return "Jwks doesn't have key to match kid or alg from Jwt";
    const data = Buffer.from(`${parts[0]}.${parts[1]}`);
    const signature = Buffer.from(parts[2] ?? '', 'base64url');
    const good = candidates.some(({ key }) => {
      try {
        return verify(
          algorithm.hash,
          data,
          {
            key,
            ...(algorithm.dsa ? { dsaEncoding: 'ieee-p1363' as const } : {}),
            ...(algorithm.pss ? { padding: 6, saltLength: -1 } : {}),
          },
          signature,
        );
      } catch {
        return false;
      }
    });
    return good ? payload : 'Jwt verification fails';
  }
}

function decode(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function keysOf(jwks: string): Key[] {
  const set: unknown = JSON.parse(jwks);
  const keys = (set as { keys?: unknown }).keys;
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((jwk: JsonWebKey & { kid?: string; alg?: string }) => {
    try {
      return [{ kid: jwk.kid, alg: jwk.alg, key: createPublicKey({ key: jwk, format: 'jwk' }) }];
    } catch {
      return [];
    }
  });
}

function findToken(rule: JwtRule, head: RequestHead): { token: string; remove: () => void } | undefined {
  const custom = (rule.fromHeaders?.length ?? 0) + (rule.fromParams?.length ?? 0) + (rule.fromCookies?.length ?? 0) > 0;
  const headers = custom ? (rule.fromHeaders ?? []) : [{ name: 'authorization', prefix: 'Bearer ' }];
  for (const { name, prefix } of headers) {
    const value = getHeader(head.headers, name.toLowerCase());
    if (value === undefined || (prefix !== undefined && !value.startsWith(prefix))) continue;
    return {
      token: value.slice(prefix?.length ?? 0).trim(),
      remove: () => removeHeader(head.headers, name.toLowerCase()),
    };
  }
  for (const name of custom ? (rule.fromParams ?? []) : ['access_token']) {
    const value = queryParameter(head.path, name);
    if (value !== undefined) return { token: value, remove: () => {} };
  }
  for (const name of rule.fromCookies ?? []) {
    const value = cookieOf(head, name);
    if (value !== undefined) return { token: value, remove: () => {} };
  }
  return undefined;
}
