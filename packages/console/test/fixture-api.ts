import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { fixtureObjects } from './fixture-kube.ts';
import { type FixtureLine, filterLines, linesBetween } from './fixture-logs.ts';
import { FIXTURE_SERIES } from './fixture-metrics.ts';
import { FixtureQueryError, parseQuery } from './fixture-promql.ts';
import { FIXTURE_SERVICES, traceOf, tracesBetween } from './fixture-traces.ts';

/**
 * The public APIs of a lab, from made-up data: for work on the console without a lab, and for its tests.
 * With the header or parameter of `failing`, a whole backend answers 503.
 */
export interface FixtureApi {
  handle(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  upgrade(server: {
    on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  }): void;
  /** Backends that answer 503: `prometheus`, `loki`, `jaeger`, `kubernetes`. */
  readonly failing: Set<string>;
  /** Backends that have no data yet. */
  readonly empty: Set<string>;
  /** Bodies of the writes that came, newest last. */
  readonly writes: { method: string; path: string; body: string; header: string | undefined }[];
}

const nowSecond = (): number => Date.now() / 1000;

export function createFixtureApi(): FixtureApi {
  const failing = new Set<string>();
  const empty = new Set<string>();
  const writes: FixtureApi['writes'] = [];
  const routes: readonly (readonly [RegExp, string, (url: URL, match: RegExpExecArray) => unknown])[] = [
    [
      /^\/prometheus\/api\/v1\/(\w+)(?:\/([^/]+)(?:\/values)?)?$/,
      'prometheus',
      (url, match) => prometheus(url, match, empty),
    ],
    [/^\/loki\/api\/v1\/([\w/]+?)(?:\/([^/]+)\/values)?$/, 'loki', (url, match) => loki(url, match, empty)],
    [/^\/jaeger\/api\/(.+)$/, 'jaeger', (url, match) => jaeger(url, match, empty)],
    [/^\/api\/kubernetes\/(.+)$/, 'kubernetes', kubernetes],
  ];
  return {
    failing,
    empty,
    writes,
    handle(request, response, next) {
      const url = new URL(request.url ?? '/', 'http://fixture');
      const route = routes.find(([pattern]) => pattern.test(url.pathname));
      if (!route) {
        if (url.pathname.startsWith('/jenkins/') && request.headers.accept?.includes('json'))
          send(response, 404, { message: 'no pipelines' });
        else next();
        return;
      }
      const [pattern, backend, answer] = route;
      if (failing.has(backend)) {
        response.writeHead(503, { 'content-type': 'text/plain' }).end('no healthy upstream');
        return;
      }
      if (request.method !== 'GET' && request.method !== 'POST') {
        collect(request, (body) => {
          writes.push({
            method: request.method ?? '',
            path: url.pathname,
            body,
            header: request.headers['x-requested-with'] as string | undefined,
          });
          send(response, 200, { kind: 'Status', status: 'Success', metadata: {} });
        });
        return;
      }
      if (request.method === 'POST') {
        collect(request, (body) => {
          for (const [key, value] of new URLSearchParams(body)) url.searchParams.append(key, value);
          reply();
        });
        return;
      }
      reply();

      function reply(): void {
        try {
          if (/\/log$/.test(url.pathname) && backend === 'kubernetes') {
            const lines = linesBetween(nowSecond() - 1800, nowSecond(), nowSecond()).reverse();
            response.writeHead(200, { 'content-type': 'text/plain' });
            response.end(
              lines
                .slice(-200)
                .map((line) => `${new Date(Number(line.ns / 1_000_000n)).toISOString()} ${line.line}\n`)
                .join(''),
            );
            return;
          }
          if (url.searchParams.get('watch') === 'true') {
            response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
            const timer = setTimeout(() => response.end(), 30_000);
            response.on('close', () => clearTimeout(timer));
            return;
          }
          const body = answer(url, pattern.exec(url.pathname) as RegExpExecArray);
          if (body === undefined)
            send(response, 404, {
              kind: 'Status',
              message: 'the server could not find the requested resource',
              code: 404,
            });
          else send(response, 200, body);
        } catch (error) {
          if (error instanceof FixtureQueryError)
            send(response, 400, { status: 'error', errorType: 'bad_data', error: error.message });
          else send(response, 500, { status: 'error', error: String(error) });
        }
      }
    },
    upgrade(server) {
      const sockets = new WebSocketServer({
        noServer: true,
        handleProtocols: (protocols) => [...protocols][0] ?? false,
      });
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const url = new URL(request.url ?? '/', 'http://fixture');
        if (!/\/tail$|\/exec$/.test(url.pathname)) return;
        sockets.handleUpgrade(request, socket, head, (client) => {
          if (url.pathname.endsWith('/tail')) tail(client, url.searchParams.get('query') ?? '');
          else shell(client);
        });
      });
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function collect(request: IncomingMessage, call: (body: string) => void): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => call(body));
}

function prometheus(url: URL, [, name = '', detail = '']: RegExpExecArray, empty: Set<string>): unknown {
  const success = (data: unknown) => ({ status: 'success', data });
  const query = url.searchParams.get('query') ?? '';
  const time = (key: string): number => Number(url.searchParams.get(key) ?? nowSecond());
  if (name === 'query') {
    const value = parseQuery(query)(time('time'));
    if (typeof value === 'number') return success({ resultType: 'scalar', result: [time('time'), String(value)] });
    return success({
      resultType: 'vector',
      result: empty.has('prometheus')
        ? []
        : value.map((point) => ({ metric: point.labels, value: [time('time'), String(point.value)] })),
    });
  }
  if (name === 'query_range') {
    const evaluate = parseQuery(query);
    const series = new Map<string, { metric: Record<string, string>; values: [number, string][] }>();
    const step = Number(url.searchParams.get('step')) || 15;
    if (!empty.has('prometheus'))
      for (let at = time('start'); at <= Math.min(time('end'), nowSecond()); at += step) {
        const value = evaluate(at);
        for (const point of typeof value === 'number' ? [{ labels: {}, value }] : value) {
          const key = JSON.stringify(point.labels);
          const one = series.get(key) ?? { metric: point.labels, values: [] };
          one.values.push([at, String(point.value)]);
          series.set(key, one);
        }
      }
    return success({ resultType: 'matrix', result: [...series.values()] });
  }
  if (name === 'query_exemplars') {
    const traces = tracesBetween(time('start'), time('end'), nowSecond()).filter((_, index) => index % 2 === 0);
    const milliseconds = query.includes('milliseconds');
    return success([
      {
        seriesLabels: { __name__: 'http_request_duration_seconds_bucket', app: 'business-logic' },
        exemplars: traces.map((trace) => {
          const span = trace.spans.find((item) => item.operationName.startsWith('GET /')) ?? trace.spans[0];
          const value = (span?.duration ?? 0) / (milliseconds ? 1e3 : 1e6);
          return {
            labels: { trace_id: trace.traceID, span_id: span?.spanID ?? '' },
            value: String(value),
            timestamp: ((span?.startTime ?? 0) + (span?.duration ?? 0)) / 1e6,
          };
        }),
      },
    ]);
  }
  if (name === 'labels')
    return success([...new Set(FIXTURE_SERIES.flatMap((series) => Object.keys(series.labels)))].sort());
  if (name === 'label') {
    const match = url.searchParams.get('match[]');
    const chosen = match
      ? parseQuery(match)(nowSecond())
      : FIXTURE_SERIES.map((series) => ({ labels: series.labels, value: 0 }));
    return success(
      [
        ...new Set((typeof chosen === 'number' ? [] : chosen).map((item) => item.labels[detail]).filter(Boolean)),
      ].sort(),
    );
  }
  if (name === 'series') return success(FIXTURE_SERIES.slice(0, 200).map((series) => series.labels));
  if (name === 'metadata')
    return success(
      Object.fromEntries(
        [...new Set(FIXTURE_SERIES.map((series) => series.labels.__name__ ?? ''))].map((metric) => [
          metric,
          [{ type: metric.endsWith('_total') ? 'counter' : 'gauge', help: `Help of ${metric}.`, unit: '' }],
        ]),
      ),
    );
  if (name === 'targets')
    return success({
      activeTargets: ['front-end', 'business-logic', 'istio-ingressgateway', 'jaeger', 'report'].map((app, index) => ({
        discoveredLabels: {},
        labels: {
          app,
          instance: `127.32.4.${index + 6}:15090`,
          job: index % 2 ? 'istio-proxies' : 'kubernetes-pods',
          namespace: 'default',
        },
        scrapePool: index % 2 ? 'istio-proxies' : 'kubernetes-pods',
        scrapeUrl: `http://127.32.4.${index + 6}:15090/stats/prometheus`,
        globalUrl: '',
        lastError: app === 'report' ? 'connect ECONNREFUSED 127.32.4.10:9090' : '',
        lastScrape: new Date(Date.now() - 2400).toISOString(),
        lastScrapeDuration: 0.0041,
        health: app === 'report' ? 'down' : 'up',
        scrapeInterval: '5s',
        scrapeTimeout: '5s',
      })),
      droppedTargets: [],
    });
  const alert = {
    labels: { alertname: 'HighErrorRate', severity: 'warning', app: 'business-logic' },
    annotations: { summary: 'More than 2 % of the answers of business-logic are errors.' },
    state: 'firing',
    activeAt: new Date(Date.now() - 420_000).toISOString(),
    value: '0.041',
  };
  if (name === 'alerts') return success({ alerts: [alert] });
  if (name === 'rules')
    return success({
      groups: [
        {
          name: 'app',
          file: 'rules/app.yaml',
          interval: 15,
          rules: [
            {
              type: 'alerting',
              name: 'HighErrorRate',
              query:
                'sum by (app) (rate(http_responses_total{status=~"5.."}[1m])) / sum by (app) (rate(http_responses_total[1m])) > 0.02',
              duration: 60,
              labels: { severity: 'warning' },
              annotations: alert.annotations,
              state: 'firing',
              health: 'ok',
              alerts: [alert],
            },
            {
              type: 'alerting',
              name: 'PodNotReady',
              query: 'kube_pod_status_ready{condition="true"} == 0',
              duration: 120,
              labels: { severity: 'critical' },
              annotations: {},
              state: 'inactive',
              health: 'ok',
              alerts: [],
            },
            {
              type: 'recording',
              name: 'app:requests:rate1m',
              query: 'sum by (app) (rate(http_requests_total[1m]))',
              health: 'ok',
            },
          ],
        },
      ],
    });
  if (name === 'status')
    return success(
      detail === 'buildinfo'
        ? { version: '3.5.0', revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' }
        : {},
    );
  return undefined;
}

const pack = (lines: FixtureLine[]) => {
  const streams = new Map<string, { stream: Record<string, string>; values: [string, string][] }>();
  for (const line of lines) {
    const key = JSON.stringify(line.labels);
    const one = streams.get(key) ?? { stream: line.labels, values: [] };
    one.values.push([String(line.ns), line.line]);
    streams.set(key, one);
  }
  return [...streams.values()];
};

function loki(url: URL, [, name = '', label = '']: RegExpExecArray, empty: Set<string>): unknown {
  const success = (data: unknown) => ({ status: 'success', data });
  const at = (key: string): number => Number(url.searchParams.get(key) ?? nowSecond() * 1e9) / 1e9;
  const query = url.searchParams.get('query') ?? '';
  const all = empty.has('loki') ? [] : linesBetween(at('start'), at('end'), nowSecond());
  if (name === 'query_range') {
    if (!query.includes('{'))
      throw new FixtureQueryError('parse error at line 1, col 1: syntax error: unexpected IDENTIFIER');
    const lines = filterLines(all, query);
    const range = /count_over_time|rate\(|bytes_over_time/.test(query);
    if (range) {
      const step = Number(url.searchParams.get('step')) || 15;
      const by =
        /by\s*\(\s*([\w, ]+)\)/
          .exec(query)?.[1]
          ?.split(',')
          .map((part) => part.trim()) ?? [];
      const groups = new Map<string, { metric: Record<string, string>; counts: Map<number, number> }>();
      for (const line of lines) {
        const level = /\b(INFO|WARN(?:ING)?|ERROR|DEBUG)\b/.exec(line.line)?.[1]?.toLowerCase() ?? 'unknown';
        const labels = { ...line.labels, detected_level: level === 'warning' ? 'warn' : level } as Record<
          string,
          string
        >;
        const metric = Object.fromEntries(by.map((key) => [key, labels[key] ?? '']));
        const key = JSON.stringify(metric);
        const group = groups.get(key) ?? { metric, counts: new Map() };
        const bucket = Math.ceil(Number(line.ns) / 1e9 / step) * step;
        group.counts.set(bucket, (group.counts.get(bucket) ?? 0) + 1);
        groups.set(key, group);
      }
      return success({
        resultType: 'matrix',
        result: [...groups.values()].map(({ metric, counts }) => ({
          metric,
          values: [...counts].sort((a, b) => a[0] - b[0]).map(([time, count]) => [time, String(count)]),
        })),
      });
    }
    const limit = Number(url.searchParams.get('limit')) || 100;
    const ordered = url.searchParams.get('direction') === 'forward' ? [...lines].reverse() : lines;
    return success({ resultType: 'streams', result: pack(ordered.slice(0, limit)), stats: {} });
  }
  if (name === 'labels') return success(['app', 'container', 'namespace', 'node_name', 'pod']);
  if (name === 'label')
    return success(
      [...new Set(linesBetween(nowSecond() - 3600, nowSecond(), nowSecond()).map((line) => line.labels[label] ?? ''))]
        .filter(Boolean)
        .sort(),
    );
  return undefined;
}

function jaeger(url: URL, [, path = '']: RegExpExecArray, empty: Set<string>): unknown {
  const reply = (data: unknown) => ({ data, total: 0, limit: 0, offset: 0, errors: null });
  const now = nowSecond();
  if (path === 'services') return reply(empty.has('jaeger') ? [] : FIXTURE_SERVICES);
  const ops = /^services\/([^/]+)\/operations$/.exec(path);
  const us = (key: string, fallback: number): number => Number(url.searchParams.get(key) ?? fallback * 1e6) / 1e6;
  if (ops)
    return reply([
      ...new Set(
        tracesBetween(now - 300, now, now).flatMap((trace) =>
          trace.spans
            .filter((span) => trace.processes[span.processID]?.serviceName === decodeURIComponent(ops[1] ?? ''))
            .map((span) => span.operationName),
        ),
      ),
    ]);
  if (path === 'traces') {
    const service = url.searchParams.get('service') ?? '';
    const operation = url.searchParams.get('operation');
    const tags = JSON.parse(url.searchParams.get('tags') ?? '{}') as Record<string, string>;
    const size = (key: string): number | undefined => {
      const match = /^([\d.]+)(us|ms|s)$/.exec(url.searchParams.get(key) ?? '');
      return match ? Number(match[1]) * ({ us: 1, ms: 1e3, s: 1e6 }[match[2] ?? 'us'] ?? 1) : undefined;
    };
    const found = tracesBetween(us('start', now - 3600), us('end', now), now).filter((trace) =>
      trace.spans.some(
        (span) =>
          trace.processes[span.processID]?.serviceName === service &&
          (operation === null || span.operationName === operation) &&
          span.duration >= (size('minDuration') ?? 0) &&
          span.duration <= (size('maxDuration') ?? Number.POSITIVE_INFINITY) &&
          Object.entries(tags).every(([key, value]) =>
            span.tags.some((tag) => tag.key === key && String(tag.value) === value),
          ),
      ),
    );
    return reply(empty.has('jaeger') ? [] : found.slice(0, Number(url.searchParams.get('limit')) || 20));
  }
  const one = /^traces\/(\w+)$/.exec(path);
  if (one) {
    const trace = traceOf(one[1] ?? '', now);
    return trace ? reply([trace]) : undefined;
  }
  if (path === 'dependencies')
    return reply([
      { parent: 'istio-ingressgateway.istio-system', child: 'front-end.default', callCount: 120 },
      { parent: 'front-end.default', child: 'front-end', callCount: 120 },
      { parent: 'front-end', child: 'front-end.default', callCount: 118 },
      { parent: 'front-end.default', child: 'business-logic.default', callCount: 118 },
      { parent: 'business-logic.default', child: 'business-logic', callCount: 118 },
    ]);
  return undefined;
}

function kubernetes(url: URL, [, path = '']: RegExpExecArray): unknown {
  const match = /^(?:api|apis\/([^/]+))\/([^/]+)\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(
    path,
  );
  if (!match) return undefined;
  const [, group = '', , namespace, plural = '', name] = match;
  const items = fixtureObjects(group, plural);
  if (!items) return undefined;
  const labels = (url.searchParams.get('labelSelector') ?? '')
    .split(',')
    .filter(Boolean)
    .map((part) => part.split('='));
  const chosen = items.filter((item) => {
    const metadata = item.metadata as { name: string; namespace?: string; labels?: Record<string, string> };
    return (
      (namespace === undefined || metadata.namespace === namespace) &&
      (name === undefined || metadata.name === name) &&
      labels.every(([key = '', value]) => metadata.labels?.[key] === value)
    );
  });
  if (name !== undefined) return chosen[0];
  return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '4711' }, items: chosen };
}

function tail(client: WebSocket, query: string): void {
  let last = nowSecond();
  const timer = setInterval(() => {
    const now = nowSecond();
    const lines = filterLines(linesBetween(last - 8, now - 8, now), query);
    last = now;
    if (lines.length > 0) client.send(JSON.stringify({ streams: pack(lines), dropped_entries: [] }));
  }, 1000);
  client.on('close', () => clearInterval(timer));
}

/** A shell that echoes; channel 0 is stdin, 1 stdout, 3 the status, 4 the size. */
function shell(client: WebSocket): void {
  const out = (text: string): void => client.send(Buffer.concat([Buffer.from([1]), Buffer.from(text)]));
  out('/app $ ');
  client.on('message', (data: Buffer) => {
    if (data[0] !== 0) return;
    const text = data.subarray(1).toString();
    out(text === '\r' ? '\r\n/app $ ' : text);
  });
}
