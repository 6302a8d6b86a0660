import { Disposer } from '@kind-e2e/base';
import { createController, createInformer, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { TokenRequest } from 'kubernetes-types/authentication/v1.d.ts';
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Tokens in Secrets do not expire upstream; ours last as long as a lab can. */
const EXPIRATION_SECONDS = 10 * 365 * 86_400;

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` that somebody made by hand, and deletes those whose
 * account is gone (upstream pkg/controller/serviceaccount/tokens_controller.go).
 */
export function startTokenController(context: ControllerContext, caPem: string): AsyncDisposable {
  const { client, clock, informers, logger } = context;
  const accounts = informers.of('serviceaccounts');
  const disposer = new Disposer();
  const secrets = disposer.use(
    createInformer<Secret>({
      client,
      resource: RESOURCES.secrets,
      fieldSelector: `type=${TYPE}`,
      logger,
      clock,
      indexers: {
        account: (secret) => [`${secret.metadata?.namespace}/${secret.metadata?.annotations?.[ACCOUNT_NAME]}`],
      },
    }),
  );
  disposer.use(
    createController({
      name: 'serviceaccount-token-controller',
      clock,
      logger,
      sources: [
        source(secrets, (secret) => [keyOf(secret)]),
        source(accounts, (account) => secrets.byIndex('account', keyOf(account)).map(keyOf)),
      ],
      reconcile: async ({ namespace, name, signal }) => {
        const secret = secrets.get(name, namespace);
        if (secret?.type !== TYPE || secret.metadata?.deletionTimestamp) return undefined;
        const accountName = secret.metadata?.annotations?.[ACCOUNT_NAME] ?? '';
        const account = accounts.get(accountName, namespace);
        const uid = secret.metadata?.annotations?.[ACCOUNT_UID];
        if (!account || (uid !== undefined && uid !== account.metadata?.uid)) {
          await ignoreNotFound(client.delete(RESOURCES.secrets, { name, namespace }, { signal }));
          return undefined;
        }
        const data = secret.data ?? {};
        const ca = encode(caPem);
        if (data.token && data['ca.crt'] === ca && data.namespace && uid !== undefined) return undefined;
        const token = data.token ?? encode(await requestToken(secret, accountName, signal));
        await client.update<Secret>(
          RESOURCES.secrets,
          {
            ...secret,
            metadata: {
              ...secret.metadata,
              annotations: { ...secret.metadata?.annotations, [ACCOUNT_UID]: account.metadata?.uid ?? '' },
            },
            data: { ...data, token, 'ca.crt': ca, namespace: encode(namespace) },
          },
          { signal },
        );
        return undefined;
      },
    }),
  );

  async function requestToken(secret: Secret, accountName: string, signal: AbortSignal): Promise<string> {
    const { name = '', namespace, uid = '' } = secret.metadata ?? {};
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { ...(namespace ? { namespace } : {}) },
      spec: {
        audiences: [],
        boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name, uid },
        expirationSeconds: EXPIRATION_SECONDS,
      },
    };
    const answer = await client.create<TokenRequest>(RESOURCES.serviceaccounts, request, {
      subresource: 'token',
      name: accountName,
      signal,
    });
    return answer.status?.token ?? '';
  }

  return disposer;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
