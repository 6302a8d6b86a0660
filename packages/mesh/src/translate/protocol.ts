import type { PortProtocol } from '@kind-e2e/proxy';

const BY_NAME: Readonly<Record<string, PortProtocol>> = {
  http: 'http',
  'http-web': 'http',
  http2: 'http2',
  grpc: 'grpc',
  'grpc-web': 'http',
  https: 'tls',
  tls: 'tls',
  tcp: 'tcp',
  mongo: 'tcp',
  mysql: 'tcp',
  redis: 'tcp',
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'tls',
};

/** Ports on which servers speak first; Istio takes them for TCP where nothing is said. */
const SERVER_FIRST_PORTS = new Set([25, 53, 110, 143, 3306, 5432, 27017]);

/**
 * Istio's protocol selection: appProtocol, then the port's name up to the first dash, else found out from the first
 * bytes (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/).
 */
export function protocolOf(port: {
  readonly name?: string;
  readonly appProtocol?: string;
  readonly protocol?: string;
  readonly port: number;
}): PortProtocol | undefined {
  if (port.protocol === 'UDP' || port.protocol === 'SCTP') return undefined;
  if (port.appProtocol !== undefined) {
    const known = BY_NAME[port.appProtocol.toLowerCase()];
    if (known) return known;
  }
  const name = port.name?.toLowerCase() ?? '';
  if (name === 'udp' || name.startsWith('udp-')) return undefined;
  const known = name.startsWith('grpc-web') ? 'http' : BY_NAME[name.split('-')[0] ?? ''];
  if (known) return known;
  return SERVER_FIRST_PORTS.has(port.port) ? 'tcp' : 'auto';
}

/** Protocol names of Gateway servers and ServiceEntry ports. */
export function protocolNamed(name: string | undefined): PortProtocol | undefined {
  if (name === undefined || name === '') return 'auto';
  switch (name.toUpperCase()) {
    case 'HTTP':
    case 'GRPC-WEB':
      return 'http';
    case 'HTTP2':
      return 'http2';
    case 'GRPC':
      return 'grpc';
    case 'HTTPS':
    case 'TLS':
      return 'tls';
    case 'TCP':
    case 'MONGO':
    case 'MYSQL':
    case 'REDIS':
      return 'tcp';
    default:
      return undefined;
  }
}

export function isHttp(protocol: PortProtocol): boolean {
  return protocol === 'http' || protocol === 'http2' || protocol === 'grpc';
}
