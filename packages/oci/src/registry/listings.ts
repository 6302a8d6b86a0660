import { OCI_CONFIG, OCI_INDEX } from '../image/media-types.ts';
import type { Descriptor, Manifest } from '../image/types.ts';
import { digestFrom, methodNotAllowed } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { type Exchange, sendJson } from './exchange.ts';
import { unknownRepository } from './manifests.ts';

/** `GET /v2/_catalog`: names of repositories, paged by `n` and `last` (Docker's registry API). */
export async function handleCatalog(exchange: Exchange): Promise<void> {
  requireGet(exchange);
  const page = pageOf(exchange, await exchange.store.listRepositories(), '/v2/_catalog');
  sendJson(exchange, { repositories: page.names }, page.headers);
}

/** `GET /v2/<name>/tags/list`, in lexical order, paged by `n` and `last`. */
export async function handleTags(exchange: Exchange, repository: string): Promise<void> {
  requireGet(exchange);
  if (!(await exchange.store.hasRepository(repository))) throw unknownRepository(repository);
  const page = pageOf(exchange, await exchange.store.listTags(repository), `/v2/${repository}/tags/list`);
  sendJson(exchange, { name: repository, tags: page.names }, page.headers);
}

function pageOf(
  exchange: Exchange,
  all: readonly string[],
  path: string,
): { readonly names: readonly string[]; readonly headers: Record<string, string> } {
  const last = exchange.query.get('last');
  const rest = last === null ? all : all.filter((name) => name > last);
  const text = exchange.query.get('n');
  if (text === null) return { names: rest, headers: {} };
  const limit = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(limit))
    throw new RegistryError('PAGINATION_NUMBER_INVALID', 'invalid number of results requested', {
      detail: { n: text },
    });
  const names = rest.slice(0, limit);
  const end = names.at(-1);
  if (end === undefined || names.length === rest.length) return { names, headers: {} };
  const next = new URLSearchParams({ n: text, last: end });
  return { names, headers: { Link: `<${path}?${next}>; rel="next"` } };
}

/** `GET /v2/<name>/referrers/<digest>`: an index of the manifests whose subject is the digest. */
export async function handleReferrers(exchange: Exchange, repository: string, text: string): Promise<void> {
  requireGet(exchange);
  const subject = digestFrom(text);
  const filter = exchange.query.get('artifactType');
  const manifests: Descriptor[] = [];
  for (const digest of await exchange.store.listManifests(repository)) {
    const stored = await exchange.store.getManifest(repository, digest);
    if (!stored) continue;
    const manifest = JSON.parse(stored.content.toString('utf8')) as Manifest;
    if (manifest.subject?.digest !== subject) continue;
    const artifactType = artifactTypeOf(manifest);
    if (filter !== null && artifactType !== filter) continue;
    manifests.push({
      mediaType: stored.mediaType,
      digest,
      size: stored.content.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(manifest.annotations ? { annotations: manifest.annotations } : {}),
    });
  }
  sendJson(
    exchange,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    { 'Content-Type': OCI_INDEX, ...(filter === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }) },
  );
}

/** Its own, or for an image manifest the media type of its config (distribution-spec 1.1, "Listing Referrers"). */
function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.artifactType !== undefined && manifest.artifactType !== '') return manifest.artifactType;
  return manifest.config?.mediaType ?? (manifest.layers ? OCI_CONFIG : undefined);
}

function requireGet(exchange: Exchange): void {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET');
}
