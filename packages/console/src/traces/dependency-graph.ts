import type { Dependency } from '../api/jaeger.ts';
import type { MeshEdge, MeshGraph, MeshNode } from '../mesh/graph-model.ts';

const idOf = (service: string): string => `service:${service}`;

/** Jaeger's dependencies (calls between services, counted from spans) as the graph that the mesh page draws too. */
export function dependencyGraph(dependencies: readonly Dependency[], seconds: number): MeshGraph {
  const nodes = new Map<string, MeshNode>();
  const nodeOf = (name: string): MeshNode => {
    const known = nodes.get(name);
    if (known) return known;
    const made: MeshNode = {
      id: idOf(name),
      kind: 'service',
      name,
      namespace: '',
      version: '',
      inRate: 0,
      outRate: 0,
      errorRate: 0,
      isRoot: false,
      isOutside: false,
    };
    nodes.set(name, made);
    return made;
  };
  const edges = dependencies
    .filter((item) => item.parent !== item.child)
    .map((item): MeshEdge => {
      const rate = item.callCount / Math.max(seconds, 1);
      nodeOf(item.parent).outRate += rate;
      nodeOf(item.child).inRate += rate;
      return {
        id: `${idOf(item.parent)}→${idOf(item.child)}`,
        from: idOf(item.parent),
        to: idOf(item.child),
        protocol: 'http',
        rate,
        errorRate: 0,
        clientErrorRate: 0,
        codes: {},
        p50: undefined,
        p95: undefined,
        mtls: undefined,
        bytesRate: 0,
      };
    });
  return { nodes: [...nodes.values()], edges, namespaces: [] };
}
