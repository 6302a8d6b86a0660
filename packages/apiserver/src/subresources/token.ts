import {
  badRequest,
  type FieldError,
  invalid,
  invalidValue,
  isRecord,
  type KubeObject,
  notFound,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { type BoundObject, DEFAULT_AUDIENCE } from '../auth/service-account-tokens.ts';
import { sendObject } from '../handlers/send.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import { currentRecord } from '../operations/update.ts';

const DEFAULT_SECONDS = 3_600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** Tokens that pods ask for with this life last a year, for clients that do not read them again (`--service-account-extend-token-expiration`). */
const EXTENDED_REQUEST_SECONDS = 3_607;
const EXTENDED_SECONDS = 365 * 24 * 3_600;

/** POST of `serviceaccounts/…/token` (registry/core/serviceaccount `TokenREST`). */
export async function handleToken(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const raw = await parseDocument(await readBody(call.request), call.request.headers['content-type'], 'TokenRequest');
  if (!isRecord(raw)) throw badRequest('the object provided is unrecognized (must be of type TokenRequest)');
  const spec = isRecord(raw.spec) ? raw.spec : {};
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const wrongType = (field: string, type: string): Error =>
    badRequest(
      `TokenRequest in version "v1" cannot be handled as a TokenRequest: json: cannot unmarshal into Go struct field TokenRequestSpec.spec.${field} of type ${type}`,
    );
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) throw wrongType('expirationSeconds', 'int64');
  const given = spec.audiences ?? [];
  if (!Array.isArray(given) || given.some((one) => typeof one !== 'string')) throw wrongType('audiences', '[]string');
  const errors: FieldError[] = [];
  if (seconds < MIN_SECONDS)
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > MAX_SECONDS)
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'));
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  for (const part of ['name', 'namespace'] as const)
    if (metadata[part] && metadata[part] !== info[part])
      throw invalid(kind, info.name, [
        invalidValue(`metadata.${part}`, metadata[part], `must match the service account ${part} if specified`),
      ]);
  const account = currentRecord(context, resource, info.namespace, info.name).object;
  if (errors.length > 0) throw invalid(kind, '', errors);
  const { bound, node } = boundObjectOf(call, spec.boundObjectRef);
  const audiences = given.length > 0 ? (given as string[]) : [DEFAULT_AUDIENCE];
  const isExtended = seconds === EXTENDED_REQUEST_SECONDS && bound?.kind === 'Pod' && given.length === 0;
  const { token, expiresMs } = context.tokens.sign({
    namespace: info.namespace,
    serviceAccount: { name: info.name, uid: account.metadata?.uid ?? '' },
    audiences,
    expiresInSeconds: isExtended ? EXTENDED_SECONDS : seconds,
    ...(bound ? { bound } : {}),
    ...(node ? { node } : {}),
  });
  const endMs = isExtended ? context.clock.now() + seconds * 1000 : expiresMs;
  await sendObject(
    call,
    {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: info.name, namespace: info.namespace, creationTimestamp: timestampOf(context.clock.now()) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
      status: { token, expirationTimestamp: timestampOf(endMs) },
    } as KubeObject,
    201,
  );
}

function boundObjectOf(
  call: ResourceRequest,
  reference: unknown,
): { bound?: BoundObject; node?: { name: string; uid: string } } {
  if (!isRecord(reference)) return {};
  const { context, info } = call;
  const kind = String(reference.kind ?? '');
  const name = String(reference.name ?? '');
  if ((kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') || (reference.apiVersion ?? 'v1') !== 'v1')
    throw badRequest(`cannot bind token for serviceaccount "${info.name}" to ${kind}`);
  const plural = `${kind.toLowerCase()}s`;
  const record = context.store.collection(plural).get(kind === 'Node' ? '' : info.namespace, name);
  if (!record) throw notFound({ group: '', resource: plural }, name);
  const uid = record.object.metadata?.uid ?? '';
  if (typeof reference.uid === 'string' && reference.uid !== '' && reference.uid !== uid)
    throw badRequest(
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (kind !== 'Pod') return { bound: { kind, name, uid } };
  const spec = sectionOf(record.object, 'spec');
  if (spec.serviceAccountName !== info.name)
    throw badRequest(
      `cannot bind token for serviceaccount "${info.name}" to pod running with different serviceaccount name.`,
    );
  const nodeName = typeof spec.nodeName === 'string' ? spec.nodeName : '';
  const node = nodeName === '' ? undefined : context.store.collection('nodes').get('', nodeName);
  return {
    bound: { kind, name, uid },
    ...(node ? { node: { name: nodeName, uid: node.object.metadata?.uid ?? '' } } : {}),
  };
}
