import type { IncomingMessage } from 'node:http';
import type { Clock } from '@kind-e2e/base';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { HttpError, isAuthorized } from './lookup.ts';

interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface TokenReview extends ApiObject {
  readonly spec: { readonly token: string };
  readonly status?: { readonly authenticated?: boolean; readonly user?: UserInfo };
}

interface SubjectAccessReview extends ApiObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

export interface CallerAuthorizerOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** The API server's own bearer token, which may do everything. */
  readonly token: string;
  readonly clock: Clock;
}

const ANSWER_TTL_MS = 60_000;
const MAX_ANSWERS = 1_000;

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/**
 * Who may use the kubelet API: the API server with its own token, and every other caller as the API server says of its
 * bearer token (TokenReview) and of the right to this part of the node (SubjectAccessReview on `nodes/metrics`,
 * `nodes/stats`, `nodes/log`, `nodes/pods`, `nodes/proxy`). Answers hold for a minute. After kubernetes
 * pkg/kubelet/server/auth.go and its delegating authenticator.
 */
export class CallerAuthorizer {
  readonly #options: CallerAuthorizerOptions;
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Promise<unknown> }>();

  constructor(options: CallerAuthorizerOptions) {
    this.#options = options;
  }

  /** Throws HttpError 401 or 403. */
  async check(request: IncomingMessage): Promise<void> {
    const { token } = this.#options;
    if (isAuthorized(request, token)) return;
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const user = bearer === undefined ? undefined : await this.#userOf(bearer);
    if (user === undefined) throw new HttpError(401, 'Unauthorized');
    const verb = VERBS[request.method ?? ''] ?? '';
    const subresources = subresourcesOf(new URL(request.url ?? '/', 'https://kubelet').pathname);
    for (const subresource of subresources) if (await this.#isAllowed(user, verb, subresource)) return;
    throw new HttpError(
      403,
      `Forbidden (user=${user.username ?? ''}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])\n`,
    );
  }

  #userOf(token: string): Promise<UserInfo | undefined> {
    return this.#remember(`token ${token}`, async () => {
      const review = await this.#options.client.create<TokenReview>(RESOURCES.tokenreviews, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token },
      });
      return review.status?.authenticated === true ? review.status.user : undefined;
    });
  }

  #isAllowed(user: UserInfo, verb: string, subresource: string): Promise<boolean> {
    const { nodeName, client } = this.#options;
    const { username, uid, groups, extra } = user;
    return this.#remember(JSON.stringify([user, verb, subresource]), async () => {
      const review = await client.create<SubjectAccessReview>(RESOURCES.subjectaccessreviews, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: username,
          ...(uid === undefined ? {} : { uid }),
          ...(groups === undefined ? {} : { groups }),
          ...(extra === undefined ? {} : { extra }),
          resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
        },
      });
      return review.status?.allowed === true;
    });
  }

  /** One question at a time, and an answer for a minute; a failure is not remembered. */
  #remember<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const now = this.#options.clock.now();
    const known = this.#answers.get(key);
    if (known !== undefined && now - known.at < ANSWER_TTL_MS) return known.answer as Promise<T>;
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    const answer = ask();
    this.#answers.set(key, { at: now, answer });
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }
}

/** What of the node a path is: one right of these is enough. */
function subresourcesOf(path: string): readonly string[] {
  switch (path.split('/')[1]) {
    case 'stats':
      return ['stats'];
    case 'metrics':
      return ['metrics'];
    case 'logs':
      return ['log'];
    case 'checkpoint':
      return ['checkpoint'];
    case 'pods':
    case 'runningpods':
      return ['pods', 'proxy'];
    case 'configz':
      return ['configz', 'proxy'];
    default:
      return ['proxy'];
  }
}
