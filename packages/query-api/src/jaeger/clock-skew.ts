import type { Span } from '@kind-e2e/telemetry';

/** A span as readers see it: perhaps changed, with what there is to say about it. */
export interface AdjustedSpan {
  readonly span: Span;
  readonly warnings: readonly string[];
}

interface Node {
  readonly span: Span;
  readonly host: string;
  readonly children: Node[];
  shiftNs: bigint;
  readonly warnings: string[];
}

/** What the spans of one host are moved by, from the first of them down. */
interface Skew {
  readonly host: string;
  readonly deltaNs: bigint;
}

/**
 * Moves spans of other hosts so that they lie within the call that caused them: Jaeger's clock skew adjuster (jaeger
 * `jaegerquery/internal/adjuster/clockskew.go`). Spans whose resources name the same host share a clock; of a span
 * without a host nothing is known, so it is held against its parent. Spans whose parent is missing are warned of.
 */
export function adjustClockSkew(spans: readonly Span[], maxSkewNs: bigint): AdjustedSpan[] {
  const nodes = spans.map((span): Node => ({ span, host: hostOf(span), children: [], shiftNs: 0n, warnings: [] }));
  const byId = new Map<string, Node>();
  for (const node of nodes) {
    if (byId.has(node.span.spanId)) node.warnings.push('duplicate span IDs; skipping clock skew adjustment');
    else byId.set(node.span.spanId, node);
  }
  const waiting: { node: Node; parent: Node | undefined; skew: Skew }[] = [];
  for (const node of byId.values()) {
    const { parentSpanId } = node.span;
    const parent = byId.get(parentSpanId);
    if (parentSpanId !== '' && parent) {
      parent.children.push(node);
      continue;
    }
    if (parentSpanId !== '')
      node.warnings.push(`parent span ID=${parentSpanId} is not in the trace; skipping clock skew adjustment`);
    waiting.push({ node, parent: undefined, skew: { host: node.host, deltaNs: 0n } });
  }
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, parent } = next;
    let { skew } = next;
    if (parent && (node.host !== skew.host || node.host === ''))
      skew = { host: node.host, deltaNs: skewOf(node.span, parent) };
    shift(node, skew.deltaNs, maxSkewNs);
    for (const child of node.children) waiting.push({ node: child, parent: node, skew });
  }
  return nodes.map(({ span, shiftNs, warnings }) => ({ span: shiftNs === 0n ? span : moved(span, shiftNs), warnings }));
}

function moved(span: Span, byNs: bigint): Span {
  return {
    ...span,
    startTimeUnixNano: span.startTimeUnixNano + byNs,
    endTimeUnixNano: span.endTimeUnixNano + byNs,
    events: span.events.map((event) => ({ ...event, timeUnixNano: event.timeUnixNano + byNs })),
  };
}

function shift(node: Node, deltaNs: bigint, maxSkewNs: bigint): void {
  if (deltaNs === 0n) return;
  const size = deltaNs < 0n ? -deltaNs : deltaNs;
  if (size > maxSkewNs) {
    node.warnings.push(
      maxSkewNs === 0n
        ? `clock skew adjustment disabled; not applying calculated delta of ${durationText(deltaNs)}`
        : `max clock skew adjustment delta of ${durationText(maxSkewNs)} exceeded; not applying calculated delta of ${durationText(deltaNs)}`,
    );
    return;
  }
  node.shiftNs = deltaNs;
  node.warnings.push(`This span's timestamps were adjusted by ${durationText(deltaNs)}`);
}

function skewOf(child: Span, parent: Node): bigint {
  const parentStart = parent.span.startTimeUnixNano + parent.shiftNs;
  const parentDuration = parent.span.endTimeUnixNano - parent.span.startTimeUnixNano;
  const childStart = child.startTimeUnixNano;
  const childDuration = child.endTimeUnixNano - childStart;
  // A child that lasts longer is asynchronous, or its parent gave up: it can only be said that it began later.
  if (childDuration > parentDuration) return childStart < parentStart ? parentStart - childStart : 0n;
  if (childStart >= parentStart && childStart + childDuration <= parentStart + parentDuration) return 0n;
  const latency = (parentDuration - childDuration) / 2n;
  return parentStart + latency - childStart;
}

/** `host.id`, else `host.ip` (its first), else `host.name`; the first that is there counts, whatever it holds. */
function hostOf(span: Span): string {
  const { attributes } = span.resource;
  for (const key of ['host.id', 'host.ip', 'host.name']) {
    if (!Object.hasOwn(attributes, key)) continue;
    const value = attributes[key];
    if (typeof value === 'string') return value;
    if (key !== 'host.ip') return '';
    if (Array.isArray(value) && value.length > 0) return String(value[0]);
  }
  return '';
}

/** As Go's time.Duration prints itself. */
export function durationText(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size === 0n) return '0s';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${Number(size) / 1e3}µs`;
  if (size < 1_000_000_000n) return `${sign}${Number(size) / 1e6}ms`;
  const hours = size / 3_600_000_000_000n;
  const minutes = (size / 60_000_000_000n) % 60n;
  const seconds = Number(size % 60_000_000_000n) / 1e9;
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}s`;
}
