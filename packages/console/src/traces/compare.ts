import { type SpanNode, selfTime, type TraceTree, visibleRows } from './trace-tree.ts';

export interface ComparedGroup {
  service: string;
  operation: string;
  depth: number;
  countA: number;
  countB: number;
  /** Microseconds, sums. */
  durationA: number;
  durationB: number;
  selfA: number;
  selfB: number;
}

const NO_FOLDS: ReadonlySet<string> = new Set();

/** The spans of both traces by their place in the tree: path of services and operations from the root. */
export function compareTraces(a: TraceTree, b: TraceTree): ComparedGroup[] {
  const groups = new Map<string, ComparedGroup>();
  const paths = new Map<SpanNode, string>();
  const add = (tree: TraceTree, side: 'A' | 'B'): void => {
    for (const root of tree.roots) paths.set(root, `${root.span.service}|${root.span.operation}`);
    for (const node of visibleRows(tree, NO_FOLDS)) {
      const path = paths.get(node) ?? '';
      for (const child of node.children) paths.set(child, `${path}\n${child.span.service}|${child.span.operation}`);
      const { service, operation } = node.span;
      const group = groups.get(path) ?? {
        service,
        operation,
        depth: node.depth,
        countA: 0,
        countB: 0,
        durationA: 0,
        durationB: 0,
        selfA: 0,
        selfB: 0,
      };
      group[`count${side}`] += 1;
      group[`duration${side}`] += node.span.duration;
      group[`self${side}`] += selfTime(node);
      groups.set(path, group);
    }
  };
  add(a, 'A');
  add(b, 'B');
  return [...groups].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)).map(([, group]) => group);
}
