import { randomUUID } from 'node:crypto';
import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { AdmissionAttributes } from '../admission-chain.ts';
import type { Json } from '../pod-parts.ts';
import { type Invocation, inVersion } from './invocation.ts';

const REVIEW_GROUP = 'admission.k8s.io';
const KNOWN_VERSIONS: readonly string[] = ['v1', 'v1beta1'];

export interface Review {
  readonly uid: string;
  readonly version: string;
  readonly body: Json;
}

export interface ReviewAnswer {
  readonly isAllowed: boolean;
  readonly result: unknown;
  readonly warnings: readonly string[];
  /** JSON as it came, before it is read; '' for none. */
  readonly patch: string;
  readonly patchType: string;
}

/** What a webhook is asked (`webhook/request.CreateAdmissionObjects`). Undefined where it knows no version of ours. */
export function createReview(
  { webhook, resource: wanted }: Invocation,
  attributes: AdmissionAttributes,
  isMutating: boolean,
): Review | undefined {
  const versions = Array.isArray(webhook.admissionReviewVersions) ? webhook.admissionReviewVersions.map(String) : [];
  const version = versions.find((one) => KNOWN_VERSIONS.includes(one));
  if (version === undefined) return undefined;
  const { resource, operation, subresource, user, dryRun, operationOptions } = attributes;
  const { object, old } = inVersion(attributes, wanted);
  const uid = randomUUID();
  const part = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource };
  const metadata = attributes.object.metadata ?? {};
  const isNamed = !(isMutating && operation === 'CREATE' && isGeneratedName(attributes.object));
  const groups = user.groups.length === 0 ? {} : { groups: user.groups };
  const request = {
    uid,
    kind: kindOf(wanted.definition),
    resource: resourceOf(wanted.definition),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(resource.definition),
    requestResource: resourceOf(resource.definition),
    ...(part.requestSubResource === undefined ? {} : { requestSubResource: part.requestSubResource }),
    ...(isNamed && metadata.name ? { name: metadata.name } : {}),
    ...namespaceOf(attributes),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      ...groups,
      ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    },
    object: operation === 'DELETE' ? null : isMutating && operation === 'CREATE' ? beforeCreation(object) : object,
    oldObject: operation === 'CREATE' ? null : (old ?? null),
    dryRun,
    options: Object.keys(operationOptions).length === 0 ? null : operationOptions,
  };
  return { uid, version, body: { kind: 'AdmissionReview', apiVersion: `${REVIEW_GROUP}/${version}`, request } };
}

/** The namespace of a request: a Namespace is in itself. */
function namespaceOf({ resource, object }: AdmissionAttributes): { readonly namespace?: string } {
  const namespace = resource.collection === 'namespaces' ? object.metadata?.name : object.metadata?.namespace;
  return namespace ? { namespace } : {};
}

/** True where the API server made the name: webhooks that may change an object are asked before that. */
function isGeneratedName({ metadata }: KubeObject): boolean {
  const { name = '', generateName = '' } = metadata ?? {};
  return generateName !== '' && name.length === generateName.length + 5 && name.startsWith(generateName);
}

/** An object as its client sent it: what the server sets itself comes after the webhooks that may change it. */
function beforeCreation(object: KubeObject): KubeObject {
  const { uid: _uid, creationTimestamp: _created, name, ...metadata } = object.metadata ?? {};
  return { ...object, metadata: { ...(isGeneratedName(object) ? {} : { name }), ...metadata } };
}

function kindOf({ group, version, kind }: { group: string; version: string; kind: string }): Json {
  return { group, version, kind };
}

function resourceOf({ group, version, plural }: { group: string; version: string; plural: string }): Json {
  return { group, version, resource: plural };
}

/** Checks an answer (`webhook/request.VerifyAdmissionResponse`). Gives the problem as text where it is none. */
export function readAnswer(review: Review, isMutating: boolean, body: Json): ReviewAnswer | string {
  const { response } = body;
  if (!isRecord(response)) return 'webhook response was absent';
  const patch = typeof response.patch === 'string' ? Buffer.from(response.patch, 'base64').toString('utf8') : '';
  const { patchType } = response;
  if (review.version === 'v1') {
    const uid = typeof response.uid === 'string' ? response.uid : '';
    if (uid !== review.uid) return `expected response.uid=${JSON.stringify(review.uid)}, got ${JSON.stringify(uid)}`;
    const wanted = `${REVIEW_GROUP}/v1, Kind=AdmissionReview`;
    const given = `${String(body.apiVersion ?? '')}, Kind=${String(body.kind ?? '')}`;
    if (given !== wanted) return `expected webhook response of ${wanted}, got ${given}`;
    const problem = patchProblem(isMutating, patch, patchType);
    if (problem !== undefined) return problem;
  }
  return {
    isAllowed: response.allowed === true,
    result: response.status,
    warnings: Array.isArray(response.warnings) ? response.warnings.map(String) : [],
    patch: isMutating ? patch : '',
    patchType: typeof patchType === 'string' ? patchType : 'JSONPatch',
  };
}

function patchProblem(isMutating: boolean, patch: string, patchType: unknown): string | undefined {
  const hasType = patchType !== undefined && patchType !== null;
  if (!isMutating) {
    if (patch !== '') return 'validating webhook may not return response.patch';
    return hasType ? 'validating webhook may not return response.patchType' : undefined;
  }
  if (patch !== '' && !hasType) return 'webhook returned response.patch but not response.patchType';
  if (patch === '' && hasType) return 'webhook returned response.patchType but not response.patch';
  return patchType === '' ? 'webhook returned invalid response.patchType of ""' : undefined;
}
