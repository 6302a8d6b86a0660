import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { unauthorized } from '@kind-e2e/kube-api';
import type { TokenUser, User } from '../options.ts';

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const AUTHENTICATED = 'system:authenticated';

/** Finds the user of a bearer token; undefined where the token is not one of its own. */
export type TokenAuthenticator = (token: string, audiences?: readonly string[]) => User | undefined;

/**
 * Says who asks: a client certificate, else a bearer token, else nobody in particular. Throws 401 for a token that
 * nobody knows (apiserver `authentication/request/union`).
 */
export class Authenticator {
  readonly #tokens: readonly TokenAuthenticator[];

  constructor(tokens: readonly TokenAuthenticator[]) {
    this.#tokens = tokens;
  }

  authenticate(request: IncomingMessage): User {
    const byCertificate = certificateUser(request.socket as TLSSocket);
    if (byCertificate) return byCertificate;
    const token = bearerToken(request);
    if (token === undefined) return ANONYMOUS;
    const user = this.userOfToken(token);
    if (!user) throw unauthorized();
    return user;
  }

  /** `audiences`: for whom the token has to be; default: for this server. */
  userOfToken(token: string, audiences?: readonly string[]): User | undefined {
    for (const find of this.#tokens) {
      const user = find(token, audiences);
      if (user) return withAuthenticated(user);
    }
    return undefined;
  }
}

/** Tokens from the options. */
export function staticTokens(users: readonly TokenUser[]): TokenAuthenticator {
  const byToken = new Map<string, User>(
    users.map(({ token, user, uid, groups }) => [
      token,
      { name: user, groups: groups ?? [], ...(uid === undefined ? {} : { uid }) },
    ]),
  );
  return (token) => byToken.get(token);
}

function bearerToken(request: IncomingMessage): string | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const match = /^bearer +(\S+)\s*$/i.exec(header);
    return match?.[1];
  }
  // WebSocket clients in browsers cannot set headers (apiserver `authentication/request/websocket`).
  for (const protocol of (request.headers['sec-websocket-protocol'] ?? '').split(',')) {
    const match = /^\s*base64url\.bearer\.authorization\.k8s\.io\.(\S+)\s*$/.exec(protocol);
    if (match?.[1]) return Buffer.from(match[1], 'base64url').toString('utf8');
  }
  return undefined;
}

function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const { CN, O } = socket.getPeerCertificate().subject ?? {};
  if (typeof CN !== 'string' || CN === '') return undefined;
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O];
  return withAuthenticated({ name: CN, groups });
}

function withAuthenticated(user: User): User {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}
