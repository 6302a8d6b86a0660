import { compileRegex, quote } from '@kind-e2e/telemetry';
import { parse } from 'yaml';
import type {
  HttpClientConfig,
  KubernetesRole,
  KubernetesSdConfig,
  PrometheusConfig,
  RelabelAction,
  RelabelConfig,
  ScrapeConfig,
} from './config-model.ts';
import { ConfigReader, configError } from './config-reader.ts';
import { DEFAULT_REGEX, DEFAULT_REPLACEMENT, DEFAULT_SEPARATOR, relabelProblem } from './relabel-problem.ts';

const ROLES: readonly KubernetesRole[] = ['pod', 'service', 'endpoints', 'endpointslice', 'node', 'ingress'];
const ACTIONS: readonly RelabelAction[] = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
];

interface Globals {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly bodySizeLimit: number;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly targetLimit: number;
}

/**
 * Reads Prometheus' configuration file. What is not supported (other service discoveries, remote read) is an error that
 * names the field, never passed over in silence.
 */
const SCRAPE_PROTOCOLS: ReadonlySet<string> = new Set([
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
]);

export function parsePrometheusConfig(yaml: string): PrometheusConfig {
  let value: unknown;
  try {
    value = parse(yaml, { maxAliasCount: 100 });
  } catch (error) {
    throw configError('config', error instanceof Error ? error.message : String(error));
  }
  const reader = new ConfigReader(value, 'config');
  let evaluationIntervalMs = 60_000;
  let externalLabels: Record<string, string> = {};
  const globals =
    reader.one('global', (global): Globals => {
      evaluationIntervalMs = global.duration('evaluation_interval') ?? 60_000;
      externalLabels = global.labels('external_labels');
      const intervalMs = global.duration('scrape_interval') ?? 60_000;
      global.ignore(
        'scrape_protocols',
        'query_log_file',
        'metric_name_validation_scheme',
        'rule_query_offset',
        'runtime',
      );
      return {
        intervalMs,
        timeoutMs: global.duration('scrape_timeout') ?? Math.min(10_000, intervalMs),
        bodySizeLimit: global.size('body_size_limit') ?? 0,
        sampleLimit: global.count('sample_limit') ?? 0,
        labelLimit: global.count('label_limit') ?? 0,
        labelNameLengthLimit: global.count('label_name_length_limit') ?? 0,
        labelValueLengthLimit: global.count('label_value_length_limit') ?? 0,
        targetLimit: global.count('target_limit') ?? 0,
      };
    }) ?? DEFAULT_GLOBALS;
  const scrapeConfigs = reader.many('scrape_configs', (config) => scrapeConfig(config, globals));
  const names = new Set<string>();
  for (const { jobName } of scrapeConfigs) {
    if (names.has(jobName))
      throw configError(
        'config.scrape_configs',
        `found multiple scrape configs with job name ${JSON.stringify(jobName)}`,
      );
    names.add(jobName);
  }
  const ruleFiles = reader.strings('rule_files');
  const alertmanagers = reader.one('alerting', alerting) ?? [];
  reader.ignore('storage', 'tracing', 'otlp', 'runtime');
  reader.done();
  return { evaluationIntervalMs, externalLabels, scrapeConfigs, ruleFiles, alertmanagers };
}

const DEFAULT_GLOBALS: Globals = {
  intervalMs: 60_000,
  timeoutMs: 10_000,
  bodySizeLimit: 0,
  sampleLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  targetLimit: 0,
};

function alerting(reader: ConfigReader): string[] {
  return reader
    .many('alertmanagers', (manager) => {
      const scheme = manager.string('scheme') ?? 'http';
      const prefix = (manager.string('path_prefix') ?? '').replace(/\/$/, '');
      manager.ignore('api_version', 'timeout');
      return manager
        .many('static_configs', (group) => {
          group.labels('labels');
          return group.strings('targets');
        })
        .flat()
        .map((target) => `${scheme}://${target}${prefix}/api/v2/alerts`);
    })
    .flat();
}

function scrapeConfig(reader: ConfigReader, globals: Globals): ScrapeConfig {
  const jobName = reader.string('job_name');
  if (!jobName) throw configError(`${reader.path}.job_name`, 'job_name is empty');
  const scrapeIntervalMs = reader.duration('scrape_interval') ?? globals.intervalMs;
  const ownTimeout = reader.duration('scrape_timeout');
  if (ownTimeout !== undefined && ownTimeout > scrapeIntervalMs)
    throw configError(
      `${reader.path}.scrape_timeout`,
      `scrape timeout greater than scrape interval for scrape config with job name ${JSON.stringify(jobName)}`,
    );
  const scheme = reader.string('scheme') ?? 'http';
  if (scheme !== 'http' && scheme !== 'https')
    throw configError(`${reader.path}.scheme`, `expected http or https, got ${scheme}`);
  reader.ignore(
    'scrape_protocols',
    'enable_compression',
    'enable_http2',
    'track_timestamps_staleness',
    'always_scrape_classic_histograms',
    'convert_classic_histograms_to_nhcb',
    'metric_name_validation_scheme',
    'metric_name_escaping_scheme',
    'keep_dropped_targets',
    'native_histogram_bucket_limit',
    'native_histogram_min_bucket_factor',
  );
  const fallbackProtocol = reader.string('fallback_scrape_protocol');
  if (fallbackProtocol !== undefined && !SCRAPE_PROTOCOLS.has(fallbackProtocol))
    throw configError(
      `${reader.path}.fallback_scrape_protocol`,
      `unknown scrape protocol ${fallbackProtocol}, supported: [${[...SCRAPE_PROTOCOLS].join(' ')}]`,
    );
  const config: ScrapeConfig = {
    jobName,
    ...(fallbackProtocol !== undefined && { fallbackProtocol }),
    scrapeIntervalMs,
    scrapeTimeoutMs: ownTimeout ?? Math.min(globals.timeoutMs, scrapeIntervalMs),
    metricsPath: reader.string('metrics_path') ?? '/metrics',
    scheme,
    params: params(reader),
    honorLabels: reader.boolean('honor_labels') ?? false,
    honorTimestamps: reader.boolean('honor_timestamps') ?? true,
    scrapeNativeHistograms: reader.boolean('scrape_native_histograms') ?? true,
    bodySizeLimit: reader.size('body_size_limit') ?? globals.bodySizeLimit,
    sampleLimit: reader.count('sample_limit') ?? globals.sampleLimit,
    labelLimit: reader.count('label_limit') ?? globals.labelLimit,
    labelNameLengthLimit: reader.count('label_name_length_limit') ?? globals.labelNameLengthLimit,
    labelValueLengthLimit: reader.count('label_value_length_limit') ?? globals.labelValueLengthLimit,
    targetLimit: reader.count('target_limit') ?? globals.targetLimit,
    ...httpConfig(reader),
    kubernetesSdConfigs: reader.many('kubernetes_sd_configs', kubernetesSd).flat(),
    staticConfigs: reader.many('static_configs', (group) => ({
      targets: group.strings('targets'),
      labels: group.labels('labels'),
    })),
    relabelConfigs: reader.many('relabel_configs', relabelConfig),
    metricRelabelConfigs: reader.many('metric_relabel_configs', relabelConfig),
  };
  return config;
}

function params(reader: ConfigReader): Record<string, readonly string[]> {
  const value = reader.take('params');
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw configError(`${reader.path}.params`, 'expected a mapping');
  return Object.fromEntries(
    Object.entries(value).map(([name, list]) => [name, Array.isArray(list) ? list.map(String) : [String(list)]]),
  );
}

function httpConfig(reader: ConfigReader): HttpClientConfig {
  const authorization = reader.one('authorization', (auth) => {
    const credentials = auth.string('credentials');
    const credentialsFile = auth.string('credentials_file');
    return {
      type: auth.string('type') ?? 'Bearer',
      ...(credentials !== undefined && { credentials }),
      ...(credentialsFile !== undefined && { credentialsFile }),
    };
  });
  const bearerFile = reader.string('bearer_token_file');
  const basicAuth = reader.one('basic_auth', (auth) => {
    const password = auth.string('password');
    const passwordFile = auth.string('password_file');
    return {
      username: auth.string('username') ?? '',
      ...(password !== undefined && { password }),
      ...(passwordFile !== undefined && { passwordFile }),
    };
  });
  const tls = reader.one('tls_config', (config) => {
    const text = (name: string, field: string): Record<string, string> => {
      const value = config.string(name);
      return value === undefined ? {} : { [field]: value };
    };
    return {
      ...text('ca_file', 'caFile'),
      ...text('cert_file', 'certFile'),
      ...text('key_file', 'keyFile'),
      ...text('ca', 'ca'),
      ...text('cert', 'cert'),
      ...text('key', 'key'),
      ...text('server_name', 'serverName'),
      insecureSkipVerify: config.boolean('insecure_skip_verify') ?? false,
    };
  });
  const auth =
    authorization ?? (bearerFile === undefined ? undefined : { type: 'Bearer', credentialsFile: bearerFile });
  return {
    ...(auth && { authorization: auth }),
    ...(basicAuth && { basicAuth }),
    ...(tls && { tls }),
    followRedirects: reader.boolean('follow_redirects') ?? true,
  };
}

function kubernetesSd(reader: ConfigReader): KubernetesSdConfig {
  const name = reader.string('role') ?? '';
  if (name === '')
    throw configError(
      `${reader.path}.role`,
      'role missing (one of: pod, service, endpoints, endpointslice, node, ingress)',
    );
  const role = ROLES.find((known) => known === name);
  if (role === undefined) throw configError(`${reader.path}.role`, `unknown Kubernetes SD role ${quote(name)}`);
  const namespaces = reader.one('namespaces', (names) => {
    names.ignore('own_namespace');
    return names.strings('names');
  });
  const selectors = reader.many('selectors', (selector) => ({
    role: selector.string('role'),
    label: selector.string('label'),
    field: selector.string('field'),
  }));
  const own = selectors.find((selector) => selector.role === role);
  reader.ignore('attach_metadata', 'api_server', 'kubeconfig_file');
  return {
    role,
    namespaces: namespaces ?? [],
    ...(own?.label !== undefined && { labelSelector: own.label }),
    ...(own?.field !== undefined && { fieldSelector: own.field }),
  };
}

export function relabelConfig(reader: ConfigReader): RelabelConfig {
  const action = (reader.string('action') ?? 'replace').toLowerCase() as RelabelAction;
  if (!ACTIONS.includes(action))
    throw configError(`${reader.path}.action`, `unknown relabel action ${JSON.stringify(action)}`);
  const regex = reader.string('regex') ?? DEFAULT_REGEX;
  try {
    compileRegex(regex, { dotAll: true });
  } catch (error) {
    throw configError(`${reader.path}.regex`, error instanceof Error ? error.message : String(error));
  }
  const config: RelabelConfig = {
    action,
    sourceLabels: reader.strings('source_labels'),
    separator: reader.string('separator') ?? DEFAULT_SEPARATOR,
    targetLabel: reader.string('target_label') ?? '',
    regex,
    modulus: reader.count('modulus') ?? 0,
    replacement: reader.string('replacement') ?? DEFAULT_REPLACEMENT,
  };
  const problem = relabelProblem(config);
  if (problem !== undefined) throw configError(reader.path, problem);
  return config;
}
