import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../api-context.ts';
import { parseAccept } from '../http/negotiation.ts';
import { sendText } from '../http/respond.ts';
import { type ApiGroup, apiGroups } from './api-groups.ts';
import { aggregatedDiscovery, groupDocument, resourceList } from './documents.ts';
import { serveHealth } from './health.ts';
import { serveOpenApi } from './openapi.ts';
import { versionInfo } from './version.ts';

const AGGREGATED_VERSIONS: ReadonlySet<string> = new Set(['v2', 'v2beta1']);

/** Answers everything that is not about objects: version, health, discovery, OpenAPI; false for any other path. */
export async function serveDiscovery(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<boolean> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (await serveHealth(context, request, response, path, query)) return true;
  if (path.startsWith('/openapi/')) return serveOpenApi(context, request, response, path, query);
  const document = documentOf(context, request, path);
  if (!document) return false;
  const body = JSON.stringify(document.value, undefined, document.isIndented ? 2 : undefined);
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 64).toUpperCase()}"`;
  const headers = { ETag: etag, Vary: 'Accept' };
  if (document.contentType !== undefined && request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers);
    response.end();
    return true;
  }
  await sendText(request, response, body, {
    ...(document.contentType === undefined ? {} : { contentType: document.contentType, headers }),
  });
  return true;
}

interface Document {
  readonly value: unknown;
  readonly contentType?: string;
  /** Written for people to read, as `WriteRawJSON` of the real server does. */
  readonly isIndented?: boolean;
}

function documentOf(context: ApiContext, request: IncomingMessage, path: string): Document | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, first, second, ...rest] = parts;
  if (path === '/version' || path === '/version/') return { value: versionInfo(), isIndented: true };
  if (path === '/.well-known/openid-configuration') return { value: openIdConfiguration(context) };
  if (path === '/openid/v1/jwks') return { value: context.tokens.keySet, contentType: 'application/jwk-set+json' };
  if (root === undefined) return { value: { paths: rootPaths(apiGroups(context.resources)) }, isIndented: true };
  if ((root !== 'api' && root !== 'apis') || rest.length > 0) return undefined;
  const groups = apiGroups(context.resources);
  if (first === undefined) return rootDocument(request, groups, root);
  if (root === 'api') {
    const core = groups.find(({ name }) => name === '')?.versions.find(({ version }) => version === first);
    return core && second === undefined ? { value: resourceList(core) } : undefined;
  }
  const group = groups.find(({ name }) => name === first && name !== '');
  if (!group) return undefined;
  if (second === undefined)
    return { value: { kind: 'APIGroup', apiVersion: 'v1', ...(groupDocument(group) as object) } };
  const version = group.versions.find((one) => one.version === second);
  return version ? { value: resourceList(version) } : undefined;
}

function rootDocument(request: IncomingMessage, groups: readonly ApiGroup[], root: 'api' | 'apis'): Document {
  const shown = groups.filter(({ name }) => (name === '') === (root === 'api'));
  const version = aggregatedVersion(request.headers.accept);
  if (version !== undefined)
    return {
      value: aggregatedDiscovery(shown, version),
      contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    };
  if (root === 'apis') return { value: { kind: 'APIGroupList', apiVersion: 'v1', groups: shown.map(groupDocument) } };
  const address = request.headers.host ?? '';
  return {
    value: {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
    },
  };
}

/** The first of the client's types decides: plain JSON, or aggregated discovery of a version that we have. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (type !== 'application/json') continue;
    if (parameters.get('as') !== 'APIGroupDiscoveryList') return undefined;
    const version = parameters.get('v') ?? '';
    if (parameters.get('g') === 'apidiscovery.k8s.io' && AGGREGATED_VERSIONS.has(version)) return version;
  }
  return undefined;
}

function rootPaths(groups: readonly ApiGroup[]): string[] {
  const paths = [
    '/api',
    '/api/v1',
    '/apis',
    '/apis/',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ];
  for (const { name, versions } of groups)
    if (name !== '') paths.push(`/apis/${name}`, ...versions.map(({ groupVersion }) => `/apis/${groupVersion}`));
  return paths.sort();
}

function openIdConfiguration({ tokens }: ApiContext): unknown {
  return {
    issuer: tokens.issuer,
    jwks_uri: `${tokens.issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [tokens.algorithm],
  };
}
