import ELK from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { useEffect, useState } from 'react';
import type { MeshGraph } from './graph-model.ts';

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface MeshLayout {
  key: string;
  nodes: ReadonlyMap<string, Placed>;
  boxes: ReadonlyMap<string, Placed>;
}

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 58;
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.layered.spacing.nodeNodeBetweenLayers': '118',
  'elk.spacing.nodeNode': '44',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.padding': '[top=42,left=22,bottom=22,right=22]',
};

let elk: InstanceType<typeof ELK> | undefined;

/** Places nodes when the shape of the graph changes; figures alone move nothing. The work is done in a worker. */
export function useMeshLayout(graph: MeshGraph | undefined): MeshLayout | undefined {
  const [layout, setLayout] = useState<MeshLayout>();
  const key = graph ? JSON.stringify([graph.nodes.map((node) => node.id), graph.edges.map((edge) => edge.id)]) : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the shape of the graph
  useEffect(() => {
    if (graph === undefined || graph.nodes.length === 0) return undefined;
    let isStale = false;
    elk ??= new ELK({ workerUrl, workerFactory: (url?: string) => new Worker(url ?? workerUrl) });
    const child = (id: string) => ({ id, width: NODE_WIDTH, height: NODE_HEIGHT });
    const boxed = graph.namespaces.map((namespace) => ({
      id: `ns:${namespace}`,
      layoutOptions: OPTIONS,
      children: graph.nodes.filter((node) => node.namespace === namespace).map((node) => child(node.id)),
    }));
    const free = graph.nodes.filter((node) => node.namespace === '').map((node) => child(node.id));
    elk
      .layout({
        id: 'root',
        layoutOptions: OPTIONS,
        children: [...boxed, ...free],
        edges: graph.edges.map((edge) => ({ id: edge.id, sources: [edge.from], targets: [edge.to] })),
      })
      .then((result) => {
        if (isStale) return;
        const nodes = new Map<string, Placed>();
        const boxes = new Map<string, Placed>();
        for (const item of result.children ?? []) {
          const place = {
            x: item.x ?? 0,
            y: item.y ?? 0,
            width: item.width ?? NODE_WIDTH,
            height: item.height ?? NODE_HEIGHT,
          };
          if (!item.id.startsWith('ns:')) nodes.set(item.id, place);
          else {
            boxes.set(item.id.slice(3), place);
            for (const inner of item.children ?? [])
              nodes.set(inner.id, {
                x: place.x + (inner.x ?? 0),
                y: place.y + (inner.y ?? 0),
                width: NODE_WIDTH,
                height: NODE_HEIGHT,
              });
          }
        }
        setLayout({ key, nodes, boxes });
      })
      .catch(() => undefined);
    return () => {
      isStale = true;
    };
  }, [key]);
  return layout?.key === key ? layout : undefined;
}
