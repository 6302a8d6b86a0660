import { parseQuantity, quantityMilliValue, quantityValue } from '@kind-e2e/kube-api';
import type { Container, Pod, ResourceFieldSelector } from 'kubernetes-types/core/v1.d.ts';

export interface PodAddresses {
  readonly podIP: string;
  readonly hostIP: string;
}

/** The value of a downward API field; undefined for a path that does not exist (kubernetes pkg/fieldpath). */
export function podField(pod: Pod, path: string, addresses: PodAddresses): string | undefined {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) {
    const map = subscript[1] === 'labels' ? metadata?.labels : metadata?.annotations;
    return map?.[subscript[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata?.name ?? '';
    case 'metadata.namespace':
      return metadata?.namespace ?? '';
    case 'metadata.uid':
      return metadata?.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata?.labels);
    case 'metadata.annotations':
      return formatMap(metadata?.annotations);
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return addresses.hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return addresses.podIP;
    default:
      return undefined;
  }
}

/** `key="value"` lines in order of keys, the value quoted as Go does (fieldpath.FormatMap). */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

export interface Allocatable {
  readonly cpu: string;
  readonly memory: string;
  readonly 'ephemeral-storage'?: string;
}

/** The value of a resource of a container divided by `divisor`, rounded up; a limit that is not set is the node's. */
export function resourceField(container: Container, selector: ResourceFieldSelector, allocatable: Allocatable): string {
  const dot = selector.resource.indexOf('.');
  const kind = selector.resource.slice(0, dot);
  const name = selector.resource.slice(dot + 1);
  const { limits, requests } = container.resources ?? {};
  const own = kind === 'limits' ? limits?.[name] : (requests?.[name] ?? limits?.[name]);
  const fallback = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' ? allocatable[name] : undefined;
  const value = own ?? (kind === 'limits' ? fallback : undefined) ?? '0';
  const divisor = selector.divisor === undefined || selector.divisor === '0' ? '1' : selector.divisor;
  const amount = parseQuantity(value);
  const by = parseQuantity(divisor);
  if (!amount || !by) return '0';
  return name === 'cpu'
    ? ceilDivide(quantityMilliValue(amount), quantityMilliValue(by))
    : ceilDivide(quantityValue(amount), quantityValue(by));
}

function ceilDivide(value: number, by: number): string {
  return String(by === 0 ? 0 : Math.ceil(value / by));
}
