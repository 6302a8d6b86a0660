import { nowMs, nowSecond } from './fixture-clock.ts';
import { fixtureObjects } from './fixture-kube.ts';
import { type FixtureLine, filterLines, linesBetween } from './fixture-logs.ts';
import { FIXTURE_SERIES } from './fixture-metrics.ts';
import { FixtureQueryError, parseQuery } from './fixture-promql.ts';
import { FIXTURE_SERVICES, traceOf, tracesBetween } from './fixture-traces.ts';

/** What each backend of the fixture answers; undefined for an address that it does not have. */
export function prometheus(url: URL, [, name = '', detail = '']: RegExpExecArray, empty: Set<string>): unknown {
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
    const traces = tracesBetween(time('start'), time('end'), nowSecond()).filter((trace) =>
      /^[0-7]/.test(trace.traceID),
    );
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
        lastScrape: new Date(nowMs() - 2400).toISOString(),
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
    activeAt: new Date(nowMs() - 420_000).toISOString(),
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

export const pack = (lines: FixtureLine[]) => {
  const streams = new Map<string, { stream: Record<string, string>; values: [string, string][] }>();
  for (const line of lines) {
    const key = JSON.stringify(line.labels);
    const one = streams.get(key) ?? { stream: line.labels, values: [] };
    one.values.push([String(line.ns), line.line]);
    streams.set(key, one);
  }
  return [...streams.values()];
};

export function loki(url: URL, [, name = '', label = '']: RegExpExecArray, empty: Set<string>): unknown {
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

export function jaeger(url: URL, [, path = '']: RegExpExecArray, empty: Set<string>): unknown {
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

export function kubernetes(url: URL, [, path = '']: RegExpExecArray): unknown {
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

/** What Jenkins answers for `tree=jobs[name,lastBuild[…]]`. */
export const fixtureLastBuilds = (): unknown => [
  {
    name: 'demo-app',
    lastBuild: { number: 12, result: 'SUCCESS', building: false, timestamp: nowMs() - 540_000, duration: 48_200 },
  },
  {
    name: 'nightly',
    lastBuild: { number: 3, result: 'FAILURE', building: false, timestamp: nowMs() - 7_200_000, duration: 12_900 },
  },
];
