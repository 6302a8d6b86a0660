import type { Span, Trace } from '../api/jaeger.ts';
import { type Microseconds, microseconds } from '../units/brands.ts';

export interface SpanNode {
  span: Span;
  depth: number;
  children: SpanNode[];
  /** How many spans hang below. */
  descendants: number;
  /** The span or one below it failed. */
  hasErrorBelow: boolean;
}

export interface TraceTree {
  id: string;
  roots: SpanNode[];
  nodes: ReadonlyMap<string, SpanNode>;
  start: Microseconds;
  duration: Microseconds;
  services: { name: string; count: number }[];
  depth: number;
  errors: number;
  /** Spans whose parent the trace does not hold. */
  orphans: number;
}

const childOrder = (a: SpanNode, b: SpanNode): number =>
  a.span.start - b.span.start || b.span.duration - a.span.duration;

/** The tree of a trace. A span whose parent is missing, or that is its own ancestor, becomes a root. */
export function buildTraceTree(trace: Trace): TraceTree {
  const nodes = new Map<string, SpanNode>();
  const all: SpanNode[] = [];
  for (const span of trace.spans) {
    const node: SpanNode = { span, depth: 0, children: [], descendants: 0, hasErrorBelow: span.hasError };
    all.push(node);
    // Zipkin's shared spans: client and server carry one id. The server's half hangs below the client's.
    const twin = nodes.get(span.id);
    if (twin === undefined) nodes.set(span.id, node);
    else if (span.kind === 'server' && twin.span.kind === 'client') twin.children.push(node);
    else nodes.set(`${span.id}/${all.length}`, node);
  }
  const placed = new Set<SpanNode>();
  for (const node of all) for (const child of node.children) placed.add(child);
  const roots: SpanNode[] = [];
  let orphans = 0;
  for (const node of all) {
    if (placed.has(node)) continue;
    const { parentId } = node.span;
    const parent = parentId === undefined ? undefined : nodes.get(parentId);
    if (parent !== undefined && parent !== node) parent.children.push(node);
    else {
      if (parentId !== undefined) orphans += 1;
      roots.push(node);
    }
  }
  orphans += breakCircles(all, roots, nodes);
  roots.sort(childOrder);
  const depth = measure(roots);
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  const counts = new Map<string, number>();
  let errors = 0;
  for (const { span } of all) {
    start = Math.min(start, span.start);
    end = Math.max(end, span.start + span.duration);
    counts.set(span.service, (counts.get(span.service) ?? 0) + 1);
    if (span.hasError) errors += 1;
  }
  return {
    id: trace.id,
    roots,
    nodes,
    start: microseconds(Number.isFinite(start) ? start : 0),
    duration: microseconds(Number.isFinite(start) ? Math.max(end - start, 0) : 0),
    services: [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => a.name.localeCompare(b.name)),
    depth,
    errors,
    orphans,
  };
}

/** Spans may refer to each other in a circle: what no root reaches gets a root of its own. Returns how many. */
function breakCircles(all: readonly SpanNode[], roots: SpanNode[], nodes: ReadonlyMap<string, SpanNode>): number {
  const reached = new Set<SpanNode>();
  const reach = (from: SpanNode): void => {
    const stack = [from];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (reached.has(node)) continue;
      reached.add(node);
      stack.push(...node.children);
    }
  };
  for (const root of roots) reach(root);
  let count = 0;
  for (const node of all) {
    if (reached.has(node)) continue;
    const parent = node.span.parentId === undefined ? undefined : nodes.get(node.span.parentId);
    if (parent) parent.children = parent.children.filter((child) => child !== node);
    roots.push(node);
    reach(node);
    count += 1;
  }
  return count;
}

/** Sets depth and totals without recursion, since a trace may be thousands of spans deep. Returns the greatest depth. */
function measure(roots: readonly SpanNode[]): number {
  const order: { node: SpanNode; parent: SpanNode | undefined }[] = [];
  const stack = roots.map((node) => ({ node, parent: undefined as SpanNode | undefined }));
  let deepest = 0;
  while (stack.length > 0) {
    const entry = stack.pop();
    if (entry === undefined) break;
    entry.node.depth = entry.parent === undefined ? 0 : entry.parent.depth + 1;
    deepest = Math.max(deepest, entry.node.depth + 1);
    entry.node.children.sort(childOrder);
    order.push(entry);
    for (const child of entry.node.children) stack.push({ node: child, parent: entry.node });
  }
  for (const { node, parent } of order.reverse()) {
    if (parent === undefined) continue;
    parent.descendants += node.descendants + 1;
    parent.hasErrorBelow ||= node.hasErrorBelow;
  }
  return deepest;
}

/** The rows of the timeline: depth first, without what is folded away. */
export function visibleRows(tree: TraceTree, folded: ReadonlySet<string>): SpanNode[] {
  const rows: SpanNode[] = [];
  const stack = [...tree.roots].reverse();
  while (stack.length > 0) {
    const node = stack.pop();
    if (node === undefined) break;
    rows.push(node);
    if (folded.has(node.span.id)) continue;
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index];
      if (child) stack.push(child);
    }
  }
  return rows;
}

export interface CriticalSection {
  spanId: string;
  from: Microseconds;
  to: Microseconds;
}

/** Clocks of two processes differ by a little; a child may seem to end after its parent. */
const CLOCK_TOLERANCE_US = 5000;

/** What a span waited for: its children; for a leaf also the siblings inside of its time, as Express' handler spans have them. */
function awaited(node: SpanNode, siblings: readonly SpanNode[]): SpanNode[] {
  if (node.children.length > 0) return node.children;
  const end = node.span.start + node.span.duration + CLOCK_TOLERANCE_US;
  return siblings.filter(
    (other) =>
      other !== node &&
      other.children.length > 0 &&
      other.span.start >= node.span.start - CLOCK_TOLERANCE_US &&
      other.span.start + other.span.duration <= end,
  );
}

/**
 * The stretches of time that the trace as a whole waited for: from the end of the root backwards, always the child that
 * ended last before the point reached (jaeger-ui: packages/jaeger-ui/src/components/TracePage/TraceTimelineViewer/CriticalPath).
 */
export function criticalPath(tree: TraceTree): CriticalSection[] {
  const root = tree.roots[0];
  if (root === undefined) return [];
  const sections: CriticalSection[] = [];
  const stack = [{ node: root, until: root.span.start + root.span.duration, waitsFor: root.children }];
  while (stack.length > 0) {
    const entry = stack.pop();
    if (entry === undefined) break;
    const { node, waitsFor } = entry;
    const begin = node.span.start;
    let until = entry.until;
    const endOf = (child: SpanNode): number => child.span.start + child.span.duration;
    for (const child of [...waitsFor].sort((x, y) => endOf(y) - endOf(x))) {
      const start = Math.max(child.span.start, begin);
      const end = endOf(child);
      // Work that goes on after its parent ended, or that another child hides, is not waited for.
      if (end > until + CLOCK_TOLERANCE_US || end <= begin || start >= until) continue;
      const clipped = Math.min(end, until);
      if (until > clipped)
        sections.push({ spanId: node.span.id, from: microseconds(clipped), to: microseconds(until) });
      stack.push({ node: child, until: clipped, waitsFor: awaited(child, waitsFor) });
      until = start;
      if (until <= begin) break;
    }
    if (until > begin) sections.push({ spanId: node.span.id, from: begin, to: microseconds(until) });
  }
  return sections.sort((x, y) => x.from - y.from);
}

/** Time of a span that none of its children covers. */
export function selfTime(node: SpanNode): Microseconds {
  const from = node.span.start;
  const to = from + node.span.duration;
  let covered = 0;
  let reached = from as number;
  for (const child of node.children) {
    const start = Math.max(child.span.start, reached);
    const end = Math.min(child.span.start + child.span.duration, to);
    if (end > start) {
      covered += end - start;
      reached = end;
    }
  }
  return microseconds(Math.max(node.span.duration - covered, 0));
}

/** The name of a trace: service and operation of its first root. */
export function traceTitle(tree: TraceTree): { service: string; operation: string } {
  const root = tree.roots[0]?.span;
  return { service: root?.service ?? 'unknown', operation: root?.operation ?? 'no spans' };
}

/** The first server span of an app rather than of a proxy: what the user asked for. */
export function appEntry(tree: TraceTree): { service: string; operation: string } | undefined {
  let best: Span | undefined;
  for (const { span } of tree.nodes.values()) {
    const isProxy =
      span.tags.some((tag) => tag.key === 'component' && tag.value === 'proxy') ||
      span.tags.some((tag) => tag.key === 'node_id');
    if (span.kind === 'server' && !isProxy && (best === undefined || span.start < best.start)) best = span;
  }
  return best && { service: best.service, operation: best.operation };
}
