import { type Span, serviceOf } from '@kind-e2e/telemetry';

/** A span as readers see it: perhaps moved in time, with what there is to say about it. */
export interface AdjustedSpan {
  readonly span: Span;
  readonly startNs: bigint;
  /** What its start, and the times of its events, were moved by. */
  readonly shiftNs: bigint;
  readonly warnings: readonly string[];
}

interface Node {
  readonly span: Span;
  readonly host: string;
  readonly children: Node[];
  shiftNs: bigint;
  readonly warnings: string[];
}

const HOST_ATTRIBUTES = ['ip', 'host.id', 'host.name', 'k8s.node.name'];

/**
 * Moves spans of other hosts so that they lie within the call that caused them: Jaeger's clock skew adjuster
 * (internal/storage/v2/… `adjuster/clockskew.go`). Two spans of one service, or of hosts known to be the same, share a
 * clock and are left as they are. Spans whose parent is missing are warned of.
 */
export function adjustClockSkew(spans: readonly Span[], maxSkewNs: bigint): AdjustedSpan[] {
  const nodes = spans.map((span): Node => ({ span, host: hostOf(span), children: [], shiftNs: 0n, warnings: [] }));
  const byId = new Map(nodes.map((node) => [node.span.spanId, node]));
  const roots: Node[] = [];
  for (const node of nodes) {
    const parent = byId.get(node.span.parentSpanId);
    if (node.span.parentSpanId === '') roots.push(node);
    else if (!parent || parent === node) {
      node.warnings.push(`invalid parent span IDs=${node.span.parentSpanId}; skipping clock skew adjustment`);
      roots.push(node);
    } else parent.children.push(node);
  }
  const seen = new Set<Node>(roots);
  const queue = [...roots];
  for (let node = queue.pop(); node; node = queue.pop())
    for (const child of node.children) {
      if (seen.has(child)) continue;
      seen.add(child);
      shift(child, node, maxSkewNs);
      queue.push(child);
    }
  return nodes.map(({ span, shiftNs, warnings }) => ({
    span,
    startNs: span.startTimeUnixNano + shiftNs,
    shiftNs,
    warnings,
  }));
}

function shift(child: Node, parent: Node, maxSkewNs: bigint): void {
  const sameClock =
    child.host === parent.host && (child.host !== '' || serviceOf(child.span) === serviceOf(parent.span));
  const wanted = sameClock ? parent.shiftNs : skewOf(child.span, parent);
  if (wanted === 0n) return;
  const size = wanted < 0n ? -wanted : wanted;
  if (size > maxSkewNs) {
    child.warnings.push(
      maxSkewNs === 0n
        ? `clock skew adjustment disabled; not applying calculated delta of ${durationText(wanted)}`
        : `max clock skew adjustment delta of ${durationText(maxSkewNs)} exceeded; not applying calculated delta of ${durationText(wanted)}`,
    );
    return;
  }
  child.shiftNs = wanted;
  child.warnings.push(`This span's timestamps were adjusted by ${durationText(wanted)}`);
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

function hostOf(span: Span): string {
  for (const key of HOST_ATTRIBUTES) {
    const value = span.resource.attributes[key];
    if (typeof value === 'string' && value !== '') return value;
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
