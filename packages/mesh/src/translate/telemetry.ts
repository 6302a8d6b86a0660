import type { AccessLogSettings, CustomTag, TagOverride, TelemetrySettings, TracingSettings } from '@kind-e2e/proxy';
import type { Telemetry } from '../world/istio-types.ts';
import type { ExtensionProvider } from '../world/mesh-config.ts';
import { byAge, namespaceOf, type World } from '../world/world.ts';
import type { MeshService } from './registry.ts';
import { appliesTo } from './security.ts';
import { CLUSTER_ID, type PodInfo } from './workload-info.ts';

/** Telemetry objects in force for a pod: root namespace, its namespace, itself; each level replaces what it says. */
function levels(world: World, pod: PodInfo): Telemetry[] {
  const root = world.config.rootNamespace ?? 'istio-system';
  const all = byAge(world.telemetries).filter((object) => appliesTo(object, pod, root));
  const selects = (object: (typeof all)[number]): boolean =>
    Object.keys(object.spec?.selector?.matchLabels ?? {}).length > 0;
  return [
    all.find((object) => namespaceOf(object) === root && !selects(object)),
    pod.namespace === root
      ? undefined
      : all.find((object) => namespaceOf(object) === pod.namespace && !selects(object)),
    all.find((object) => namespaceOf(object) === pod.namespace && selects(object)),
  ].flatMap((object) => (object?.spec ? [object.spec] : []));
}

export function telemetryOf(world: World, registry: ReadonlyMap<string, MeshService>, pod: PodInfo): TelemetrySettings {
  const found = levels(world, pod);
  const tracing = tracingOf(world, registry, found);
  const accessLog = accessLogOf(world, found);
  const tagOverrides = overridesOf(found);
  return {
    ...(tracing ? { tracing } : {}),
    ...(accessLog ? { accessLog } : {}),
    ...(tagOverrides.length > 0 ? { tagOverrides } : {}),
  };
}

export function providerNamed(world: World, name: string | undefined): ExtensionProvider | undefined {
  return world.config.extensionProviders?.find((provider) => provider.name === name);
}

function tracingOf(
  world: World,
  registry: ReadonlyMap<string, MeshService>,
  found: readonly Telemetry[],
): TracingSettings | undefined {
  const { config } = world;
  if (config.enableTracing === false) return undefined;
  const settings = config.defaultConfig?.tracing;
  let providers = config.defaultProviders?.tracing ?? [];
  let sampling = settings?.sampling ?? 1;
  let disabled = false;
  let disableServer = false;
  let disableClient = false;
  let customTags: Record<string, CustomTag> = {};
  for (const telemetry of found)
    for (const tracing of telemetry.tracing ?? []) {
      if (tracing.providers?.length) providers = tracing.providers.map((provider) => provider.name ?? '');
      if (tracing.randomSamplingPercentage !== undefined) sampling = tracing.randomSamplingPercentage;
      if (tracing.disableSpanReporting !== undefined) {
        const mode = tracing.match?.mode;
        if (mode === 'SERVER') disableServer = tracing.disableSpanReporting;
        else if (mode === 'CLIENT') disableClient = tracing.disableSpanReporting;
        else disabled = tracing.disableSpanReporting;
      }
      if (tracing.customTags) customTags = customTagsOf(tracing.customTags);
    }
  const zipkinUrls = providers.flatMap((name) => zipkinUrlsOf(providerNamed(world, name), registry));
  if (zipkinUrls.length === 0 && settings?.zipkin?.address)
    zipkinUrls.push(...addressUrls(settings.zipkin.address, registry));
  if (disabled) zipkinUrls.length = 0;
  return {
    zipkinUrls,
    samplingPercent: sampling,
    meshId: config.defaultConfig?.meshId ?? config.trustDomain ?? 'cluster.local',
    clusterId: CLUSTER_ID,
    ...(settings?.maxPathTagLength ? { maxPathTagLength: settings.maxPathTagLength } : {}),
    ...(Object.keys(customTags).length > 0 ? { customTags } : {}),
    ...(disableServer ? { disableServerSpans: true } : {}),
    ...(disableClient ? { disableClientSpans: true } : {}),
  };
}

function customTagsOf(
  tags: NonNullable<NonNullable<Telemetry['tracing']>[number]['customTags']>,
): Record<string, CustomTag> {
  const made: Record<string, CustomTag> = {};
  for (const [name, tag] of Object.entries(tags)) {
    if (tag.literal) made[name] = { literal: tag.literal.value ?? '' };
    else if (tag.header)
      made[name] = {
        header: tag.header.name ?? '',
        ...(tag.header.defaultValue === undefined ? {} : { defaultValue: tag.header.defaultValue }),
      };
    else if (tag.environment)
      made[name] = {
        environment: tag.environment.name ?? '',
        ...(tag.environment.defaultValue === undefined ? {} : { defaultValue: tag.environment.defaultValue }),
      };
  }
  return made;
}

/** Spans are sent to the service's own address, which leads to its ready endpoints. */
function zipkinUrlsOf(provider: ExtensionProvider | undefined, registry: ReadonlyMap<string, MeshService>): string[] {
  const zipkin = provider?.zipkin;
  if (zipkin?.service === undefined) return [];
  return addressUrls(`${zipkin.service}:${zipkin.port ?? 9411}`, registry, zipkin.path);
}

function addressUrls(address: string, registry: ReadonlyMap<string, MeshService>, path = '/api/v2/spans'): string[] {
  const [written = '', port = '9411'] = address.split(':');
  const host = written.split('/').at(-1) ?? written;
  const full =
    host.split('.').length === 2 ? `${host}.svc.cluster.local` : host.endsWith('.svc') ? `${host}.cluster.local` : host;
  const service = registry.get(full);
  const target =
    service?.addresses[0] ??
    (service === undefined ? host : service.endpoints.get(Number(port))?.find((endpoint) => endpoint.ready)?.address);
  return target === undefined ? [] : [`http://${target}:${port}${path}`];
}

function accessLogOf(world: World, found: readonly Telemetry[]): AccessLogSettings | undefined {
  const { config } = world;
  let settings: AccessLogSettings | undefined;
  if (config.accessLogFile) settings = defaultLog(world);
  for (const name of config.defaultProviders?.accessLogging ?? []) settings = providerLog(world, name) ?? settings;
  for (const telemetry of found)
    for (const logging of telemetry.accessLogging ?? []) {
      if (logging.disabled === true) {
        settings = undefined;
        continue;
      }
      const names = logging.providers?.map((provider) => provider.name ?? '') ?? [];
      const chosen =
        names.map((name) => providerLog(world, name)).find((candidate) => candidate !== undefined) ??
        settings ??
        defaultLog(world);
      const filter = logging.filter?.expression;
      settings = filter === undefined ? chosen : { ...chosen, filter };
    }
  return settings;
}

function defaultLog(world: World): AccessLogSettings {
  const { accessLogEncoding, accessLogFormat } = world.config;
  if (accessLogEncoding === 'JSON') {
    const json = accessLogFormat ? (JSON.parse(accessLogFormat) as Record<string, string>) : undefined;
    return { encoding: 'JSON', ...(json ? { json } : {}) };
  }
  return { encoding: 'TEXT', ...(accessLogFormat ? { text: accessLogFormat } : {}) };
}

/** `envoy` is the provider that Istio brings along. */
function providerLog(world: World, name: string): AccessLogSettings | undefined {
  const provider = providerNamed(world, name);
  if (provider === undefined) return name === 'envoy' ? defaultLog(world) : undefined;
  const file = provider.envoyFileAccessLog;
  if (file === undefined) return undefined;
  if (file.logFormat?.labels) return { encoding: 'JSON', json: file.logFormat.labels };
  if (file.logFormat?.text) return { encoding: 'TEXT', text: file.logFormat.text };
  return defaultLog(world);
}

function overridesOf(found: readonly Telemetry[]): TagOverride[] {
  return found.flatMap((telemetry) =>
    (telemetry.metrics ?? []).flatMap((metrics) =>
      (metrics.overrides ?? []).flatMap((override): TagOverride[] => {
        const metric = override.match?.metric ?? 'ALL_METRICS';
        const reporter: TagOverride['reporter'] =
          override.match?.mode === 'CLIENT' ? 'source' : override.match?.mode === 'SERVER' ? 'destination' : undefined;
        const base = { metric, ...(reporter ? { reporter } : {}) } as const;
        if (override.disabled === true) return [{ ...base, tag: '', disabled: true }];
        return Object.entries(override.tagOverrides ?? {}).flatMap(([tag, change]): TagOverride[] => {
          if (change.operation === 'REMOVE') return [{ ...base, tag }];
          // Only constants: other expressions are reported by the analysis.
          const constant = /^["'](.*)["']$/.exec(change.value ?? '')?.[1];
          return constant === undefined ? [] : [{ ...base, tag, value: constant }];
        });
      }),
    ),
  );
}
