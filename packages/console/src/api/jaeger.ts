import { z } from 'zod';
import { type Microseconds, type Milliseconds, microseconds, msToUs } from '../units/brands.ts';
import { getJson } from './http.ts';

/** Jaeger's JSON (jaeger: internal/uimodel/model.go), read from `/jaeger/api`. Times are microseconds. */
const BASE = '/jaeger/api';

const keyValue = z.object({ key: z.string(), type: z.string().optional(), value: z.unknown() });
const us = z.number().transform(microseconds);

const jaegerSpan = z.object({
  traceID: z.string(),
  spanID: z.string(),
  operationName: z.string(),
  references: z
    .array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() }))
    .nullish()
    .transform((value) => value ?? []),
  startTime: us,
  duration: us,
  tags: z
    .array(keyValue)
    .nullish()
    .transform((value) => value ?? []),
  logs: z
    .array(z.object({ timestamp: us, fields: z.array(keyValue) }))
    .nullish()
    .transform((value) => value ?? []),
  processID: z.string().nullish(),
  process: z.object({ serviceName: z.string(), tags: z.array(keyValue).nullish() }).nullish(),
  warnings: z.array(z.string()).nullish(),
});

const jaegerTrace = z.object({
  traceID: z.string(),
  spans: z.array(jaegerSpan),
  processes: z.record(z.string(), z.object({ serviceName: z.string(), tags: z.array(keyValue).nullish() })).nullish(),
});

export type KeyValue = { key: string; value: string; type: string };

/** A span as the pages use it: parent resolved, tags as text, service beside it. */
export interface Span {
  id: string;
  traceId: string;
  parentId: string | undefined;
  service: string;
  operation: string;
  start: Microseconds;
  duration: Microseconds;
  kind: string;
  hasError: boolean;
  tags: KeyValue[];
  process: KeyValue[];
  events: { at: Microseconds; fields: KeyValue[] }[];
  links: { traceId: string; spanId: string; type: string }[];
  warnings: string[];
}

export interface Trace {
  id: string;
  spans: Span[];
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
const toKeyValue = (item: z.infer<typeof keyValue>): KeyValue => ({
  key: item.key,
  value: textOf(item.value),
  type: item.type ?? 'string',
});

function toSpan(span: z.infer<typeof jaegerSpan>, processes: z.infer<typeof jaegerTrace>['processes']): Span {
  const process = span.process ?? (span.processID ? processes?.[span.processID] : undefined);
  const tags = span.tags.map(toKeyValue);
  const tag = (key: string): string | undefined => tags.find((item) => item.key === key)?.value;
  const parent =
    span.references.find((reference) => reference.refType === 'CHILD_OF' && reference.traceID === span.traceID) ??
    span.references.find((reference) => reference.traceID === span.traceID);
  return {
    id: span.spanID,
    traceId: span.traceID,
    parentId: parent?.spanID,
    service: process?.serviceName ?? 'unknown',
    operation: span.operationName,
    start: span.startTime,
    duration: span.duration,
    kind: tag('span.kind') ?? 'internal',
    hasError: tag('error') === 'true' || tag('otel.status_code') === 'ERROR',
    tags,
    process: (process?.tags ?? []).map(toKeyValue),
    events: span.logs.map((log) => ({ at: log.timestamp, fields: log.fields.map(toKeyValue) })),
    links: span.references
      .filter((reference) => reference !== parent)
      .map((reference) => ({ traceId: reference.traceID, spanId: reference.spanID, type: reference.refType })),
    warnings: span.warnings ?? [],
  };
}

export const toTrace = (trace: z.infer<typeof jaegerTrace>): Trace => ({
  id: trace.traceID,
  spans: trace.spans.map((span) => toSpan(span, trace.processes)),
});

export const traceListResponse = z.object({
  data: z
    .array(jaegerTrace)
    .nullable()
    .transform((value) => (value ?? []).map(toTrace)),
});

const names = z.object({ data: z.array(z.string()).nullable() });

export async function services(signal?: AbortSignal): Promise<string[]> {
  return ((await getJson(`${BASE}/services`, names, { signal })).data ?? []).sort();
}

export async function operations(service: string, signal?: AbortSignal): Promise<string[]> {
  const path = `${BASE}/services/${encodeURIComponent(service)}/operations`;
  return ((await getJson(path, names, { signal })).data ?? []).sort();
}

export interface TraceSearch {
  service: string;
  operation?: string | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
  minDuration?: string | undefined;
  maxDuration?: string | undefined;
  from: Milliseconds;
  to: Milliseconds;
  limit: number;
}

export async function searchTraces(search: TraceSearch, signal?: AbortSignal): Promise<Trace[]> {
  const params = {
    service: search.service,
    operation: search.operation,
    tags: search.tags && Object.keys(search.tags).length > 0 ? JSON.stringify(search.tags) : undefined,
    minDuration: search.minDuration,
    maxDuration: search.maxDuration,
    start: Math.floor(msToUs(search.from)),
    end: Math.ceil(msToUs(search.to)),
    limit: search.limit,
    lookback: 'custom',
  };
  return (await getJson(`${BASE}/traces`, traceListResponse, { params, signal })).data;
}

/** The trace, or undefined when nobody has heard of it yet. */
export async function traceById(id: string, signal?: AbortSignal): Promise<Trace | undefined> {
  return (await getJson(`${BASE}/traces/${encodeURIComponent(id)}`, traceListResponse, { signal })).data[0];
}

const dependency = z.object({ parent: z.string(), child: z.string(), callCount: z.number() });
export type Dependency = z.infer<typeof dependency>;

export async function dependencies(from: Milliseconds, to: Milliseconds, signal?: AbortSignal): Promise<Dependency[]> {
  const schema = z.object({ data: z.array(dependency).nullable() });
  const params = { endTs: Math.floor(to), lookback: Math.floor(to - from) };
  return (await getJson(`${BASE}/dependencies`, schema, { params, signal })).data ?? [];
}
