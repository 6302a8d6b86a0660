import ELK, { type ElkExtendedEdge } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { useEffect, useState } from 'react';
import type { MeshGraph } from './graph-model.ts';

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface RoutedEdge {
  points: { x: number; y: number }[];
  label: { x: number; y: number };
}

export interface MeshLayout {
  key: string;
  edges: ReadonlyMap<string, RoutedEdge>;
  nodes: ReadonlyMap<string, Placed>;
  /** By an id of their own: a namespace that both begins and ends the way of a request has two. */
  boxes: ReadonlyMap<string, Placed & { name: string }>;
}

export const NODE_WIDTH = 134;
const LABEL = { width: 84, height: 58 } as const;
export const NODE_HEIGHT = 84;
const BASE_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'POLYLINE',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.layered.spacing.nodeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeNodeBetweenLayers': '6',
  'elk.spacing.nodeNode': '36',
  'elk.spacing.edgeNode': '22',
  'elk.spacing.edgeLabel': '0',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.padding': '[top=40,left=18,bottom=20,right=18]',
};

let elk: InstanceType<typeof ELK> | undefined;

/** Places nodes when the shape of the graph changes; figures alone move nothing. The work is done in a worker. */
export function useMeshLayout(graph: MeshGraph | undefined, direction: 'RIGHT' | 'DOWN'): MeshLayout | undefined {
  const [layout, setLayout] = useState<MeshLayout>();
  const key = graph
    ? JSON.stringify([direction, graph.nodes.map((node) => node.id), graph.edges.map((edge) => edge.id)])
    : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the shape of the graph
  useEffect(() => {
    if (graph === undefined || graph.nodes.length === 0) return undefined;
    let isStale = false;
    const options = { ...BASE_OPTIONS, 'elk.direction': direction };
    elk ??= new ELK({ workerUrl, workerFactory: (url?: string) => new Worker(url ?? workerUrl) });
    const child = (id: string) => ({ id, width: NODE_WIDTH, height: NODE_HEIGHT });
    // The gateway stands at the beginning, and what it shares its namespace with often at the end: two boxes then.
    const boxOf = (node: MeshGraph['nodes'][number]): string => `${node.isRoot ? 'in' : 'ns'}:${node.namespace}`;
    const boxed = [...new Set(graph.nodes.filter((node) => node.namespace !== '').map(boxOf))].map((id) => ({
      id,
      layoutOptions: options,
      children: graph.nodes.filter((node) => node.namespace !== '' && boxOf(node) === id).map((node) => child(node.id)),
    }));
    const free = graph.nodes.filter((node) => node.namespace === '').map((node) => child(node.id));
    elk
      .layout({
        id: 'root',
        layoutOptions: options,
        children: [...boxed, ...free],
        edges: graph.edges.map((edge) => ({
          id: edge.id,
          sources: [edge.from],
          targets: [edge.to],
          labels: [{ id: `${edge.id} label`, text: '-', layoutOptions: { 'elk.edgeLabels.inline': 'true' }, ...LABEL }],
        })),
      })
      .then((result) => {
        if (isStale) return;
        const nodes = new Map<string, Placed>();
        const boxes = new Map<string, Placed & { name: string }>();
        for (const item of result.children ?? []) {
          const place = {
            x: item.x ?? 0,
            y: item.y ?? 0,
            width: item.width ?? NODE_WIDTH,
            height: item.height ?? NODE_HEIGHT,
          };
          if (!/^(ns|in):/.test(item.id)) nodes.set(item.id, place);
          else {
            boxes.set(item.id, { ...place, name: item.id.slice(3) });
            for (const inner of item.children ?? [])
              nodes.set(inner.id, {
                x: place.x + (inner.x ?? 0),
                y: place.y + (inner.y ?? 0),
                width: NODE_WIDTH,
                height: NODE_HEIGHT,
              });
          }
        }
        const edges = new Map<string, RoutedEdge>();
        for (const edge of (result.edges ?? []) as ElkExtendedEdge[]) {
          const section = edge.sections?.[0];
          const label = edge.labels?.[0];
          if (!section) continue;
          const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
          const middle = points[Math.floor(points.length / 2)] ?? section.startPoint;
          edges.set(edge.id, {
            points,
            label:
              label?.x === undefined || label.y === undefined
                ? middle
                : { x: label.x + LABEL.width / 2, y: label.y + LABEL.height / 2 },
          });
        }
        setLayout({ key, nodes, boxes, edges });
      })
      .catch(() => undefined);
    return () => {
      isStale = true;
    };
  }, [key]);
  // The layout before stays until the new one is there: nothing flickers when a node comes or goes.
  return layout;
}
