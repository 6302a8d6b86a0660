/** Ports of a pod that are given twice or half (`pkg/api/pod/warnings.go`). */
import { goQuote } from '../errors/field-error.ts';
import { numberAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';

interface Port {
  readonly field: string;
  readonly name: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP: string;
}

export function portWarnings(containers: readonly (readonly [JsonRecord, string])[]): string[] {
  const ports: Port[] = containers.flatMap(([container, path]) =>
    recordsAt(container, 'ports').map((port, index) => ({
      field: `${path}.ports[${index}]`,
      name: stringAt(port, 'name'),
      hostPort: numberAt(port, 'hostPort') ?? 0,
      containerPort: numberAt(port, 'containerPort') ?? 0,
      protocol: stringAt(port, 'protocol'),
      hostIP: stringAt(port, 'hostIP'),
    })),
  );
  return [...collisions(ports), ...sharedNames(ports)];
}

function collisions(ports: readonly Port[]): string[] {
  const out: string[] = [];
  const seen = new Map<string, Port[]>();
  for (const port of ports) {
    // As Go prints the struct (%+v).
    if (port.hostIP !== '' && port.hostPort === 0)
      out.push(
        `${port.field}: hostIP set without hostPort: {Name:${port.name} HostPort:0 ContainerPort:${port.containerPort} Protocol:${port.protocol} HostIP:${port.hostIP}}`,
      );
    const key = `${port.containerPort}/${port.protocol}`;
    const others = seen.get(key) ?? [];
    for (const other of others) {
      const relation = relationOf(port, other);
      if (relation !== undefined) out.push(`${port.field}: ${relation} port definition with ${other.field}`);
    }
    seen.set(key, [...others, port]);
  }
  return out;
}

/** Validation has refused what is the same on the host already. */
function relationOf(port: Port, other: Port): string | undefined {
  if (port.hostIP === other.hostIP && port.hostPort === other.hostPort) return 'duplicate';
  if (port.hostPort === 0 || other.hostPort === 0) return 'overlapping';
  const isHalfOpen = (port.hostIP === '') !== (other.hostIP === '');
  return port.hostPort === other.hostPort && isHalfOpen ? 'dangerously ambiguous' : undefined;
}

function sharedNames(ports: readonly Port[]): string[] {
  const first = new Map<string, string>();
  return ports.flatMap(({ name, field }) => {
    if (name === '') return [];
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, field);
      return [];
    }
    return [
      `${field}: duplicate port name ${goQuote(name)} with ${other}, services and probes that select ports by name will use ${other}`,
    ];
  });
}
