/** What a path asks for, as apiserver's `request.RequestInfoFactory` reads it. */
export interface RequestInfo {
  readonly path: string;
  /** False for `/version`, `/healthz`, discovery and the like. */
  readonly isResource: boolean;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; else the lower-case method. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** '' for objects of the cluster. */
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** Path segments after the subresource (`proxy`). */
  readonly rest: readonly string[];
}

const VERB_OF_METHOD: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of a namespace, which look like resources in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Throws a URIError where the path is not percent-encoded UTF-8. */
export function parseRequestInfo(method: string, rawPath: string, query: URLSearchParams): RequestInfo {
  const nonResource = (path: string): RequestInfo => ({
    path,
    isResource: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    name: '',
    subresource: '',
    rest: [],
  });
  // An encoded slash separates as well: Go's `URL.Path` knows no difference.
  const decoded = (rawPath.includes('%') ? decodeURIComponent(rawPath) : rawPath).split('/').slice(1);
  const path = `/${decoded.join('/')}`;
  if (decoded.at(-1) === '' && decoded.length > 1) decoded.pop();
  const isCore = decoded[0] === 'api';
  if (!isCore && decoded[0] !== 'apis') return nonResource(path);
  const head = isCore ? 2 : 3;
  if (decoded.length <= head) return nonResource(path);
  const group = isCore ? '' : (decoded[1] ?? '');
  const version = decoded[head - 1] ?? '';
  let parts = decoded.slice(head);
  let verb = VERB_OF_METHOD[method] ?? method.toLowerCase();
  if (parts[0] === 'watch') {
    parts = parts.slice(1);
    verb = 'watch';
    if (parts.length === 0) return nonResource(path);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? '';
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? '')) parts = parts.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...rest] = parts;
  if (resource === 'namespaces' && namespace !== '' && name !== namespace) namespace = '';
  if (name === '' && verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  if (verb === 'get' && name !== '' && subresource === '' && isTrue(query.get('watch'))) verb = 'watch';
  return { path, isResource: true, verb, group, version, namespace, resource, name, subresource, rest };
}

/** A boolean of a query (apimachinery `Convert_Slice_string_To_bool`): set and not `0` or `false`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}
