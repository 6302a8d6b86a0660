import type { KubeObject } from '@kind-e2e/kube-api';
import { badRequest } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { sendObject } from '../handlers/send.ts';
import { readReview, textOf } from './read-review.ts';

/** POST of a SelfSubjectRulesReview: all that I may do in a namespace (`kubectl auth can-i --list`). */
export async function handleRulesReview(call: ResourceRequest): Promise<void> {
  const { object, spec } = await readReview(call);
  const namespace = textOf(spec.namespace);
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = call.context.authorizer.rulesOf(call.user, namespace);
  await sendObject(
    call,
    {
      ...object,
      status: {
        resourceRules: rules
          .filter((rule) => rule.resources.length > 0)
          .map(({ verbs, apiGroups, resources, resourceNames }) => ({
            verbs,
            apiGroups,
            resources,
            ...(resourceNames.length > 0 ? { resourceNames } : {}),
          })),
        nonResourceRules: rules
          .filter((rule) => rule.nonResourceURLs.length > 0)
          .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
        incomplete: false,
      },
    } as KubeObject,
    201,
  );
}
