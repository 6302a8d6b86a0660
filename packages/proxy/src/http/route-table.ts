import type { HeaderMatch, Route, RouteTable, StringMatch, VirtualHost } from '../snapshot/routes.ts';
import type { ServiceName } from '../snapshot/snapshot.ts';
import { getJoinedHeader } from './headers.ts';
import { compileExpression, compileMatch, type Matcher } from './match.ts';
import type { RequestHead } from './stream.ts';

/** A route ready to match. */
export interface CompiledRoute {
  readonly route: Route;
  readonly matches: (head: RequestHead, path: string, localPort: number) => boolean;
  /** The matched prefix, which a prefix rewrite replaces. */
  readonly prefix: string | undefined;
  readonly rewrite: ((path: string) => string) | undefined;
  readonly corsOrigins: readonly Matcher[];
  readonly destinationsWeight: number;
}

export interface CompiledVirtualHost {
  readonly name: string;
  readonly service: ServiceName | undefined;
  readonly routes: readonly CompiledRoute[];
}

/** Virtual hosts by domain: exact, then the longest suffix wildcard, then the longest prefix wildcard, then `*`. */
export class CompiledRouteTable {
  readonly name: string;
  readonly #exact = new Map<string, CompiledVirtualHost>();
  readonly #suffixes: [string, CompiledVirtualHost][] = [];
  readonly #prefixes: [string, CompiledVirtualHost][] = [];
  #any: CompiledVirtualHost | undefined;

  constructor(table: RouteTable) {
    this.name = table.name;
    for (const host of table.virtualHosts) this.#add(host);
    this.#suffixes.sort((a, b) => b[0].length - a[0].length);
    this.#prefixes.sort((a, b) => b[0].length - a[0].length);
  }

  #add(host: VirtualHost): void {
    const compiled: CompiledVirtualHost = {
      name: host.name,
      service: host.service,
      routes: host.routes.map(compileRoute),
    };
    for (const domain of host.domains) {
      const name = domain.toLowerCase();
      if (name === '*') this.#any ??= compiled;
      else if (name.startsWith('*')) this.#suffixes.push([name.slice(1), compiled]);
      else if (name.endsWith('*')) this.#prefixes.push([name.slice(0, -1), compiled]);
      else if (!this.#exact.has(name)) this.#exact.set(name, compiled);
    }
  }

  /** The host as sent is tried first, then without its port, as Istio's proxies ignore it. */
  hostFor(authority: string): CompiledVirtualHost | undefined {
    const name = authority.toLowerCase();
    const known = this.#exact.get(name);
    if (known) return known;
    const bare = withoutPort(name);
    return (
      this.#exact.get(bare) ??
      this.#suffixes.find(([suffix]) => bare.endsWith(suffix) && bare.length > suffix.length)?.[1] ??
      this.#prefixes.find(([prefix]) => bare.startsWith(prefix) && bare.length > prefix.length)?.[1] ??
      this.#any
    );
  }
}

export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']') && colon >= 0 ? authority.slice(0, colon) : authority;
}

export function findRoute(host: CompiledVirtualHost, head: RequestHead, localPort: number): CompiledRoute | undefined {
  const question = head.path.indexOf('?');
  const path = question < 0 ? head.path : head.path.slice(0, question);
  for (const route of host.routes) if (route.matches(head, path, localPort)) return route;
  return undefined;
}

type Test = (head: RequestHead, path: string, localPort: number) => boolean;

function compileRoute(route: Route): CompiledRoute {
  const { match, action } = route;
  const tests: Test[] = [];
  let prefix: string | undefined;
  if (match.path) {
    if ('pathPrefix' in match.path) {
      prefix = match.path.pathPrefix;
      tests.push(segmentTest(prefix, match.ignoreCase === true));
    } else {
      if ('prefix' in match.path) prefix = match.path.prefix;
      if ('exact' in match.path) prefix = match.path.exact;
      if (prefix !== '/' || 'exact' in match.path) {
        const test = compileMatch(match.path, match.ignoreCase);
        tests.push((_head, path) => test(path));
      }
    }
  }
  if (match.method) tests.push(fieldTest(match.method, (head) => head.method));
  if (match.authority) tests.push(fieldTest(match.authority, (head) => head.authority));
  if (match.scheme) tests.push(fieldTest(match.scheme, (head) => head.scheme));
  if (match.port !== undefined) tests.push((_head, _path, port) => port === match.port);
  for (const header of match.headers ?? []) tests.push(headerTest(header));
  for (const parameter of match.query ?? []) {
    const test = compileMatch(parameter.match);
    tests.push((head) => test(queryParameter(head.path, parameter.name)));
  }
  return {
    route,
    matches: tests.length === 0 ? () => true : (head, path, port) => tests.every((test) => test(head, path, port)),
    prefix,
    rewrite: action.kind === 'forward' ? compileRewrite(action.rewrite, prefix) : undefined,
    corsOrigins: (route.cors?.allowOrigins ?? []).map((origin) => compileMatch(origin)),
    destinationsWeight: action.kind === 'forward' ? action.destinations.reduce((sum, d) => sum + d.weight, 0) : 0,
  };
}

function fieldTest(match: StringMatch, fieldOf: (head: RequestHead) => string): Test {
  const test = compileMatch(match);
  return (head) => test(fieldOf(head));
}

function segmentTest(prefix: string, ignoreCase: boolean): Test {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  const wanted = ignoreCase ? bare.toLowerCase() : bare;
  return (_head, path) => {
    const given = ignoreCase ? path.toLowerCase() : path;
    return given.startsWith(wanted) && (given.length === wanted.length || given.charCodeAt(wanted.length) === 47);
  };
}

function headerTest(header: HeaderMatch): Test {
  const test = compileMatch(header.match);
  const not = header.not === true;
  return (head) => test(getJoinedHeader(head.headers, header.name)) !== not;
}

/** First value of a query parameter, as sent. */
export function queryParameter(path: string, name: string): string | undefined {
  const question = path.indexOf('?');
  if (question < 0) return undefined;
  for (const pair of path.slice(question + 1).split('&')) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (key === name) return equals < 0 ? '' : pair.slice(equals + 1);
  }
  return undefined;
}

interface Rewrite {
  readonly path?: string;
  readonly prefix?: string;
  readonly regex?: { readonly match: string; readonly rewrite: string };
}

function compileRewrite(
  rewrite: Rewrite | undefined,
  matched: string | undefined,
): ((path: string) => string) | undefined {
  if (rewrite === undefined) return undefined;
  const onPath = (change: (path: string) => string) => (whole: string) => {
    const question = whole.indexOf('?');
    return question < 0 ? change(whole) : change(whole.slice(0, question)) + whole.slice(question);
  };
  if (rewrite.regex) {
    const expression = compileExpression(rewrite.regex.match);
    const replacement = rewrite.regex.rewrite.replaceAll('$', '\\$').replaceAll(/\\(\d)/g, '$$$1');
    return onPath((path) => expression.matcher(path).replaceAll(replacement));
  }
  if (rewrite.prefix !== undefined && matched !== undefined) {
    const { prefix } = rewrite;
    return onPath((path) => {
      const rest = path.slice(matched.length);
      // Istio: a prefix without its slash must not leave two, nor none.
      if (prefix.endsWith('/') && rest.startsWith('/')) return prefix + rest.slice(1);
      const joined = prefix + rest;
      return joined.startsWith('/') ? joined : `/${joined}`;
    });
  }
  if (rewrite.path !== undefined) return onPath(() => rewrite.path ?? '/');
  return undefined;
}
