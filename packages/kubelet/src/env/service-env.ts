import type { Service } from 'kubernetes-types/core/v1.d.ts';

/**
 * Variables in the form of Docker links for services (kubernetes pkg/kubelet/envvars/envvars.go): those of the pod's
 * namespace when it wants them, and `kubernetes` of the namespace `default` always. Headless services have none.
 */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
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
  for (const [name, service] of chosen) addService(variables, name, service);
  return variables;
}

function addService(variables: Map<string, string>, name: string, service: Service): void {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const address = service.spec?.clusterIP ?? '';
  const host = address.includes(':') ? `[${address}]` : address;
  const [first, ...others] = service.spec?.ports ?? [];
  if (!first) return;
  variables.set(`${prefix}_SERVICE_HOST`, address);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of [first, ...others])
    if (port.name)
      variables.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
  for (const [index, port] of [first, ...others].entries()) {
    const protocol = port.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${host}:${port.port}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(portPrefix, url);
    variables.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
    variables.set(`${portPrefix}_PORT`, String(port.port));
    variables.set(`${portPrefix}_ADDR`, address);
  }
}
