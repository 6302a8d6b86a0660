import type { Service } from 'kubernetes-types/core/v1.d.ts';
import { socketPort } from '../node/low-ports.ts';

/**
 * Variables in the form of Docker links for services (kubernetes pkg/kubelet/envvars/envvars.go): those of the pod's
 * namespace when it wants them, and `kubernetes` of the namespace `default` always. Headless services have none.
 * Where ports below `lowPortLimit` are shifted, the value says where a program that is not Node.js finds the service.
 */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
  lowPortLimit = 0,
): Map<string, string> {
  const variables = new Map<string, string>();
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = '', namespace: of } = service.metadata ?? {};
    const address = service.spec?.clusterIP;
    if (address === undefined || address === '' || address === 'None') continue;
    if (of === namespace && (enableServiceLinks || (name === 'kubernetes' && of === 'default')))
      chosen.set(name, service);
    else if (of === 'default' && name === 'kubernetes' && !chosen.has(name)) chosen.set(name, service);
  }
  for (const [name, service] of chosen) addService(variables, name, service, (port) => socketPort(port, lowPortLimit));
  return variables;
}

function addService(
  variables: Map<string, string>,
  name: string,
  service: Service,
  portOf: (port: number) => number,
): void {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const address = service.spec?.clusterIP ?? '';
  const host = address.includes(':') ? `[${address}]` : address;
  const [first, ...others] = service.spec?.ports ?? [];
  if (!first) return;
  variables.set(`${prefix}_SERVICE_HOST`, address);
  variables.set(`${prefix}_SERVICE_PORT`, String(portOf(first.port)));
  for (const port of [first, ...others])
    if (port.name)
      variables.set(
        `${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`,
        String(portOf(port.port)),
      );
  for (const [index, port] of [first, ...others].entries()) {
    const protocol = port.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${host}:${portOf(port.port)}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(portPrefix, url);
    variables.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
    variables.set(`${portPrefix}_PORT`, String(portOf(port.port)));
    variables.set(`${portPrefix}_ADDR`, address);
  }
}
