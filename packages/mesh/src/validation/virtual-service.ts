import { parseRetryOn } from '../translate/http-routes.ts';
import { hostMatches } from '../translate/registry.ts';
import type { Destination, Headers, HttpRoute, L4Match, VirtualService } from '../world/istio-types.ts';
import {
  checkDomain,
  checkDuration,
  checkExportTo,
  checkExpression,
  checkHeaderName,
  checkPercentage,
  checkPort,
  isLabel,
} from './checks.ts';

/** Istio's ValidateVirtualService. */
export function validateVirtualService(spec: VirtualService, namespace: string): string[] {
  const found: string[] = [];
  const hosts = spec.hosts ?? [];
  const gateways = spec.gateways ?? [];
  const isDelegate = hosts.length === 0;
  if (isDelegate) {
    if (gateways.length > 0) found.push('delegate virtual service must have no gateways specified');
    if (spec.tls?.length) found.push('delegate virtual service must have no tls route specified');
    if (spec.tcp?.length) found.push('delegate virtual service must have no tcp route specified');
  }
  found.push(...checkGatewayNames(gateways));
  const ofMesh = gateways.length === 0 || gateways.includes('mesh');
  const ofGateway = gateways.some((name) => name !== 'mesh');
  for (const host of hosts) {
    found.push(...(/^\d+\.\d+\.\d+\.\d+$/.test(host) ? [] : checkDomain(host)));
    if (ofMesh && host === '*' && !isDelegate)
      found.push('wildcard host * is not allowed for virtual services bound to the mesh gateway');
  }
  hosts.forEach((host, i) => {
    for (const other of hosts.slice(i + 1))
      if (host === other || hostMatches(host, other) || hostMatches(other, host))
        found.push(`duplicate hosts in virtual service: ${host} & ${other}`);
  });
  if (!spec.http?.length && !spec.tcp?.length && !spec.tls?.length)
    found.push('http, tcp or tls must be provided in virtual service');
  for (const http of spec.http ?? []) {
    if (http === null) {
      found.push('http route may not be null');
      continue;
    }
    if (http.delegate && !ofGateway) found.push('http delegate only applies to gateway');
    found.push(...validateHttpRoute(http, isDelegate));
  }
  for (const tls of spec.tls ?? []) {
    if (!tls.match?.length) found.push('TLS route must have at least one match condition');
    for (const match of tls.match ?? []) {
      if (!match.sniHosts?.length) found.push('TLS match must have at least one SNI host');
      for (const sni of match.sniHosts ?? [])
        if (!hosts.some((host) => hostMatches(host, sni)))
          found.push(
            `SNI host "${sni}" is not a compatible subset of any of the virtual service hosts: [${hosts.join(', ')}]`,
          );
      found.push(...checkL4Match(match));
    }
    if (!tls.route?.length) found.push('TLS route is required');
    found.push(...checkDestinations(tls.route));
  }
  for (const tcp of spec.tcp ?? []) {
    for (const match of tcp.match ?? []) found.push(...checkL4Match(match));
    if (!tcp.route?.length) found.push('TCP route is required');
    found.push(...checkDestinations(tcp.route));
  }
  return [...found, ...checkExportTo(namespace, spec.exportTo)];
}

function checkGatewayNames(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const slash = name.indexOf('/');
    if (slash < 0) return checkDomain(name);
    const [namespace, gateway] = [name.slice(0, slash), name.slice(slash + 1)];
    if (namespace === '' || gateway === '') return ['config namespace and gateway name cannot be empty'];
    return [
      ...(isLabel(namespace) ? [] : [`invalid value for namespace: "${namespace}"`]),
      ...(isLabel(gateway) ? [] : [`invalid value for gateway name: "${gateway}"`]),
    ];
  });
}

function checkL4Match(match: L4Match): string[] {
  return [...(match.port ? checkPort(match.port) : []), ...checkGatewayNames(match.gateways ?? [])];
}

function checkDestinations(routes: readonly { destination: Destination; weight?: number }[] | undefined): string[] {
  const list = routes ?? [];
  const found = list.flatMap((route) => [
    ...(route.destination ? checkDestination(route.destination) : ['destination is required']),
    ...((route.weight ?? 0) < 0 ? [`weight ${route.weight} < 0`] : []),
  ]);
  if (list.length > 1 && list.reduce((sum, route) => sum + (route.weight ?? 0), 0) === 0)
    found.push('total destination weight = 0');
  return found;
}

function checkDestination(destination: Destination): string[] {
  return [
    ...(destination.host === '*' ? ['invalid destination host *'] : checkDomain(destination.host ?? '')),
    ...(destination.subset && !isLabel(destination.subset) ? [`subset name is invalid: ${destination.subset}`] : []),
    ...(destination.port ? checkPort(destination.port.number) : []),
  ];
}

function checkHeaders(headers: Headers | undefined): string[] {
  return [headers?.request, headers?.response].flatMap((operations) =>
    [
      ...Object.keys(operations?.add ?? {}),
      ...Object.keys(operations?.set ?? {}),
      ...(operations?.remove ?? []),
    ].flatMap(checkHeaderName),
  );
}

function conflicts(http: HttpRoute, isDelegate: boolean): string[] {
  if (http.delegate && !isDelegate)
    return [
      ...(http.redirect ? [`root HTTP route ${http.name ?? ''} must not specify redirect`] : []),
      ...(http.route ? [`root HTTP route ${http.name ?? ''} must not specify route`] : []),
    ];
  const found = http.delegate ? ['delegate HTTP route cannot contain delegate'] : [];
  if (http.redirect) {
    if (http.route?.length) found.push('HTTP route cannot contain both route and redirect');
    if (http.fault) found.push('HTTP route cannot contain both fault and redirect');
    if (http.rewrite) found.push('HTTP route rule cannot contain both rewrite and redirect');
    if (http.directResponse) found.push('HTTP route rule cannot contain both direct_response and redirect');
  } else if (http.directResponse) {
    if (http.route?.length) found.push('HTTP route cannot contain both route and direct_response');
    if (http.fault) found.push('HTTP route cannot contain both fault and direct_response');
    if (http.rewrite) found.push('HTTP route rule cannot contain both rewrite and direct_response');
  } else if (!http.route?.length) found.push('HTTP route, redirect or direct_response is required');
  if (http.mirror && http.mirrors?.length) found.push('HTTP route cannot contain both mirror and mirrors');
  return found;
}

function validateHttpRoute(http: HttpRoute, isDelegate: boolean): string[] {
  const found = [...conflicts(http, isDelegate), ...matches(http), ...checkHeaders(http.headers)];
  for (const origin of http.corsPolicy?.allowOrigins ?? []) {
    const value = origin.exact ?? origin.prefix ?? origin.regex ?? '';
    if (value === '') found.push("'' is not a valid match type for CORS allow origins");
    found.push(...checkExpression(origin.regex, 'corsPolicy.allowOrigins'));
  }
  for (const method of http.corsPolicy?.allowMethods ?? [])
    if (!METHODS.has(method)) found.push(`"${method}" is not a supported HTTP method`);
  found.push(...checkDuration(http.corsPolicy?.maxAge), ...fault(http), ...checkDuration(http.timeout));
  if ((http.mirrorPercentage?.value ?? 0) > 100)
    found.push(`mirror_percentage must have a max value of 100 (it has ${http.mirrorPercentage?.value?.toFixed(6)})`);
  if ((http.mirrorPercent ?? 0) > 100)
    found.push(`mirror_percent must have a max value of 100 (it has ${http.mirrorPercent})`);
  if (http.mirror) found.push(...checkDestination(http.mirror));
  for (const mirror of http.mirrors ?? [])
    found.push(...checkDestination(mirror.destination), ...checkPercentage(mirror.percentage?.value));
  const { redirect, rewrite, directResponse } = http;
  if (redirect) {
    if (!redirect.uri && !redirect.authority && !redirect.port && !redirect.derivePort && !redirect.scheme)
      found.push('redirect must specify URI, authority, scheme, or port');
    if (redirect.redirectCode && (redirect.redirectCode < 300 || redirect.redirectCode > 399))
      found.push(`${redirect.redirectCode} is not a valid redirect code, must be 3xx`);
    if (redirect.scheme && redirect.scheme !== 'http' && redirect.scheme !== 'https')
      found.push('redirect scheme must be either "http" or "https"');
  }
  if (directResponse && (directResponse.status < 200 || directResponse.status > 599))
    found.push(`HTTP status ${directResponse.status} is not in range 200-599`);
  if (rewrite && !rewrite.uri && !rewrite.authority && !rewrite.uriRegexRewrite)
    found.push(
      'rewrite must specify at least one of URI, authority, or UriRegexRewrite. uri and uriRegexRewrite are mutually exclusive',
    );
  found.push(...checkExpression(rewrite?.uriRegexRewrite?.match, 'rewrite.uriRegexRewrite.match'), ...retries(http));
  for (const route of http.route ?? []) found.push(...checkHeaders(route.headers));
  return [...found, ...checkDestinations(http.route)];
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*']);

function matches(http: HttpRoute): string[] {
  return (http.match ?? []).flatMap((match) => {
    if (match === null) return [];
    const found = Object.entries(match.headers ?? {}).flatMap(([name, header]) => [
      ...(header === null ? [`header match ${name} cannot be null`] : []),
      ...checkHeaderName(name),
      ...checkExpression(header?.regex === '*' ? undefined : header?.regex, 'headers'),
    ]);
    for (const field of ['uri', 'scheme', 'method', 'authority'] as const)
      found.push(...checkExpression(match[field]?.regex, field));
    for (const parameter of Object.values(match.queryParams ?? {}))
      found.push(...checkExpression(parameter?.regex === '*' ? undefined : parameter?.regex, 'queryParams'));
    if (match.port) found.push(...checkPort(match.port));
    found.push(...checkGatewayNames(match.gateways ?? []));
    if (match.sourceNamespace && !isLabel(match.sourceNamespace))
      found.push(`sourceNamespace match ${match.sourceNamespace} is invalid`);
    return found;
  });
}

function fault(http: HttpRoute): string[] {
  const { fault } = http;
  if (!fault) return [];
  if (!fault.abort && !fault.delay) return ['HTTP fault injection must have an abort and/or a delay'];
  const status = fault.abort?.httpStatus;
  return [
    ...checkPercentage(fault.abort?.percentage?.value),
    ...(status !== undefined && (status < 200 || status > 599)
      ? [`HTTP status ${status} is not in range 200-599`]
      : []),
    ...(fault.abort?.http2Error ? ['HTTP/2 abort fault injection not supported yet'] : []),
    ...checkPercentage(fault.delay?.percentage?.value),
    ...checkDuration(fault.delay?.fixedDelay),
    ...(fault.delay?.exponentialDelay ? ['exponentialDelay not supported yet'] : []),
  ];
}

function retries(http: HttpRoute): string[] {
  const { retries: policy } = http;
  if (!policy) return [];
  return [
    ...((policy.attempts ?? 0) < 0 ? ['attempts cannot be negative'] : []),
    ...((policy.attempts ?? 0) === 0 && (policy.perTryTimeout || policy.retryOn || policy.retryRemoteLocalities)
      ? ['http retry policy configured when attempts are set to 0 (disabled)']
      : []),
    ...checkDuration(policy.perTryTimeout),
    ...parseRetryOn(policy.retryOn ?? '')
      .unknown.filter((condition) => !OTHER_CONDITIONS.has(condition))
      .map((condition) => `"${condition}" is not a valid retryOn policy`),
  ];
}

/** Valid for Istio and without effect here; the analysis says so. */
const OTHER_CONDITIONS = new Set(['envoy-ratelimited', 'retriable-headers', 'http3-post-connect-failure']);
