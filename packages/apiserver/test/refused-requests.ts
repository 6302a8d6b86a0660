/** What a refused request looks like, and pieces of bodies for them. */
export const CORE = '/api/v1/namespaces/default';
export const APPS = '/apis/apps/v1/namespaces/default';
export const BATCH = '/apis/batch/v1/namespaces/default';

export type Json = Record<string, unknown>;
export interface RefusedRequest {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: Json | string;
  readonly type?: string;
  readonly accept?: string;
  readonly status?: number;
  readonly says: string | readonly string[];
}

export const template = (labels?: Json, spec: Json = {}): Json => ({
  ...(labels ? { metadata: { labels } } : {}),
  spec: { containers: [{ name: 'a', image: 'x:1' }], ...spec },
});
export const of = (apiVersion: string, kind: string, name: string, more: Json): Json => ({
  apiVersion,
  kind,
  metadata: { name },
  ...more,
});
export const map = (name: string, data: Json = {}): Json => of('v1', 'ConfigMap', name, { data });
export const job = (spec: Json): Json =>
  of('batch/v1', 'Job', 'j', { spec: { suspend: true, template: template({}, { restartPolicy: 'Never' }), ...spec } });
export const service = (spec: Json): Json => of('v1', 'Service', 's', { spec });
export const MERGE = 'application/merge-patch+json';
