import { z } from 'zod';
import provisioning from '../../datasources.json';
import type { Span } from '../api/jaeger.ts';
import { parseDuration } from '../time/range.ts';

/**
 * How one signal leads to another, read from Grafana's provisioning file of the data sources
 * (grafana: docs/sources/datasources/{loki,jaeger,prometheus}): data, not code.
 */
const tagMapping = z.object({ key: z.string(), value: z.string().optional() });

const traceTo = {
  datasourceUid: z.string(),
  spanStartTimeShift: z.string().optional(),
  spanEndTimeShift: z.string().optional(),
  tags: z.array(tagMapping).optional(),
};

const jsonData = z.looseObject({
  timeInterval: z.string().optional(),
  exemplarTraceIdDestinations: z
    .array(
      z.object({
        name: z.string(),
        datasourceUid: z.string().optional(),
        url: z.string().optional(),
        urlDisplayLabel: z.string().optional(),
      }),
    )
    .optional(),
  derivedFields: z
    .array(
      z.object({
        name: z.string(),
        matcherRegex: z.string(),
        matcherType: z.enum(['regex', 'label']).optional(),
        url: z.string().optional(),
        datasourceUid: z.string().optional(),
        urlDisplayLabel: z.string().optional(),
      }),
    )
    .optional(),
  tracesToLogsV2: z
    .object({
      ...traceTo,
      filterByTraceID: z.boolean().optional(),
      filterBySpanID: z.boolean().optional(),
      customQuery: z.boolean().optional(),
      query: z.string().optional(),
    })
    .optional(),
  tracesToMetrics: z
    .object({ ...traceTo, queries: z.array(z.object({ name: z.string(), query: z.string() })).optional() })
    .optional(),
});

const provisioningFile = z.object({
  datasources: z.array(
    z.object({
      name: z.string(),
      uid: z.string(),
      type: z.string(),
      url: z.string().optional(),
      isDefault: z.boolean().optional(),
      jsonData: jsonData.optional(),
    }),
  ),
});

export type DataSource = z.infer<typeof provisioningFile>['datasources'][number];

export const DATA_SOURCES: readonly DataSource[] = provisioningFile.parse(provisioning).datasources;

const ofType = (type: string): DataSource | undefined => DATA_SOURCES.find((source) => source.type === type);
export const typeOfSource = (uid: string): string | undefined =>
  DATA_SOURCES.find((source) => source.uid === uid || source.name === uid)?.type;

/** An address of the console with parameters that the travelling time range must not override. */
export interface SignalLink {
  label: string;
  path: string;
  params: Record<string, string>;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: Grafana's own notation
const PLACEHOLDERS = {
  value: '${__value.raw}',
  tags: '${__tags}',
  traceId: '${__span.traceId}',
  spanId: '${__span.spanId}',
} as const;
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: Grafana's own notation

const isTraceSource = (uid: string | undefined): boolean => uid !== undefined && typeOfSource(uid) === 'jaeger';

/** The links that a log line gives, by the derived fields: usually its trace. */
export function linksOfLine(
  line: string,
  labels: Readonly<Record<string, string>> = {},
): (SignalLink & { value: string; href?: string })[] {
  const found: (SignalLink & { value: string; href?: string })[] = [];
  for (const field of ofType('loki')?.jsonData?.derivedFields ?? []) {
    const value =
      field.matcherType === 'label' ? labels[field.matcherRegex] : new RegExp(field.matcherRegex).exec(line)?.[1];
    // Outside of a request the ids are zeros.
    if (value === undefined || /^0*$/.test(value)) continue;
    const label = field.urlDisplayLabel ?? field.name;
    if (isTraceSource(field.datasourceUid)) found.push({ label, value, path: `/jaeger/trace/${value}`, params: {} });
    else if (field.url)
      found.push({
        label,
        value,
        path: '',
        params: {},
        href: field.url.replaceAll(PLACEHOLDERS.value, encodeURIComponent(value)),
      });
  }
  return found;
}

/** The trace that an exemplar belongs to. */
export function traceOfExemplar(labels: Readonly<Record<string, string>>): string | undefined {
  for (const destination of ofType('prometheus')?.jsonData?.exemplarTraceIdDestinations ?? [])
    if (isTraceSource(destination.datasourceUid) && labels[destination.name]) return labels[destination.name];
  return undefined;
}

const tagValue = (span: Span, key: string): string | undefined =>
  key === 'service.name'
    ? // A sidecar reports as `app.namespace`; its log lines carry the app.
      span.service.replace(/\.[a-z0-9-]+$/, '')
    : (span.tags.find((tag) => tag.key === key) ?? span.process.find((tag) => tag.key === key))?.value;

function matchersOf(span: Span, tags: readonly z.infer<typeof tagMapping>[]): string {
  return tags
    .flatMap((tag) => {
      const value = tagValue(span, tag.key);
      return value === undefined ? [] : [`${tag.value ?? tag.key.replaceAll('.', '_')}=${JSON.stringify(value)}`];
    })
    .join(', ');
}

function windowOf(
  span: Span,
  mapping: { spanStartTimeShift?: string | undefined; spanEndTimeShift?: string | undefined },
): { from: string; to: string } {
  const shift = (text: string | undefined): number => {
    if (text === undefined) return 0;
    const sign = text.startsWith('-') ? -1 : 1;
    return sign * (parseDuration(text.replace(/^[-+]/, '')) ?? 0);
  };
  return {
    from: String(Math.floor(span.start / 1000 + shift(mapping.spanStartTimeShift))),
    to: String(Math.ceil((span.start + span.duration) / 1000 + shift(mapping.spanEndTimeShift))),
  };
}

/** The query for the log lines of a span: `{app="business-logic"} |= "<trace id>"`. */
export function logsOfSpan(span: Span): SignalLink | undefined {
  const mapping = ofType('jaeger')?.jsonData?.tracesToLogsV2;
  if (mapping === undefined) return undefined;
  const selector = `{${matchersOf(span, mapping.tags ?? [{ key: 'service.name', value: 'service_name' }])}}`;
  const expr =
    mapping.customQuery && mapping.query
      ? mapping.query
          .replaceAll(PLACEHOLDERS.tags, selector.slice(1, -1))
          .replaceAll(PLACEHOLDERS.traceId, span.traceId)
          .replaceAll(PLACEHOLDERS.spanId, span.id)
      : `${selector}${mapping.filterByTraceID ? ` |= ${JSON.stringify(span.traceId)}` : ''}${mapping.filterBySpanID ? ` |= ${JSON.stringify(span.id)}` : ''}`;
  return {
    label: 'Logs of this span',
    path: '/grafana/explore',
    params: { ds: 'loki', expr, ...windowOf(span, mapping) },
  };
}

/** The metrics of a span's service in its minutes. */
export function metricsOfSpan(span: Span): SignalLink[] {
  const mapping = ofType('jaeger')?.jsonData?.tracesToMetrics;
  return (mapping?.queries ?? []).map((query) => ({
    label: query.name,
    path: '/grafana/explore',
    params: {
      ds: 'prometheus',
      expr: query.query.replaceAll('$__tags', matchersOf(span, mapping?.tags ?? [])),
      ...windowOf(span, mapping ?? {}),
    },
  }));
}

/** The pod that a span came from, by OpenTelemetry's resource attributes or by Istio's node id. */
export function podOfSpan(span: Span): { namespace: string; name: string } | undefined {
  const tag = (key: string): string | undefined => tagValue(span, key);
  const name =
    tag('k8s.pod.name') ??
    (tag('service.instance.id')?.match(/^[a-z0-9-]+-[a-z0-9]{5}$/)?.[0] || undefined) ??
    tag('hostname') ??
    tag('host.name');
  if (name) return { name, namespace: tag('k8s.namespace.name') ?? tag('istio.namespace') ?? 'default' };
  const node = /^[a-z]+~[^~]+~([^~]+)\.([a-z0-9-]+)~/.exec(tag('node_id') ?? '');
  return node?.[1] && node[2] ? { name: node[1], namespace: node[2] } : undefined;
}
