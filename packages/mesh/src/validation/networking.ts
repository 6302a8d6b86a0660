import { protocolNamed } from '../translate/protocol.ts';
import type {
  DestinationRule,
  Gateway,
  GatewayServer,
  ServiceEntry,
  Sidecar,
  TrafficPolicy,
  WorkloadEntry,
} from '../world/istio-types.ts';
import {
  checkAddress,
  checkDomain,
  checkDuration,
  checkExportTo,
  checkPort,
  checkSelector,
  isLabel,
} from './checks.ts';

/** Istio's ValidateGateway. */
export function validateGateway(spec: Gateway, name: string): string[] {
  const found = isLabel(name) ? [] : [`invalid gateway name: "${name}"`];
  if (!spec.servers?.length) found.push('gateway must have at least one server');
  const names = new Set<string>();
  for (const server of spec.servers ?? []) {
    found.push(...validateServer(server));
    const port = server.port?.name ?? '';
    if (names.has(port)) found.push(`port names in servers must be unique: duplicate name ${port}`);
    names.add(port);
  }
  return found;
}

function validateServer(server: GatewayServer): string[] {
  const found: string[] = [];
  if (!server.hosts?.length) found.push('server config must contain at least one host');
  for (const host of server.hosts ?? []) found.push(...checkNamespacedHost(host, 'gateway'));
  const { port, tls } = server;
  if (port === undefined) return [...found, 'port is required'];
  const protocol = protocolNamed(port.protocol);
  if (protocol === undefined)
    found.push(
      `invalid protocol "${port.protocol ?? ''}", supported protocols are HTTP, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP`,
    );
  found.push(...checkPort(port.number));
  if (!port.name) found.push(`port name must be set: number:${port.number} protocol:"${port.protocol ?? ''}"`);
  if (tls && (tls.mode === 'SIMPLE' || tls.mode === 'MUTUAL') && !tls.credentialName && !tls.credentialNames?.length) {
    if (!tls.serverCertificate) found.push(`${tls.mode} TLS requires a server certificate`);
    if (!tls.privateKey) found.push(`${tls.mode} TLS requires a private key`);
    if (tls.mode === 'MUTUAL' && !tls.caCertificates) found.push('MUTUAL TLS requires a client CA bundle');
  }
  if (protocol === 'tls' && tls === undefined) found.push('server must have TLS settings for HTTPS/TLS protocols');
  if (protocol !== undefined && protocol !== 'tls' && tls) {
    const isHttp = protocol !== 'tcp';
    if (isHttp && tls.mode !== undefined && tls.mode !== 'PASSTHROUGH')
      found.push('server cannot have TLS settings for plain text HTTP ports');
    if (!isHttp) found.push('server cannot have TLS settings for non HTTPS/TLS ports');
  }
  return found;
}

function checkNamespacedHost(entry: string, where: 'gateway' | 'sidecar'): string[] {
  const slash = entry.indexOf('/');
  if (slash < 0) return where === 'gateway' ? checkHostPart(entry) : ['host must be of form namespace/dnsName'];
  const [namespace, host] = [entry.slice(0, slash), entry.slice(slash + 1)];
  if (namespace === '' || host === '') return ['config namespace and dnsName in host entry cannot be empty'];
  const special = where === 'gateway' ? ['*', '.'] : ['*', '.', '~'];
  return [
    ...(special.includes(namespace) || isLabel(namespace)
      ? []
      : [`invalid namespace value "${namespace}" in ${where}`]),
    ...checkHostPart(host),
  ];
}

function checkHostPart(host: string): string[] {
  return [
    ...(host !== '*' && !host.includes('.') ? ['short names (non FQDN) are not allowed'] : []),
    ...checkDomain(host),
  ];
}

/** Istio's ValidateDestinationRule. */
export function validateDestinationRule(spec: DestinationRule, namespace: string): string[] {
  return [
    ...checkDomain(spec.host ?? ''),
    ...trafficPolicy(spec.trafficPolicy),
    ...(spec.subsets ?? []).flatMap((subset) => [
      ...(subset.name
        ? isLabel(subset.name)
          ? []
          : [`subset name is invalid: ${subset.name}`]
        : ['subset name cannot be empty']),
      ...trafficPolicy(subset.trafficPolicy),
    ]),
    ...checkSelector(spec.workloadSelector?.matchLabels),
    ...checkExportTo(namespace, spec.exportTo),
  ];
}

function trafficPolicy(policy: TrafficPolicy | undefined): string[] {
  if (policy === undefined) return [];
  const { outlierDetection, connectionPool, loadBalancer, tls } = policy;
  const found: string[] = [];
  if (outlierDetection)
    found.push(
      ...checkDuration(outlierDetection.interval),
      ...checkDuration(outlierDetection.baseEjectionTime),
      ...percent(outlierDetection.maxEjectionPercent),
      ...percent(outlierDetection.minHealthPercent),
    );
  if (connectionPool) {
    const { tcp, http } = connectionPool;
    if (!tcp && !http) found.push('connection pool must have at least one field');
    for (const [field, value] of [
      ['max connections', tcp?.maxConnections],
      ['http1 max pending requests', http?.http1MaxPendingRequests],
      ['http2 max requests', http?.http2MaxRequests],
      ['max requests per connection', http?.maxRequestsPerConnection],
      ['max retries', http?.maxRetries],
    ] as const)
      if ((value ?? 0) < 0) found.push(`${field} must be non-negative`);
    found.push(
      ...checkDuration(tcp?.connectTimeout),
      ...checkDuration(http?.idleTimeout),
      ...checkDuration(tcp?.idleTimeout),
    );
  }
  const hash = loadBalancer?.consistentHash;
  if (hash) {
    if (hash.httpHeaderName === '') found.push('httpHeaderName cannot be empty'); // Istio has no words for it: an empty name matches nothing.
    if (hash.httpCookie) {
      if (!hash.httpCookie.name) found.push('name required for HttpCookie');
      if (hash.httpCookie.ttl !== undefined && hash.httpCookie.ttl !== '0s')
        found.push(...checkDuration(hash.httpCookie.ttl));
    }
  }
  const locality = loadBalancer?.localityLbSetting;
  if (locality?.distribute?.length && locality.failover?.length)
    found.push("can not simultaneously specify 'distribute' and 'failover' and 'failoverPriority'");
  for (const entry of locality?.distribute ?? []) {
    const total = Object.values(entry.to ?? {}).reduce((sum, weight) => sum + weight, 0);
    if (total !== 100) found.push(`total locality weight ${total} != 100`);
  }
  if (tls?.mode === 'MUTUAL' && !tls.credentialName) {
    if (!tls.clientCertificate) found.push('client certificate required for mutual tls');
    if (!tls.privateKey) found.push('private key required for mutual tls');
  }
  for (const entry of policy.portLevelSettings ?? []) {
    if (entry.port === undefined) found.push('port level settings must specify a port');
    const { port: _port, ...rest } = entry;
    found.push(...trafficPolicy(rest));
  }
  return found;
}

function percent(value: number | undefined): string[] {
  return value === undefined || (value >= 0 && value <= 100) ? [] : [`percentage ${value} is not in range 0..100`];
}

/** Istio's ValidateServiceEntry. */
export function validateServiceEntry(spec: ServiceEntry, namespace: string): string[] {
  const found = checkSelector(spec.workloadSelector?.labels);
  const endpoints = spec.endpoints ?? [];
  if (spec.workloadSelector && endpoints.length > 0)
    found.push('only one of WorkloadSelector or Endpoints is allowed in Service Entry');
  if (!spec.hosts?.length) found.push('service entry must have at least one host');
  for (const host of spec.hosts ?? []) found.push(...(host === '*' ? ['invalid host *'] : checkDomain(host)));
  for (const address of spec.addresses ?? []) found.push(...checkAddress(address));
  const resolution = spec.resolution ?? 'NONE';
  if (spec.addresses?.some((address) => address.includes('/')) && resolution !== 'NONE' && resolution !== 'STATIC')
    found.push('CIDR addresses are allowed only for NONE/STATIC resolution types');
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const port of spec.ports ?? []) {
    if (names.has(port.name)) found.push(`service entry port name "${port.name}" already defined`);
    if (numbers.has(port.number)) found.push(`service entry port ${port.number} already defined`);
    names.add(port.name);
    numbers.add(port.number);
    found.push(...checkPort(port.number));
    if (port.protocol && protocolNamed(port.protocol) === undefined)
      found.push(`unsupported protocol: ${port.protocol}`);
  }
  if (resolution === 'NONE' && endpoints.length > 0)
    found.push('no endpoints should be provided for resolution type none');
  if (resolution === 'STATIC' && endpoints.length === 0 && !spec.workloadSelector)
    found.push('endpoints must be provided if service entry resolution mode is static');
  if ((resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN') && endpoints.length === 0)
    for (const host of spec.hosts ?? [])
      if (host.startsWith('*'))
        found.push(`hosts must be FQDN if no endpoints are provided for resolution mode ${resolution}`);
  for (const endpoint of endpoints) found.push(...validateWorkloadEntry(endpoint));
  return [...found, ...checkExportTo(namespace, spec.exportTo)];
}

export function validateWorkloadEntry(spec: WorkloadEntry): string[] {
  return spec.address ? [] : ['address must be set'];
}

/** Istio's ValidateSidecar. */
export function validateSidecar(spec: Sidecar): string[] {
  const found = checkSelector(spec.workloadSelector?.labels);
  if (!spec.egress?.length && !spec.ingress?.length && !spec.outboundTrafficPolicy && !spec.inboundConnectionPool)
    found.push('sidecar: empty configuration provided');
  for (const egress of spec.egress ?? []) {
    if (!egress.hosts?.length) found.push('sidecar: egress listener must contain at least one host');
    for (const host of egress.hosts ?? []) found.push(...checkNamespacedHost(host, 'sidecar'));
  }
  return found;
}
