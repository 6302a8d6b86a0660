import { isRepositoryName } from '../image/reference.ts';
import { RegistryError } from './errors.ts';

/** What a path names (distribution-spec 1.1, "Endpoints"). */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

const UPLOADS = /^(.+)\/blobs\/uploads\/?$/;
const UPLOAD = /^(.+)\/blobs\/uploads\/([^/]+)$/;
const BLOB = /^(.+)\/blobs\/([^/]+)$/;
const MANIFEST = /^(.+)\/manifests\/([^/]+)$/;
const TAGS = /^(.+)\/tags\/list$/;
const REFERRERS = /^(.+)\/referrers\/([^/]+)$/;

/** Reads the path of a URL; undefined where nothing is served. Throws NAME_INVALID for a bad repository name. */
export function parseRoute(pathname: string): Route | undefined {
  if (pathname === '/v2' || pathname === '/v2/') return { kind: 'base' };
  if (!pathname.startsWith('/v2/')) return undefined;
  const path = decode(pathname.slice('/v2/'.length));
  if (path === '_catalog') return { kind: 'catalog' };
  const match = (pattern: RegExp): readonly [string, string] | undefined => {
    const found = pattern.exec(path);
    return found?.[1] === undefined ? undefined : [repositoryOf(found[1]), found[2] ?? ''];
  };
  let found = match(UPLOADS);
  if (found) return { kind: 'uploads', repository: found[0] };
  found = match(UPLOAD);
  if (found) return { kind: 'upload', repository: found[0], id: found[1] };
  found = match(BLOB);
  if (found) return { kind: 'blob', repository: found[0], digest: found[1] };
  found = match(MANIFEST);
  if (found) return { kind: 'manifest', repository: found[0], reference: found[1] };
  found = match(TAGS);
  if (found) return { kind: 'tags', repository: found[0] };
  found = match(REFERRERS);
  if (found) return { kind: 'referrers', repository: found[0], digest: found[1] };
  return undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryError('NAME_INVALID', 'invalid repository name');
  }
}

function repositoryOf(name: string): string {
  if (!isRepositoryName(name)) throw new RegistryError('NAME_INVALID', 'invalid repository name', { detail: { name } });
  return name;
}
