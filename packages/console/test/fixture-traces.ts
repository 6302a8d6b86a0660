import { nowSecond } from './fixture-clock.ts';
import { noise, WORKLOADS } from './fixture-metrics.ts';

/** Traces as Jaeger answers them: one every ten seconds, of the shape of the app's slow and fast pages. */
export interface FixtureSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: string; traceID: string; spanID: string }[];
  startTime: number;
  duration: number;
  tags: { key: string; type: string; value: unknown }[];
  logs: { timestamp: number; fields: { key: string; type: string; value: unknown }[] }[];
  processID: string;
  warnings: null;
}
export interface FixtureTrace {
  traceID: string;
  spans: FixtureSpan[];
  processes: Record<string, { serviceName: string; tags: { key: string; type: string; value: unknown }[] }>;
}

const EVERY_S = 10;
const KEPT_S = 3 * 3600;
export const BIG_TRACE_ID = 'f'.repeat(32);

const hex = (seed: number, length: number): string => {
  let text = '';
  for (let index = 0; text.length < length; index += 1)
    text += Math.floor(noise(seed % 999_983, index * 5 + (seed % 7919)) * 0xffffffff)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, length);
};
const tag = (key: string, value: unknown) => ({
  key,
  type: typeof value === 'number' ? 'int64' : typeof value === 'boolean' ? 'bool' : 'string',
  value,
});

const SERVICES = [
  'istio-ingressgateway.istio-system',
  'front-end.default',
  'front-end',
  'business-logic.default',
  'business-logic',
] as const;

function processes(): FixtureTrace['processes'] {
  return Object.fromEntries(
    SERVICES.map((serviceName, index) => [
      `p${index}`,
      {
        serviceName,
        tags: serviceName.includes('.')
          ? [tag('ip', `127.32.0.${index + 4}`)]
          : [
              tag('k8s.pod.name', WORKLOADS.find((item) => item.app === serviceName)?.pods[0] ?? ''),
              tag('k8s.namespace.name', 'default'),
              tag('telemetry.sdk.language', 'nodejs'),
              tag('telemetry.sdk.name', 'opentelemetry'),
              tag('telemetry.sdk.version', '2.8.0'),
            ],
      },
    ]),
  );
}

const made = new Map<number, FixtureTrace>();

/** The trace of the ten seconds that `second` is in. */
export function traceAt(second: number): FixtureTrace {
  const slot = Math.floor(second / EVERY_S);
  const known = made.get(slot);
  if (known) return known;
  const trace = traceOfSlot(slot);
  made.set(slot, trace);
  return trace;
}

function traceOfSlot(slot: number): FixtureTrace {
  const traceID = hex(slot, 32);
  const isSlow = slot % 3 === 0;
  const isFailed = slot % 17 === 4;
  const page = isSlow ? 'slow' : 'fast';
  const endpoint = `${page}-endpoint`;
  const work = isSlow
    ? 3_000_000 + Math.floor(noise(slot, 1) * 18_000)
    : 3_000 + Math.floor(noise(slot, 2) ** 4 * 80_000);
  let count = 0;
  const spans: FixtureSpan[] = [];
  const start = slot * EVERY_S * 1e6 + Math.floor(noise(slot, 3) * 8e6);
  const add = (
    parent: string | undefined,
    process: number,
    operationName: string,
    kind: string,
    from: number,
    duration: number,
    tags: FixtureSpan['tags'] = [],
  ): string => {
    count += 1;
    const spanID = hex(slot * 31 + count, 16);
    spans.push({
      traceID,
      spanID,
      operationName,
      references: parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parent }],
      startTime: start + from,
      duration,
      tags: [
        tag('span.kind', kind),
        ...tags,
        ...(isFailed && process > 1 && kind === 'server' ? [tag('error', true), tag('otel.status_code', 'ERROR')] : []),
      ],
      logs: [],
      processID: `p${process}`,
      warnings: null,
    });
    return spanID;
  };
  const status = isFailed ? 500 : 200;
  const istio = (url: string, cluster: string) => [
    tag('component', 'proxy'),
    tag('node_id', 'sidecar~127.32.0.6~front-end-6d8f7c9b54-2kq8x.default~default.svc.cluster.local'),
    tag('http.method', 'GET'),
    tag('http.url', url),
    tag('http.status_code', status),
    tag('http.protocol', 'HTTP/1.1'),
    tag('upstream_cluster', cluster),
    tag('upstream_cluster.name', cluster),
    tag('response_flags', '-'),
    tag('request_size', 0),
    tag('response_size', 412),
    tag('user_agent', 'Mozilla/5.0 (X11; Linux x86_64)'),
    tag('guid:x-request-id', `${hex(slot, 8)}-3c1f-9f0a-8a31-${hex(slot + 1, 12)}`),
    tag('peer.address', '127.0.0.1'),
    tag('istio.canonical_service', 'front-end'),
    tag('istio.canonical_revision', 'v1'),
    tag('istio.mesh_id', 'cluster.local'),
    tag('istio.namespace', 'default'),
    tag('istio.cluster_id', 'Kubernetes'),
  ];
  const total = work + 9_200;
  const root = add(
    undefined,
    0,
    'front-end.default.svc.cluster.local:8080/demo-app/*',
    'client',
    0,
    total,
    istio(`http://localhost:8080/demo-app/${page}-page`, 'outbound|8080||front-end.default.svc.cluster.local'),
  );
  const inbound = add(
    root,
    1,
    'front-end.default.svc.cluster.local:8080/*',
    'server',
    600,
    total - 1_100,
    istio(`http://localhost:8080/${page}-page`, 'inbound|8080||'),
  );
  const app = add(inbound, 2, `GET /${page}-page`, 'server', 1_100, total - 1_900, [
    tag('http.request.method', 'GET'),
    tag('http.route', `/${page}-page`),
    tag('url.path', `/${page}-page`),
    tag('http.response.status_code', status),
    tag('server.address', 'localhost'),
  ]);
  add(app, 2, 'middleware - query', 'internal', 1_200, 40, [tag('express.type', 'middleware')]);
  add(app, 2, 'middleware - expressInit', 'internal', 1_260, 55, [tag('express.type', 'middleware')]);
  add(app, 2, 'middleware - serveStatic', 'internal', 1_330, 310, [tag('express.type', 'middleware')]);
  add(app, 2, `request handler - /${page}-page`, 'internal', 1_660, 90, [tag('express.type', 'request_handler')]);
  const custom = add(app, 2, `${page}-page-custom-span`, 'internal', 1_800, total - 3_000, [tag('page', page)]);
  const client = add(custom, 2, 'GET', 'client', 2_000, total - 3_400, [
    tag('http.request.method', 'GET'),
    tag('url.full', `http://business-logic:8000/${endpoint}`),
    tag('server.address', 'business-logic'),
    tag('http.response.status_code', status),
  ]);
  const outbound = add(
    client,
    1,
    'business-logic.default.svc.cluster.local:8000/*',
    'client',
    2_500,
    total - 4_300,
    istio(`http://business-logic:8000/${endpoint}`, 'outbound|8000||business-logic.default.svc.cluster.local'),
  );
  const inner = add(
    outbound,
    3,
    'business-logic.default.svc.cluster.local:8000/*',
    'server',
    3_200,
    total - 5_600,
    istio(`http://business-logic:8000/${endpoint}`, 'inbound|8000||'),
  );
  const server = add(inner, 4, `GET /${endpoint}`, 'server', 3_700, total - 6_500, [
    tag('http.request.method', 'GET'),
    tag('http.route', `/${endpoint}`),
    tag('url.path', `/${endpoint}`),
    tag('http.response.status_code', status),
  ]);
  add(server, 4, 'data_transformation', 'internal', 4_500, work - 400, [tag('rows', 1200 + (slot % 300))]);
  const last = spans.at(-1);
  last?.logs.push({
    timestamp: last.startTime + Math.floor(last.duration / 2),
    fields: [tag('event', 'checkpoint'), tag('rows.done', 600)],
  });
  if (isFailed && last) {
    last.tags.push(tag('error', true));
    last.logs.push({
      timestamp: last.startTime + last.duration - 100,
      fields: [
        tag('event', 'exception'),
        tag('exception.type', 'TransformationError'),
        tag('exception.message', 'row 611 has no key'),
        tag(
          'exception.stacktrace',
          'TransformationError: row 611 has no key\n    at transform (/app/src/transform.ts:31:9)\n    at views (/app/src/views.ts:48:5)',
        ),
      ],
    });
  }
  return { traceID, spans, processes: processes() };
}

const STARTED_S = nowSecond();

/** A trace of 10,000 spans, for scrolling: one that ended before the fixture started. */
export function bigTrace(): FixtureTrace {
  const base = traceAt(STARTED_S - 60);
  const root = base.spans[0];
  if (!root) return base;
  const spans: FixtureSpan[] = [{ ...root, traceID: BIG_TRACE_ID, spanID: '0000000000000001', duration: 10_000_000 }];
  for (let index = 1; index < 10_000; index += 1) {
    const parent = index < 12 ? 0 : Math.floor((index - 1) / 6);
    const from = spans[parent] as FixtureSpan;
    const offset = Math.floor((from.duration * ((index % 6) + 0.2)) / 6.6);
    spans.push({
      ...root,
      traceID: BIG_TRACE_ID,
      spanID: (index + 1).toString(16).padStart(16, '0'),
      operationName: `step ${index}`,
      references: [{ refType: 'CHILD_OF', traceID: BIG_TRACE_ID, spanID: from.spanID }],
      startTime: from.startTime + offset,
      duration: Math.max(20, Math.floor(from.duration / 7)),
      processID: `p${index % 5}`,
      tags: [tag('index', index)],
    });
  }
  return { traceID: BIG_TRACE_ID, spans, processes: base.processes };
}

export function tracesBetween(fromSecond: number, toSecond: number, now: number): FixtureTrace[] {
  const found: FixtureTrace[] = [];
  const first = Math.floor(Math.max(fromSecond, now - KEPT_S) / EVERY_S);
  for (let slot = Math.floor(Math.min(toSecond, now) / EVERY_S); slot >= first; slot -= 1) {
    const trace = traceAt(slot * EVERY_S);
    const root = trace.spans[0];
    if (!root || (root.startTime + root.duration) / 1e6 > now) continue;
    if (root.startTime / 1e6 >= fromSecond && root.startTime / 1e6 <= toSecond) found.push(trace);
  }
  return found;
}

/** Slow traces without errors, newest first: each with one line of the log of business-logic. */
export const healthySlowTraces = (now: number): FixtureTrace[] =>
  tracesBetween(now - 900, now, now).filter(
    ({ spans }) =>
      spans.some((span) => span.operationName === 'GET /slow-page') &&
      !spans.some((span) => span.tags.some((item) => item.key === 'error')),
  );

export function traceOf(id: string, now: number): FixtureTrace | undefined {
  if (id === BIG_TRACE_ID) return bigTrace();
  return tracesBetween(now - KEPT_S, now, now).find((trace) => trace.traceID === id);
}

export const FIXTURE_SERVICES: readonly string[] = SERVICES;
