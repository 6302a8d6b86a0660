import { badRequest, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { DEFAULT_AUDIENCE } from '../auth/service-account-tokens.ts';
import { sendObject } from '../handlers/send.ts';
import { timestampOf } from '../operations/object-identity.ts';
import type { User } from '../options.ts';
import { readReview, textOf, textsOf } from './read-review.ts';

function userInfo(user: User): Record<string, unknown> {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
  };
}

/** POST of a SelfSubjectReview: who am I? (`kubectl auth whoami`) */
export async function handleSelfReview(call: ResourceRequest): Promise<void> {
  const { object } = await readReview(call);
  await sendObject(
    call,
    {
      ...object,
      metadata: { creationTimestamp: timestampOf(call.context.clock.now()) },
      status: { userInfo: userInfo(call.user) },
    } as KubeObject,
    201,
  );
}

/** POST of a TokenReview: whose token is this? */
export async function handleTokenReview(call: ResourceRequest): Promise<void> {
  const { context } = call;
  const { object, spec } = await readReview(call);
  const token = textOf(spec.token);
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const wanted = textsOf(spec.audiences);
  const user = context.authenticator.userOfToken(token, wanted.length > 0 ? wanted : undefined);
  const own = context.tokens.audiencesOf(token, wanted);
  const status = user
    ? {
        authenticated: true,
        user: userInfo(user),
        audiences: own.length > 0 ? own : wanted.length > 0 ? wanted : [DEFAULT_AUDIENCE],
      }
    : { user: {}, error: '[invalid bearer token, token lookup failed]' };
  await sendObject(call, { ...object, status } as KubeObject, 201);
}
