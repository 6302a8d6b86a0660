import type { Attributes, AttributeValue, Span, SpanLink } from '@kind-e2e/telemetry';
import { type AdjustedSpan, adjustClockSkew } from './clock-skew.ts';

/** `jaegerquery/internal/adjuster/libraryattributes.go`. */
const LIBRARY_KEYS = [
  'telemetry.sdk.language',
  'telemetry.sdk.name',
  'telemetry.sdk.version',
  'telemetry.distro.name',
  'telemetry.distro.version',
];
/** `jaegerquery/internal/adjuster/ipattribute.go`. */
const IP_KEYS = ['ip', 'peer.ipv4'];

/**
 * What Jaeger does to a trace before it gives it away, unless it is wanted raw, in its order (`jaegerquery/internal/
 * adjuster/standard.go`): attributes in the order of their keys and events in that of time, clocks set right, addresses
 * that are numbers written with dots, what is said of the SDK moved to the resource, links to nothing removed. That ids
 * are unique and that no span is there twice is the store's work.
 */
export function adjustTrace(spans: readonly Span[], maxSkewNs: bigint): AdjustedSpan[] {
  const resources = new Map<Span['resource'], { attributes: Record<string, AttributeValue> }>();
  return adjustClockSkew(spans.map(inOrder), maxSkewNs).map(({ span, warnings: said }) => {
    const warnings = [...said];
    let resource = resources.get(span.resource);
    if (!resource) {
      resource = { attributes: { ...withDottedAddresses(sorted(span.resource.attributes)) } };
      resources.set(span.resource, resource);
    }
    const attributes = withoutLibrary(withDottedAddresses(span.attributes), resource.attributes, warnings);
    return { span: { ...span, attributes, resource, links: withoutEmpty(span.links, warnings) }, warnings };
  });
}

/** A trace as it came. */
export function rawTrace(spans: readonly Span[]): AdjustedSpan[] {
  return spans.map((span) => ({ span, warnings: [] }));
}

function inOrder(span: Span): Span {
  return {
    ...span,
    attributes: sorted(span.attributes),
    events: span.events
      .map((event) => ({ ...event, attributes: sorted(event.attributes) }))
      .sort((a, b) => (a.timeUnixNano < b.timeUnixNano ? -1 : a.timeUnixNano > b.timeUnixNano ? 1 : 0)),
    links: span.links.map((link) => ({ ...link, attributes: sorted(link.attributes) })),
  };
}

function sorted(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function withDottedAddresses(attributes: Attributes): Attributes {
  const dotted: Record<string, string> = {};
  for (const key of IP_KEYS) {
    const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    if (typeof value !== 'number' && typeof value !== 'bigint') continue;
    const address = Number(BigInt.asUintN(32, BigInt(typeof value === 'number' ? Math.trunc(value) || 0 : value)));
    dotted[key] = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  }
  return Object.keys(dotted).length === 0 ? attributes : { ...attributes, ...dotted };
}

function withoutLibrary(
  attributes: Attributes,
  resource: Record<string, AttributeValue>,
  warnings: string[],
): Attributes {
  const moved = new Set<string>();
  for (const key of LIBRARY_KEYS) {
    const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    if (value === undefined) continue;
    if (Object.hasOwn(resource, key) && (resource[key] !== value || typeof value !== 'string')) {
      warnings.push(`conflicting values between Span and Resource for attribute ${key}`);
      continue;
    }
    resource[key] = value;
    moved.add(key);
  }
  if (moved.size === 0) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !moved.has(key)));
}

/** `jaegerquery/internal/adjuster/spanlinks.go`. */
function withoutEmpty(links: readonly SpanLink[], warnings: string[]): readonly SpanLink[] {
  return links.filter(({ traceId }) => {
    const isEmpty = /^0*$/.test(traceId);
    if (isEmpty) warnings.push('Invalid span link removed');
    return !isEmpty;
  });
}
