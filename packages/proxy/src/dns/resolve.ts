import type { NameRecord, NameTable } from '../snapshot/snapshot.ts';
import type { Answer } from './message.ts';

export interface Asker {
  /** Workload id. */
  readonly id: string;
  readonly namespace: string;
  readonly outboundAddress: string;
}

export interface Resolution {
  readonly found: boolean;
  readonly answers: readonly Answer[];
}

/**
 * Looks a name up as a pod would with its search list: `a`, `a.ns`, `a.ns.svc` and the full name are the same service.
 * Undefined: the name is not of the cluster, others have to be asked.
 */
export function resolveName(
  table: NameTable,
  asker: Asker,
  name: string,
  kind: 'A' | 'SRV' | 'other',
): Resolution | undefined {
  const srv = kind === 'SRV' ? /^_([^.]+)\._(tcp|udp)\.(.+)$/.exec(name) : null;
  const [, portName, protocol] = srv ?? [];
  const asked = srv ? (srv[3] as string) : name;
  for (const candidate of candidates(table, asker, asked)) {
    const record = lookUp(table, candidate);
    if (record === undefined) continue;
    if (kind === 'A')
      return { found: true, answers: addressesOf(record, asker).map((address) => ({ type: 'A', address })) };
    if (kind === 'SRV') {
      const ports = (record.ports ?? []).filter(
        (port) => portName === undefined || (port.name === portName && port.protocol === protocol),
      );
      return {
        found: ports.length > 0,
        answers: ports.map((port) => ({ type: 'SRV', port: port.port, target: candidate })),
      };
    }
    return { found: true, answers: [] };
  }
  const inCluster =
    asked === table.clusterDomain ||
    asked.endsWith(`.${table.clusterDomain}`) ||
    asked.endsWith('.svc') ||
    !asked.includes('.');
  return inCluster ? { found: false, answers: [] } : undefined;
}

function candidates(table: NameTable, asker: Asker, name: string): string[] {
  const { clusterDomain } = table;
  const dots = name.split('.').length - 1;
  const found = [name];
  if (dots === 0) found.push(`${name}.${asker.namespace}.svc.${clusterDomain}`);
  if (dots >= 1) found.push(`${name}.svc.${clusterDomain}`, `${name}.${clusterDomain}`);
  return found;
}

function lookUp(table: NameTable, name: string): NameRecord | undefined {
  const exact = table.names[name];
  if (exact) return exact;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const wildcard = table.names[`*${name.slice(dot)}`];
    if (wildcard) return wildcard;
  }
  return undefined;
}

function addressesOf(record: NameRecord, asker: Asker): readonly string[] {
  const own = record.perWorkload?.[asker.id];
  if (own !== undefined) return [own];
  return record.kind === 'outbound' ? [asker.outboundAddress] : (record.addresses ?? []);
}
