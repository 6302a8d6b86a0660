import { ApiError } from '../http/api-error.ts';
import type { Route } from '../http/router.ts';
import { sendText } from '../http/send.ts';

/**
 * What Prometheus offers only behind its flags, refused in its own words (web/web.go for `--web.enable-lifecycle`,
 * web/api/v1/api.go for `--web.enable-admin-api`), and the paths of ingest for methods that ingest does not take.
 */
export function refusedRoutes(): Route[] {
  const lifecycle = (path: string): Route[] => [
    {
      methods: ['POST', 'PUT'],
      path,
      handle: ({ response }) => sendText(response, 403, 'Lifecycle API is not enabled.'),
    },
    {
      methods: ['GET'],
      path,
      handle: ({ response }) => sendText(response, 405, 'Only POST or PUT requests allowed'),
    },
  ];
  const admin = (path: string): Route => ({
    methods: ['POST', 'PUT'],
    path: `/api/v1/admin/tsdb/${path}`,
    handle: () => {
      throw new ApiError(500, 'admin APIs disabled', 'unavailable');
    },
  });
  const ingest = (path: string): Route => ({
    methods: ['POST'],
    path,
    handle: ({ response }) => sendText(response, 404, '404 page not found\n'),
  });
  return [
    ...lifecycle('/-/reload'),
    ...lifecycle('/-/quit'),
    {
      methods: ['DELETE'],
      path: '/api/v1/series',
      handle: () => {
        throw new ApiError(500, 'not implemented', 'internal');
      },
    },
    admin('delete_series'),
    admin('clean_tombstones'),
    admin('snapshot'),
    ingest('/api/v1/write'),
    ingest('/api/v1/otlp/v1/metrics'),
  ];
}
