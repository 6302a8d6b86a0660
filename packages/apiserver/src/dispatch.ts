import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, methodNotAllowed, resourceNotFound } from '@kind-e2e/kube-api';
import type { ApiContext, ResourceRequest } from './api-context.ts';
import { handleCreate } from './handlers/create.ts';
import { handleDelete, handleDeleteCollection } from './handlers/delete.ts';
import { handleGet } from './handlers/get.ts';
import { handleList } from './handlers/list.ts';
import { handlePatch } from './handlers/patch.ts';
import { handleUpdate } from './handlers/update.ts';
import { handleWatch } from './handlers/watch.ts';
import { negotiateObject } from './http/negotiation.ts';
import type { RequestInfo } from './http/request-info.ts';
import { sendText } from './http/respond.ts';
import { handleMetrics } from './metrics-api/handlers.ts';
import type { User } from './options.ts';
import type { ServedResource } from './resources/served-resource.ts';
import { handleAccessReview } from './reviews/access-review.ts';
import { handleSelfReview, handleTokenReview } from './reviews/identity-review.ts';
import { handleRulesReview } from './reviews/rules-review.ts';
import { handleProxy, handleStreamWithoutUpgrade } from './streams/handlers.ts';
import { handleLog } from './streams/log.ts';
import { handleBinding } from './subresources/binding.ts';
import { handleEviction } from './subresources/eviction.ts';
import { handleFinalize } from './subresources/finalize.ts';
import { handleScale } from './subresources/scale.ts';
import { handleToken } from './subresources/token.ts';
import type { IncludeObject } from './views/table.ts';

/** Finds what serves a request for a resource. Throws a `StatusError` where nothing does. */
export async function dispatchResource(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  info: RequestInfo,
  query: URLSearchParams,
  user: User,
  warnings: string[],
  signal: AbortSignal,
): Promise<void> {
  const resource = context.resources.find(info.group, info.version, info.resource);
  if (!resource) {
    if (!context.resources.hasGroupVersion(info.group, info.version)) {
      await sendText(request, response, '404 page not found\n', {
        status: 404,
        contentType: 'text/plain; charset=utf-8',
      });
      return;
    }
    throw resourceNotFound();
  }
  checkScope(resource, info);
  if (resource.deprecation !== undefined) warnings.push(resource.deprecation);
  const form = negotiateObject(request.headers.accept, query);
  const call: ResourceRequest = {
    context,
    request,
    response,
    // A namespace counts as its own namespace for RBAC, but is stored without one.
    info: resource.definition.namespaced ? info : { ...info, namespace: '' },
    query,
    user,
    resource,
    form,
    include: form.form === 'Table' ? includeOf(query) : 'Metadata',
    warnings,
    signal,
  };
  await handlerOf(call)(call);
}

/** What stands beside a table's rows (`ValidateTableOptions`). */
function includeOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  switch (value) {
    case '':
      return 'Metadata';
    case 'Metadata':
    case 'Object':
    case 'None':
      return value;
  }
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** Namespaced objects are in a namespace, others in none; only lists and watches go over all namespaces. */
function checkScope(resource: ServedResource, info: RequestInfo): void {
  const { namespaced, group } = resource.definition;
  const isReview = group === 'authorization.k8s.io' || group === 'authentication.k8s.io';
  if (!namespaced && info.namespace !== '' && resource.collection !== 'namespaces') throw resourceNotFound();
  if (!namespaced || info.namespace !== '' || isReview) return;
  if (info.name !== '') throw resourceNotFound();
  if (info.verb !== 'list' && info.verb !== 'watch') throw methodNotAllowed();
}

type Handler = (call: ResourceRequest) => Promise<void>;

function handlerOf(call: ResourceRequest): Handler {
  const { info, resource } = call;
  if (resource.definition.group === 'metrics.k8s.io') {
    if ((info.verb !== 'get' && info.verb !== 'list') || info.subresource !== '') throw methodNotAllowed();
    return handleMetrics;
  }
  const review = REVIEWS.get(resource.collection);
  if (review) {
    if (info.verb !== 'create' || info.name !== '') throw methodNotAllowed();
    return review;
  }
  if (info.subresource === '' || (STORED_PARTS.has(info.subresource) && hasSubresource(resource, info.subresource))) {
    if (info.subresource !== '' && !['get', 'update', 'patch'].includes(info.verb)) throw methodNotAllowed();
    switch (info.verb) {
      case 'get':
        return handleGet;
      case 'list':
        return handleList;
      case 'watch':
        return handleWatch;
      case 'create':
        if (info.name !== '') throw methodNotAllowed();
        return handleCreate;
      case 'update':
        if (info.name === '') throw methodNotAllowed();
        return handleUpdate;
      case 'patch':
        if (info.name === '') throw methodNotAllowed();
        return handlePatch;
      case 'delete':
        return handleDelete;
      case 'deletecollection':
        if (!resource.definition.verbs.includes('deletecollection')) throw methodNotAllowed();
        return handleDeleteCollection;
      default:
        throw methodNotAllowed();
    }
  }
  const special = SUBRESOURCES.get(`${resource.collection}/${info.subresource}/${info.verb}`);
  if (special) return special;
  if (!hasSubresource(resource, info.subresource)) throw resourceNotFound();
  if (info.subresource === 'proxy') return handleProxy;
  if (STREAMS.has(info.subresource) && ['get', 'create'].includes(info.verb)) return handleStreamWithoutUpgrade;
  if (info.subresource === 'scale' && ['get', 'update', 'patch'].includes(info.verb)) return handleScale;
  throw methodNotAllowed();
}

/** Subresources that are the object itself, of which only a part can be changed. */
const STORED_PARTS: ReadonlySet<string> = new Set(['status', 'ephemeralcontainers', 'resize', 'approval']);

const REVIEWS: ReadonlyMap<string, Handler> = new Map([
  ['bindings', handleBinding],
  ['authentication.k8s.io/selfsubjectreviews', handleSelfReview],
  ['authentication.k8s.io/tokenreviews', handleTokenReview],
  ['authorization.k8s.io/localsubjectaccessreviews', handleAccessReview],
  ['authorization.k8s.io/selfsubjectaccessreviews', handleAccessReview],
  ['authorization.k8s.io/selfsubjectrulesreviews', handleRulesReview],
  ['authorization.k8s.io/subjectaccessreviews', handleAccessReview],
]);

const SUBRESOURCES: ReadonlyMap<string, Handler> = new Map([
  ['pods/binding/create', handleBinding],
  ['pods/eviction/create', handleEviction],
  ['namespaces/finalize/update', handleFinalize],
  ['serviceaccounts/token/create', handleToken],
  ['pods/log/get', handleLog],
]);

/** Subresources of a pod that are connections. */
export const STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward']);

function hasSubresource(resource: ServedResource, name: string): boolean {
  return resource.definition.subresources.some((sub) => sub.name === name);
}
