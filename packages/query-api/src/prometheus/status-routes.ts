import { parseMetricSelector } from '@kind-e2e/promql';
import { Labels, matchesAll } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route } from '../http/router.ts';
import { sendJson, sendText } from '../http/send.ts';
import { blameOn } from './errors.ts';
import { integerParameter, parseInteger } from './parameters.ts';
import type { TargetMetadata } from './providers.ts';
import type { PrometheusOptions } from './routes.ts';
import { ruleGroups } from './rules-route.ts';

/** The version whose behaviour this follows; Grafana and Kiali choose what they ask for by it. */
const VERSION = '3.5.0';

/** Targets, rules, alerts and what a server tells of itself. */
export function statusRoutes(options: PrometheusOptions): Route[] {
  const { metrics, clock, targets, rules, flags } = options;
  const startedAt = new Date(clock.now()).toISOString();
  const get = (path: string, data: (context: RequestContext) => unknown): Route => ({
    methods: ['GET'],
    path,
    handle: (context) => sendJson(context.response, 200, { status: 'success', data: data(context) }),
  });
  return [
    get('/api/v1/targets', ({ parameters }) => {
      const state = (parameters.get('state') ?? '').toLowerCase();
      const pool = parameters.get('scrapePool') ?? '';
      const inPool = (target: { readonly scrapePool: string }): boolean => pool === '' || target.scrapePool === pool;
      const dropped = targets?.droppedTargets() ?? [];
      const active = targets?.activeTargets() ?? [];
      const counts: Record<string, number> = Object.fromEntries(active.map(({ scrapePool }) => [scrapePool, 0]));
      for (const target of dropped) counts[target.scrapePool] = (counts[target.scrapePool] ?? 0) + 1;
      const asksFor = (one: string): boolean => ['', 'any', one].includes(state);
      return {
        activeTargets: asksFor('active') ? active.filter(inPool) : [],
        droppedTargets: asksFor('dropped') ? dropped.filter(inPool) : [],
        droppedTargetCounts: asksFor('dropped') ? counts : null,
      };
    }),
    get('/api/v1/scrape_pools', () => ({
      scrapePools: [...new Set((targets?.activeTargets() ?? []).map((target) => target.scrapePool))].sort(),
    })),
    get('/api/v1/targets/metadata', ({ parameters }) => targetMetadata(parameters, targets?.targetMetadata() ?? [])),
    get('/api/v1/rules', ({ parameters }) => ruleGroups(parameters, rules)),
    get('/api/v1/alerts', () => ({ alerts: rules?.alerts() ?? [] })),
    get('/api/v1/alertmanagers', () => ({ activeAlertmanagers: [], droppedAlertmanagers: [] })),
    get('/api/v1/notifications', () => []),
    get('/api/v1/status/config', () => ({ yaml: targets?.configYaml() ?? '' })),
    get('/api/v1/status/flags', () => flags),
    get('/api/v1/status/buildinfo', () => ({
      version: VERSION,
      revision: 'kind-e2e',
      branch: 'HEAD',
      buildUser: '',
      buildDate: '',
      goVersion: '',
    })),
    get('/api/v1/status/runtimeinfo', () => {
      const statistics = metrics.statistics?.();
      return {
        startTime: startedAt,
        CWD: '/',
        hostname: '',
        serverTime: new Date(clock.now()).toISOString(),
        reloadConfigSuccess: true,
        lastConfigTime: startedAt,
        corruptionCount: 0,
        goroutineCount: 1,
        GOMAXPROCS: 1,
        GOMEMLIMIT: 0,
        GOGC: '',
        GODEBUG: '',
        storageRetention: flags['storage.tsdb.retention.time'] ?? '',
        timeSeriesCount: statistics?.numSeries ?? 0,
      };
    }),
    get('/api/v1/status/tsdb', ({ parameters }) => {
      const limit = parseInteger(parameters.get('limit') || '10') ?? 0;
      if (limit < 1) throw new ApiError(400, 'limit must be a positive number');
      const statistics = metrics.statistics?.();
      const finite = (time: number | undefined): number => (time !== undefined && Number.isFinite(time) ? time : 0);
      return {
        headStats: {
          numSeries: statistics?.numSeries ?? 0,
          numLabelPairs: statistics?.numLabelPairs ?? 0,
          chunkCount: statistics?.numSeries ?? 0,
          minTime: finite(statistics?.minTime),
          maxTime: finite(statistics?.maxTime),
        },
        seriesCountByMetricName: (statistics?.seriesCountByMetricName ?? []).slice(0, limit),
        labelValueCountByLabelName: (statistics?.labelValueCountByLabelName ?? []).slice(0, limit),
        memoryInBytesByLabelName: (statistics?.memoryInBytesByLabelName ?? []).slice(0, limit),
        seriesCountByLabelValuePair: (statistics?.seriesCountByLabelValuePair ?? []).slice(0, limit),
      };
    }),
    get('/api/v1/status/walreplay', () => ({ min: 0, max: 0, current: 0 })),
    {
      methods: ['GET', 'HEAD'],
      path: '/-/ready',
      handle: ({ response }) => sendText(response, 200, 'Prometheus Server is Ready.\n'),
    },
    {
      methods: ['GET', 'HEAD'],
      path: '/-/healthy',
      handle: ({ response }) => sendText(response, 200, 'Prometheus Server is Healthy.\n'),
    },
  ];
}

function targetMetadata(parameters: URLSearchParams, all: readonly TargetMetadata[]): readonly TargetMetadata[] {
  const limit = integerParameter(parameters, 'limit') ?? -1;
  const metric = parameters.get('metric') ?? '';
  const selector = parameters.get('match_target') ?? '';
  let found = metric === '' ? all : all.filter((entry) => entry.metric === metric);
  if (selector !== '') {
    const { matchers } = blameOn('match_target', () => parseMetricSelector(selector));
    found = found.filter((entry) => matchesAll(Labels.fromObject(entry.target), matchers));
  }
  return limit >= 0 ? found.slice(0, limit) : found;
}
