import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import type { Clock } from '@kind-e2e/base';
import { isRecord } from '@kind-e2e/kube-api';
import { createSigningKeyPem } from '@kind-e2e/pki';
import type { User } from '../options.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export const DEFAULT_AUDIENCE = 'https://kubernetes.default.svc';
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** An object that a token lives and dies with. */
export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  readonly audiences: readonly string[];
  readonly expiresInSeconds: number;
  readonly bound?: BoundObject;
  /** The node of a bound pod. */
  readonly node?: { readonly name: string; readonly uid: string };
}

interface Verified {
  readonly payload: Record<string, unknown>;
  readonly expiresMs: number;
}

const MAX_REMEMBERED = 2_000;

/** Signs and checks service account tokens (pkg/serviceaccount). A token holds while what it is bound to lives. */
export class ServiceAccountTokens {
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #algorithm: 'ES256' | 'RS256';
  readonly #keyId: string;
  readonly #issuer: string;
  readonly #audiences: readonly string[];
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #verified = new Map<string, Verified>();

  constructor(options: {
    readonly privatePem: string | undefined;
    readonly issuer: string;
    readonly store: ObjectStore;
    readonly clock: Clock;
  }) {
    this.#key = createPrivateKey(options.privatePem ?? createSigningKeyPem());
    this.#publicKey = createPublicKey(this.#key);
    this.#algorithm = this.#key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
    this.#keyId = createHash('sha256')
      .update(this.#publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    this.#issuer = options.issuer;
    this.#audiences = [...new Set([DEFAULT_AUDIENCE, options.issuer])];
    this.#store = options.store;
    this.#clock = options.clock;
  }

  get issuer(): string {
    return this.#issuer;
  }

  /** JSON web key set, for those who check tokens themselves. */
  get keySet(): unknown {
    return {
      keys: [{ use: 'sig', kid: this.#keyId, alg: this.#algorithm, ...this.#publicKey.export({ format: 'jwk' }) }],
    };
  }

  get algorithm(): string {
    return this.#algorithm;
  }

  /** Gives the token and when it ends. */
  sign(claims: TokenClaims): { readonly token: string; readonly expiresMs: number } {
    const nowSeconds = Math.floor(this.#clock.now() / 1000);
    const { bound, node, namespace, serviceAccount } = claims;
    const payload = {
      aud: claims.audiences,
      exp: nowSeconds + claims.expiresInSeconds,
      iat: nowSeconds,
      iss: this.#issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...(node ? { node } : {}),
        ...(bound ? { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } } : {}),
        serviceaccount: serviceAccount,
      },
      nbf: nowSeconds,
      sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    };
    const head = encode({ alg: this.#algorithm, kid: this.#keyId });
    const signed = `${head}.${encode(payload)}`;
    const signature = sign('sha256', Buffer.from(signed), this.#signingKey(this.#key));
    return { token: `${signed}.${signature.toString('base64url')}`, expiresMs: payload.exp * 1000 };
  }

  /** The service account of a token; undefined where it is none of ours, has ended, or what it names is gone. */
  userOf(token: string, audiences: readonly string[] = this.#audiences): User | undefined {
    const verified = this.#verify(token);
    if (!verified || verified.expiresMs <= this.#clock.now()) return undefined;
    const { payload } = verified;
    const tokenAudiences = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
    if (!tokenAudiences.some((one) => typeof one === 'string' && audiences.includes(one))) return undefined;
    return this.#liveUser(payload);
  }

  /** Audiences of a token that are among the wanted ones. */
  audiencesOf(token: string, wanted: readonly string[]): string[] {
    const audiences = this.#verify(token)?.payload.aud;
    const own = Array.isArray(audiences) ? audiences : [audiences];
    return (wanted.length > 0 ? wanted : this.#audiences).filter((one) => own.includes(one));
  }

  #liveUser(payload: Record<string, unknown>): User | undefined {
    const claims = payload['kubernetes.io'];
    if (!isRecord(claims) || !isRecord(claims.serviceaccount) || typeof claims.namespace !== 'string') return undefined;
    const { namespace } = claims;
    const { name, uid } = claims.serviceaccount;
    if (!this.#isLive('serviceaccounts', namespace, name, uid)) return undefined;
    const extra: Record<string, string[]> = {};
    if (typeof payload.jti === 'string') extra['authentication.kubernetes.io/credential-id'] = [`JTI=${payload.jti}`];
    for (const [kind, collection, place] of [
      ['pod', 'pods', namespace],
      ['secret', 'secrets', namespace],
      ['node', 'nodes', ''],
    ] as const) {
      const bound = claims[kind];
      if (!isRecord(bound)) continue;
      const isOnlyInformation = kind === 'node' && isRecord(claims.pod);
      if (!isOnlyInformation && !this.#isLive(collection, place, bound.name, bound.uid)) return undefined;
      if (kind === 'secret') continue;
      extra[`authentication.kubernetes.io/${kind}-name`] = [String(bound.name)];
      extra[`authentication.kubernetes.io/${kind}-uid`] = [String(bound.uid)];
    }
    return {
      name: `system:serviceaccount:${namespace}:${String(name)}`,
      uid: String(uid),
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
      extra,
    };
  }

  #isLive(collection: string, namespace: string, name: unknown, uid: unknown): boolean {
    if (typeof name !== 'string') return false;
    const record = this.#store.collection(collection).get(namespace, name);
    return record !== undefined && record.object.metadata?.uid === uid;
  }

  #verify(token: string): Verified | undefined {
    const known = this.#verified.get(token);
    if (known) return known;
    const [head, body, signature, ...rest] = token.split('.');
    if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined;
    const header = decode(head);
    const payload = decode(body);
    if (header?.alg !== this.#algorithm || payload?.iss !== this.#issuer || typeof payload.exp !== 'number')
      return undefined;
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      this.#signingKey(this.#publicKey),
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return undefined;
    const verified = { payload, expiresMs: payload.exp * 1000 };
    if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
    this.#verified.set(token, verified);
    return verified;
  }

  #signingKey(key: KeyObject): { key: KeyObject; dsaEncoding: 'ieee-p1363' } | KeyObject {
    return this.#algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
