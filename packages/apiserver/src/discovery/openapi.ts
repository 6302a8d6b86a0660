import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  type CustomKind,
  openApiV2Document,
  openApiV2Protobuf,
  openApiV3Document,
  openApiV3Index,
} from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import type { ServedResource } from '../resources/served-resource.ts';

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** What real servers call the type of the gnostic protobuf (`@` cannot stand in a media type). */
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

interface Cached {
  readonly generation: number;
  /** Compressed: the documents are large, and all clients take them so. */
  readonly content: Promise<Buffer>;
}

const caches = new WeakMap<ApiContext, Map<string, Cached>>();

/** `/openapi/v2` and `/openapi/v3`, with the kinds of CRDs; false for any other path. */
export async function serveOpenApi(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<boolean> {
  if (path === '/openapi/v2') {
    const wantsJson = !/protobuf/.test(request.headers.accept ?? '');
    const content = wantsJson
      ? document(context, 'v2.json', async () => JSON.stringify(await openApiV2Document(customKinds(context))))
      : document(context, 'v2.pb', () => openApiV2Protobuf(customKinds(context)));
    await sendCompressed(request, response, await content, wantsJson ? 'application/json' : PROTOBUF_TYPE, false);
    return true;
  }
  if (path === '/openapi/v3' || path === '/openapi/v3/') {
    await sendText(request, response, JSON.stringify(openApiV3Index(groupVersions(context))));
    return true;
  }
  const match = /^\/openapi\/v3\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))$/.exec(path);
  if (!match) return false;
  const group = match[2] ?? '';
  const version = match[1] ?? match[3] ?? '';
  if (!context.resources.hasGroupVersion(group, version)) return false;
  const content = await document(context, `v3/${group}/${version}`, async () =>
    JSON.stringify(await openApiV3Document({ group, version }, customKinds(context, group, version))),
  );
  await sendCompressed(request, response, content, 'application/json', query.has('hash'));
  return true;
}

/** Groups and versions with the hashes that change with their CRDs. */
function groupVersions(context: ApiContext): { group: string; version: string; hash?: string }[] {
  const found = new Map<string, { group: string; version: string; hash?: string }>();
  for (const { definition } of context.resources.all()) {
    const { group, version } = definition;
    const key = `${group}/${version}`;
    if (found.has(key)) continue;
    const custom = customKinds(context, group, version);
    found.set(key, { group, version, ...(custom.length > 0 ? { hash: hashOf(custom) } : {}) });
  }
  return [...found.values()];
}

function hashOf(kinds: readonly CustomKind[]): string {
  return createHash('sha256').update(JSON.stringify(kinds)).digest('hex').slice(0, 32);
}

function customKinds(context: ApiContext, group?: string, version?: string): CustomKind[] {
  return [...context.resources.all()]
    .filter(
      ({ isCustom, definition }) =>
        isCustom && (group === undefined || (definition.group === group && definition.version === version)),
    )
    .map(customKind);
}

function customKind({ definition, openApiSchema }: ServedResource): CustomKind {
  const has = (name: string): boolean => definition.subresources.some((sub) => sub.name === name);
  return {
    group: definition.group,
    version: definition.version,
    kind: definition.kind,
    listKind: definition.listKind,
    plural: definition.plural,
    namespaced: definition.namespaced,
    hasStatus: has('status'),
    hasScale: has('scale'),
    ...(openApiSchema ? { schema: openApiSchema } : {}),
  };
}

/** A document, made when it is first asked for after a change of the served kinds. */
function document(context: ApiContext, key: string, make: () => Promise<string | Uint8Array>): Promise<Buffer> {
  const cache = caches.get(context) ?? new Map<string, Cached>();
  caches.set(context, cache);
  const { generation } = context.resources;
  const known = cache.get(key);
  if (known?.generation === generation) return known.content;
  const content = make().then((made) => compress(made, { level: 5 }));
  cache.set(key, { generation, content });
  content.catch(() => cache.delete(key));
  return content;
}

async function sendCompressed(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  contentType: string,
  isImmutable: boolean,
): Promise<void> {
  const etag = `"${createHash('sha256').update(content).digest('hex').toUpperCase()}"`;
  const headers: Record<string, string> = {
    ETag: etag,
    Vary: 'Accept-Encoding, Accept',
    ...(isImmutable ? { 'Cache-Control': 'public, immutable' } : {}),
  };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = takesGzip ? content : await expand(content);
  if (response.destroyed) return;
  response.writeHead(200, {
    ...headers,
    'Content-Type': contentType,
    'Content-Length': body.length,
    ...(takesGzip ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
