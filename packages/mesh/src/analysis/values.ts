import { compileExpression, compileLogFilter, isConditionKey, unknownCommands } from '@kind-e2e/proxy';
import { parseRetryOn } from '../translate/http-routes.ts';
import { providerNamed } from '../translate/telemetry.ts';
import type { StringMatch } from '../world/istio-types.ts';
import type { AnalysisInput } from './analyze.ts';
import { message } from './codes.ts';
import type { AnalysisMessage } from './message.ts';

/** Values that the schema takes and that have no effect, or another one than the writer may think. */
export function analyzeValues(input: AnalysisInput): AnalysisMessage[] {
  return [
    ...virtualServices(input),
    ...policies(input),
    ...telemetries(input),
    ...serviceEntries(input),
    ...loadBalancers(input),
    ...meshProviders(input),
  ];
}

function virtualServices({ world }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const object of world.virtualServices)
    object.spec?.http?.forEach((http, i) => {
      const path = `spec.http[${i}]`;
      for (const part of parseRetryOn(http.retries?.retryOn ?? '').unknown)
        found.push(
          message(
            'NotEnforced',
            object,
            'VirtualService',
            `${path}.retries.retryOn: the condition "${part}" is not known to the embedded engine`,
            `${path}.retries.retryOn`,
          ),
        );
      const expressions: [string, StringMatch | undefined][] = [];
      http.match?.forEach((match, j) => {
        const at = `${path}.match[${j}]`;
        expressions.push(
          [`${at}.uri`, match.uri],
          [`${at}.method`, match.method],
          [`${at}.authority`, match.authority],
          [`${at}.scheme`, match.scheme],
        );
        for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const)
          for (const [name, value] of Object.entries(match[field] ?? {}))
            expressions.push([`${at}.${field}.${name}`, value]);
      });
      for (const [j, origin] of (http.corsPolicy?.allowOrigins ?? []).entries())
        expressions.push([`${path}.corsPolicy.allowOrigins[${j}]`, origin]);
      if (http.rewrite?.uriRegexRewrite?.match)
        expressions.push([`${path}.rewrite.uriRegexRewrite`, { regex: http.rewrite.uriRegexRewrite.match }]);
      for (const [where, match] of expressions) {
        if (!match?.regex || match.regex === '*') continue;
        const problem = regexProblem(match.regex);
        if (problem)
          found.push(
            message(
              'InvalidRegexp',
              object,
              'VirtualService',
              `Field "${where}" regular expression invalid: "${match.regex}" (${problem})`,
              where,
            ),
          );
      }
    });
  return found;
}

export function regexProblem(expression: string): string | undefined {
  try {
    compileExpression(expression);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const SOURCE_FIELDS = new Set([
  'principals',
  'notPrincipals',
  'requestPrincipals',
  'notRequestPrincipals',
  'namespaces',
  'notNamespaces',
  'ipBlocks',
  'notIpBlocks',
  'remoteIpBlocks',
  'notRemoteIpBlocks',
  'serviceAccounts',
  'notServiceAccounts',
]);

function policies({ world }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const object of world.authorizationPolicies) {
    const say = (text: string, path: string): void =>
      void found.push(message('NotEnforced', object, 'AuthorizationPolicy', text, path));
    if (object.spec?.action === 'CUSTOM')
      say(
        'spec.action CUSTOM is not supported by the embedded engine: requests that the rules match are denied',
        'spec.action',
      );
    if (object.spec?.action === 'AUDIT')
      say(
        'spec.action AUDIT has no effect: the embedded engine has no audit plugin, as Istio without one',
        'spec.action',
      );
    object.spec?.rules?.forEach((rule, i) => {
      rule.when?.forEach((condition, j) => {
        if (!isConditionKey(condition.key))
          say(
            `spec.rules[${i}].when[${j}].key "${condition.key}" is not known to the embedded engine: the condition never matches`,
            `spec.rules[${i}].when[${j}].key`,
          );
      });
      rule.from?.forEach((from, j) => {
        for (const field of Object.keys(from.source ?? {}))
          if (!SOURCE_FIELDS.has(field))
            say(
              `spec.rules[${i}].from[${j}].source.${field} is not enforced by the embedded engine`,
              `spec.rules[${i}].from[${j}].source.${field}`,
            );
      });
    });
  }
  return found;
}

function telemetries({ world }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const object of world.telemetries) {
    const say = (text: string, path: string): void =>
      void found.push(message('NotEnforced', object, 'Telemetry', text, path));
    for (const [i, tracing] of (object.spec?.tracing ?? []).entries())
      for (const [j, provider] of (tracing.providers ?? []).entries()) {
        const path = `spec.tracing[${i}].providers[${j}]`;
        const known = providerNamed(world, provider.name);
        if (known === undefined)
          found.push(
            message(
              'ReferencedResourceNotFound',
              object,
              'Telemetry',
              `Referenced provider not found: "${provider.name ?? ''}"`,
              path,
            ),
          );
        else if (known.zipkin === undefined)
          say(
            `${path}: proxies of the embedded engine report to Zipkin providers only, "${provider.name ?? ''}" is none`,
            path,
          );
      }
    object.spec?.accessLogging?.forEach((logging, i) => {
      const path = `spec.accessLogging[${i}]`;
      const expression = logging.filter?.expression;
      if (expression !== undefined && compileLogFilter(expression) === undefined)
        say(
          `${path}.filter.expression is not understood by the embedded engine, which knows comparisons of response.code and response.duration: every line is written`,
          `${path}.filter.expression`,
        );
      logging.providers?.forEach((provider, j) => {
        const known = providerNamed(world, provider.name);
        if (known === undefined && provider.name !== 'envoy')
          found.push(
            message(
              'ReferencedResourceNotFound',
              object,
              'Telemetry',
              `Referenced provider not found: "${provider.name ?? ''}"`,
              `${path}.providers[${j}]`,
            ),
          );
        else if (known !== undefined && known.envoyFileAccessLog === undefined)
          say(
            `${path}.providers[${j}]: only envoyFileAccessLog providers are supported by the embedded engine`,
            `${path}.providers[${j}]`,
          );
      });
    });
    object.spec?.metrics?.forEach((metrics, i) => {
      metrics.providers?.forEach((provider, j) => {
        if (provider.name !== 'prometheus')
          say(
            `spec.metrics[${i}].providers[${j}]: only prometheus is supported by the embedded engine`,
            `spec.metrics[${i}].providers[${j}]`,
          );
      });
      metrics.overrides?.forEach((override, j) => {
        for (const [tag, change] of Object.entries(override.tagOverrides ?? {}))
          if (change.operation !== 'REMOVE' && !/^["'].*["']$/.test(change.value ?? ''))
            say(
              `spec.metrics[${i}].overrides[${j}].tagOverrides.${tag}.value: the embedded engine sets quoted constants only`,
              `spec.metrics[${i}].overrides[${j}].tagOverrides.${tag}`,
            );
      });
    });
  }
  return found;
}

function serviceEntries({ world }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const object of world.serviceEntries) {
    if (object.spec?.resolution === 'DYNAMIC_DNS')
      found.push(
        message(
          'NotEnforced',
          object,
          'ServiceEntry',
          'spec.resolution DYNAMIC_DNS is treated as NONE by the embedded engine',
          'spec.resolution',
        ),
      );
    if (object.spec?.addresses?.some((address) => address.includes('/')))
      found.push(
        message(
          'NotEnforced',
          object,
          'ServiceEntry',
          'spec.addresses: ranges are not routed by the embedded engine, only names are',
          'spec.addresses',
        ),
      );
    object.spec?.ports?.forEach((port, i) => {
      if (
        (port.protocol ?? '').toUpperCase() === 'TCP' &&
        (object.spec?.addresses?.length ?? 0) === 0 &&
        object.spec?.hosts?.some((host) => host.startsWith('*'))
      )
        found.push(
          message(
            'ServiceEntryAddressesRequired',
            object,
            'ServiceEntry',
            'ServiceEntry addresses are required for this protocol.',
            `spec.ports[${i}]`,
          ),
        );
    });
  }
  return found;
}

function loadBalancers({ world }: AnalysisInput): AnalysisMessage[] {
  return world.destinationRules.flatMap((object) => {
    const { spec } = object;
    const used = [spec?.trafficPolicy, ...(spec?.subsets ?? []).map((subset) => subset.trafficPolicy)];
    return used.some((policy) => policy?.loadBalancer?.simple === 'PASSTHROUGH')
      ? [
          message(
            'NotEnforced',
            object,
            'DestinationRule',
            'loadBalancer.simple PASSTHROUGH is treated as LEAST_REQUEST by the embedded engine',
            'spec.trafficPolicy.loadBalancer.simple',
          ),
        ]
      : [];
  });
}

function meshProviders({ world }: AnalysisInput): AnalysisMessage[] {
  const subject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: world.config.rootNamespace ?? 'istio-system' },
  };
  const found: AnalysisMessage[] = [];
  for (const name of world.config.defaultProviders?.tracing ?? [])
    if (providerNamed(world, name)?.zipkin === undefined)
      found.push(
        message(
          'NotEnforced',
          subject,
          'ConfigMap',
          `default tracing provider "${name}": proxies of the embedded engine report to Zipkin providers only`,
          'data.mesh.defaultProviders.tracing',
        ),
      );
  const formats = [
    world.config.accessLogFormat,
    ...(world.config.extensionProviders ?? []).map((provider) => provider.envoyFileAccessLog?.logFormat?.text),
  ];
  for (const format of formats)
    for (const command of unknownCommands(format ?? ''))
      found.push(
        message(
          'NotEnforced',
          subject,
          'ConfigMap',
          `access log format: %${command}% is not known to the embedded engine and prints "-"`,
          'data.mesh.accessLogFormat',
        ),
      );
  return found;
}
