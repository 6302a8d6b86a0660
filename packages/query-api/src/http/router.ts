import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@kind-e2e/base';
import { ApiError } from './api-error.ts';
import { readParameters } from './parameters.ts';

export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Of the URL and of a form in the body. */
  readonly parameters: URLSearchParams;
  /** What stands in the place of `{name}` of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly methods: readonly string[];
  /** `/api/v1/label/{name}/values` */
  readonly path: string;
  handle(context: RequestContext): Promise<void> | void;
}

/** A WebSocket route. */
export interface UpgradeRoute {
  readonly path: string;
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): Promise<void> | void;
}

export interface RouteGroup {
  readonly routes: readonly Route[];
  readonly upgrades?: readonly UpgradeRoute[];
  /** Whether a route for GET answers HEAD as well. Default true. */
  readonly answersHead?: boolean;
  /** Status of the answer to OPTIONS. Default 204. */
  optionsStatus?(path: string): number;
  /** Sets headers that all answers have. */
  prepare?(request: IncomingMessage, response: ServerResponse, path: string): void;
  /** Answers a failure in the form of the API. */
  fail(context: Pick<RequestContext, 'request' | 'response'>, error: unknown): void;
}

interface Compiled {
  readonly group: RouteGroup;
  readonly route: Route;
  readonly segments: readonly string[];
}

/** Finds the handler of a path. Literal segments win over parameters. */
export class Router {
  readonly #literal = new Map<string, Compiled[]>();
  readonly #patterns: Compiled[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds the routes of a group, each with and without every prefix. */
  add(group: RouteGroup, prefixes: readonly string[]): void {
    for (const route of group.routes)
      for (const prefix of prefixes) {
        const path = prefix + route.path;
        const compiled: Compiled = { group, route, segments: path.split('/') };
        if (path.includes('{')) this.#patterns.push(compiled);
        else {
          const same = this.#literal.get(path);
          if (same) same.push(compiled);
          else this.#literal.set(path, [compiled]);
        }
      }
  }

  /** Handles the request if a route is for it; gives whether one was. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const target = request.url ?? '/';
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    const found = this.#find(path);
    if (found.length === 0) return false;
    const method = request.method ?? 'GET';
    const match = found.find(
      ({ compiled: { route, group } }) =>
        route.methods.includes(method) ||
        (method === 'HEAD' && group.answersHead !== false && route.methods.includes('GET')),
    );
    if (!match) {
      const allowed = [...new Set([...found.flatMap(({ compiled }) => compiled.route.methods), 'OPTIONS'])].sort();
      const status = found[0]?.compiled.group.optionsStatus?.(path) ?? 204;
      if (method === 'OPTIONS') {
        found[0]?.compiled.group.prepare?.(request, response, path);
        response.writeHead(status, status === 204 ? {} : { allow: allowed.join(', ') });
      } else {
        const body = 'Method Not Allowed\n';
        response.writeHead(405, {
          allow: allowed.join(', '),
          'content-type': 'text/plain; charset=utf-8',
          'content-length': body.length,
        });
        if (request.method !== 'HEAD') response.write(body);
      }
      response.end();
      return true;
    }
    void this.#run(match.compiled, match.path, request, response, target);
    return true;
  }

  #find(path: string): { compiled: Compiled; path: Record<string, string> }[] {
    const literal = this.#literal.get(path);
    if (literal) return literal.map((compiled) => ({ compiled, path: {} }));
    const segments = path.split('/');
    const found: { compiled: Compiled; path: Record<string, string> }[] = [];
    for (const compiled of this.#patterns) {
      const values = matchSegments(compiled.segments, segments);
      if (values) found.push({ compiled, path: values });
    }
    return found;
  }

  async #run(
    compiled: Compiled,
    path: Record<string, string>,
    request: IncomingMessage,
    response: ServerResponse,
    target: string,
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new ApiError(499, 'the client went away', 'canceled'));
    });
    try {
      compiled.group.prepare?.(request, response, target.split('?', 1)[0] ?? '');
      const url = new URL(target, 'http://localhost');
      const parameters = await readParameters(request, url);
      await compiled.route.handle({ request, response, url, parameters, path, signal: gone.signal });
    } catch (error) {
      this.#logger.debug('a query was answered with an error', { path: target, error });
      if (response.headersSent || response.destroyed) response.destroy();
      else compiled.group.fail({ request, response }, error);
    }
  }
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const values: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i] ?? '';
    const segment = segments[i] ?? '';
    if (wanted.startsWith('{') && wanted.endsWith('}')) {
      if (segment === '') return undefined;
      try {
        const value = decodeURIComponent(segment);
        // A slash ends a segment however it is written, as in Go's routers.
        if (value.includes('/')) return undefined;
        values[wanted.slice(1, -1)] = value;
      } catch {
        // Bytes that are no UTF-8 are kept as the query languages keep them: as lone surrogates.
        values[wanted.slice(1, -1)] = segment.replace(/%([89a-f][0-9a-f])/gi, (_, byte: string) =>
          String.fromCharCode(0xdc00 + Number.parseInt(byte, 16)),
        );
      }
    } else if (wanted !== segment) return undefined;
  }
  return values;
}
