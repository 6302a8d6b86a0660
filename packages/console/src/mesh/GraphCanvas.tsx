import '@xyflow/react/dist/style.css';
import { useComputedColorScheme } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import {
  IconApps,
  IconBox,
  IconDoorEnter,
  IconHexagons,
  IconLock,
  IconLockOpen,
  IconQuestionMark,
} from '@tabler/icons-react';
import {
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react';
import { useMemo } from 'react';
import { updateQuery } from '../app/url-state.ts';
import { useServiceColor } from '../ui/Service.tsx';
import { SkeletonBlock } from '../ui/States.tsx';
import { formatRate, formatUnitText } from '../units/format.ts';
import { healthOf, type MeshEdge, type MeshGraph, type MeshNode } from './graph-model.ts';
import classes from './mesh.module.css';
import { type RoutedEdge, useMeshLayout } from './useMeshLayout.ts';

interface Props {
  graph: MeshGraph;
  selectedNode: string;
  selectedEdge: string;
  isAnimated: boolean;
}

type MeshFlowNode = Node<{ node: MeshNode; isSelected: boolean }, 'mesh'>;
type BoxFlowNode = Node<{ name: string }, 'box'>;
type MeshFlowEdge = Edge<
  { edge: MeshEdge; route: RoutedEdge | undefined; isSelected: boolean; isAnimated: boolean },
  'mesh'
>;

const NODE_TYPES = { mesh: MeshNodeView, box: BoxView };
const EDGE_TYPES = { mesh: MeshEdgeView };
const COLORS = { ok: 'var(--ok)', warn: 'var(--warn)', bad: 'var(--bad)', idle: 'var(--line-strong)' } as const;

export function GraphCanvas({ graph, selectedNode, selectedEdge, isAnimated }: Props) {
  const isPortrait = useMediaQuery('(max-width: 900px)') ?? false;
  const layout = useMeshLayout(graph, isPortrait ? 'DOWN' : 'RIGHT');
  const scheme = useComputedColorScheme('light');
  const nodes = useMemo<(MeshFlowNode | BoxFlowNode)[]>(() => {
    if (layout === undefined) return [];
    const boxes: BoxFlowNode[] = [...layout.boxes].map(([id, place]) => ({
      id,
      type: 'box',
      position: { x: place.x, y: place.y },
      data: { name: place.name },
      style: { width: place.width, height: place.height },
      width: place.width,
      height: place.height,
      selectable: false,
      draggable: false,
      focusable: false,
      zIndex: -1,
    }));
    const items: MeshFlowNode[] = graph.nodes.flatMap((node) => {
      const place = layout.nodes.get(node.id);
      return place
        ? [
            {
              id: node.id,
              type: 'mesh' as const,
              position: { x: place.x, y: place.y },
              data: { node, isSelected: node.id === selectedNode },
              width: place.width,
              height: place.height,
              draggable: false,
              ariaLabel: `${node.kind} ${node.name} in ${node.namespace}`,
            },
          ]
        : [];
    });
    return [...boxes, ...items];
  }, [layout, graph, selectedNode]);
  const edges = useMemo<MeshFlowEdge[]>(
    () =>
      graph.edges.map((edge) => ({
        id: edge.id,
        source: edge.from,
        target: edge.to,
        type: 'mesh',
        data: { edge, route: layout?.edges.get(edge.id), isSelected: edge.id === selectedEdge, isAnimated },
      })),
    [graph, layout, selectedEdge, isAnimated],
  );
  if (layout === undefined) return <SkeletonBlock height="100%" />;
  return (
    <ReactFlow
      key={layout.key}
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      colorMode={scheme}
      fitView
      fitViewOptions={{ padding: 0.06, maxZoom: 1.15 }}
      minZoom={0.15}
      nodesConnectable={false}
      proOptions={{ hideAttribution: true }}
      onNodeClick={(_event, node) => node.type === 'mesh' && updateQuery({ node: node.id, edge: undefined })}
      onEdgeClick={(_event, edge) => updateQuery({ edge: edge.id, node: undefined })}
      onPaneClick={() => updateQuery({ node: undefined, edge: undefined })}
      onSelectionChange={({ nodes: chosen }) => {
        const first = chosen.find((item) => item.type === 'mesh');
        if (first && first.id !== selectedNode) updateQuery({ node: first.id, edge: undefined });
      }}
      style={{ background: 'transparent' }}
    >
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

function BoxView({ data }: NodeProps<BoxFlowNode>) {
  return (
    <div className={classes.box}>
      <span>{data.name}</span>
    </div>
  );
}

function iconOf(node: MeshNode) {
  if (node.kind === 'unknown') return IconQuestionMark;
  if (node.name.includes('gateway')) return IconDoorEnter;
  return node.kind === 'service' ? IconHexagons : node.kind === 'app' ? IconApps : IconBox;
}

function MeshNodeView({ data }: NodeProps<MeshFlowNode>) {
  const { node, isSelected } = data;
  const color = useServiceColor();
  const Icon = iconOf(node);
  return (
    <div
      className={classes.node}
      data-kind={node.kind}
      data-selected={isSelected}
      data-health={healthOf(node.errorRate, node.inRate)}
      data-mesh-node={node.id}
      style={{ borderLeftColor: color(node.name) }}
    >
      <Handle className={classes.handle} type="target" position={Position.Left} isConnectable={false} />
      <small>
        <Icon size={15} stroke={1.8} color={color(node.name)} aria-hidden />
        {node.kind === 'unknown' ? 'outside' : node.kind}
        {node.version ? ` ${node.version}` : ''}
      </small>
      <b title={node.name}>{node.name}</b>
      {node.inRate > 0 ? <small>{formatRate(node.inRate)}</small> : null}
      <Handle className={classes.handle} type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

/** A line through the points with its corners rounded. */
function smoothPath(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    if (next === undefined) path += `L${point.x} ${point.y}`;
    else path += `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  });
  return path;
}

function MeshEdgeView({
  id,
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  targetPosition,
  data,
}: EdgeProps<MeshFlowEdge>) {
  if (data === undefined) return null;
  const { edge, route, isSelected, isAnimated } = data;
  const [bezier, middleX, middleY] = getBezierPath({
    sourceX,
    sourceY,
    targetX,
    targetY,
    sourcePosition,
    targetPosition,
  });
  const path = route ? smoothPath(route.points) : bezier;
  const { x: labelX, y: labelY } = route?.label ?? { x: middleX, y: middleY };
  const health = healthOf(edge.errorRate, edge.rate);
  const color = COLORS[edge.protocol === 'tcp' ? 'ok' : health];
  const success = edge.rate > 0 ? 1 - edge.errorRate / edge.rate : undefined;
  const seconds = Math.min(Math.max(4 / Math.max(edge.rate, 0.2), 1.1), 9);
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        style={{ stroke: color, strokeWidth: isSelected ? 3.5 : Math.min(1.5 + Math.log10(edge.rate + 1), 3.5) }}
        interactionWidth={18}
      />
      {isAnimated ? (
        <circle r={3.2} fill={color}>
          <animateMotion dur={`${seconds}s`} repeatCount="indefinite" path={path} />
        </circle>
      ) : null}
      <EdgeLabelRenderer>
        {/* biome-ignore lint/a11y/useSemanticElements: several lines of figures */}
        <div
          className={classes.edgeLabel}
          role="button"
          tabIndex={0}
          data-health={health}
          data-selected={isSelected}
          data-mesh-edge={id}
          style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          onClick={() => updateQuery({ edge: id, node: undefined })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') updateQuery({ edge: id, node: undefined });
          }}
        >
          <span className="visually-hidden">{id.replace('→', ' to ')}: </span>
          {edge.mtls === undefined ? null : edge.mtls > 0.999 ? (
            <IconLock size={11} color="var(--ok)" aria-label="mutual TLS" />
          ) : (
            <IconLockOpen size={11} color="var(--warn)" aria-label="not all by mutual TLS" />
          )}{' '}
          {edge.protocol === 'tcp' ? formatUnitText(edge.bytesRate, 'Bps') : `${formatRate(edge.rate)}`}
          {edge.p95 === undefined ? null : <div>p95 {formatUnitText(edge.p95, 'ms')}</div>}
          {success !== undefined && success < 0.9999 ? <div>{(success * 100).toFixed(1)} % ok</div> : null}
        </div>
      </EdgeLabelRenderer>
    </>
  );
}
