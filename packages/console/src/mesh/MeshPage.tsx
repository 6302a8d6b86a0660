import { Button, SegmentedControl, Slider, Switch } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { queryInstant } from '../api/prometheus.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { hrefTo, updateQuery, useQueryState } from '../app/url-state.ts';
import { QueryView, SkeletonBlock } from '../ui/States.tsx';
import { formatLocal } from '../ui/Time.tsx';
import { milliseconds } from '../units/brands.ts';
import { GraphCanvas } from './GraphCanvas.tsx';
import { buildMeshGraph, type GraphKind, meshQueries, withoutTools } from './graph-model.ts';
import { MeshPanel } from './MeshPanel.tsx';
import classes from './mesh.module.css';
import { WhyEmpty } from './WhyEmpty.tsx';

const REPLAY_WINDOW = '1m';
const STEPS = 60;

/** Who calls whom: from Istio's standard metrics alone, over the time range or at one moment of it. */
export function MeshPage() {
  const { range } = useTime();
  const key = useTimeKey();
  const [type, setType] = useQueryState('graphType', 'workload');
  const [namespace, setNamespace] = useQueryState('namespace');
  const [animation, setAnimation] = useQueryState('animation', '1');
  const [tools, setTools] = useQueryState('tools', '0');
  const [replay] = useQueryState('at');
  const [selectedNode] = useQueryState('node');
  const [selectedEdge] = useQueryState('edge');
  const kind: GraphKind = type === 'app' || type === 'service' ? type : 'workload';
  const window_ = replay === '' ? `${Math.max(Math.round((range.to - range.from) / 1000), 30)}s` : REPLAY_WINDOW;
  const at = replay === '' ? range.to : milliseconds(Number(replay));
  const query = useQuery({
    queryKey: ['mesh', window_, replay, ...(replay === '' ? key : [])],
    queryFn: async ({ signal }) => {
      const queries = meshQueries(window_);
      const ask = async (text: string) => (await queryInstant(text, at, signal)).series;
      const [requests, p50, p95, tcp] = await Promise.all([
        ask(queries.requests),
        // The graph is worth showing without its latencies.
        ask(queries.p50).catch(() => []),
        ask(queries.p95).catch(() => []),
        ask(queries.tcp).catch(() => []),
      ]);
      return { requests, p50, p95, tcp };
    },
    placeholderData: keepPreviousData,
  });
  const graph = useMemo(() => {
    if (query.data === undefined) return undefined;
    const complete = buildMeshGraph(query.data, kind);
    const all = tools === '1' ? complete : withoutTools(complete);
    if (namespace === '') return all;
    const edges = all.edges.filter((edge) =>
      [edge.from, edge.to].some((id) => all.nodes.find((node) => node.id === id)?.namespace === namespace),
    );
    const ids = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
    const nodes = all.nodes.filter((node) => ids.has(node.id));
    return { nodes, edges, namespaces: all.namespaces.filter((name) => nodes.some((node) => node.namespace === name)) };
  }, [query.data, kind, namespace, tools]);
  const allNamespaces = useMemo(
    () => (query.data ? buildMeshGraph(query.data, kind).namespaces : []),
    [query.data, kind],
  );
  const node = graph?.nodes.find((item) => item.id === selectedNode);
  const edge = graph?.edges.find((item) => item.id === selectedEdge);

  return (
    <div className="page">
      <div className="page-head">
        <h1>Mesh</h1>
        <SegmentedControl
          size="xs"
          value="graph"
          onChange={(value) => value === 'config' && navigate(hrefTo('/kiali/config'))}
          aria-label="Section"
          data={[
            { value: 'graph', label: 'Graph' },
            { value: 'config', label: 'Istio objects' },
          ]}
        />
        <div className="end">
          <SegmentedControl
            size="xs"
            value={kind}
            onChange={setType}
            aria-label="Nodes"
            data={[
              { value: 'workload', label: 'Workloads' },
              { value: 'app', label: 'Apps' },
              { value: 'service', label: 'Services' },
            ]}
          />
          {allNamespaces.length > 1 ? (
            <SegmentedControl
              size="xs"
              value={namespace}
              onChange={(value) => setNamespace(value)}
              aria-label="Namespace"
              data={[{ value: '', label: 'All' }, ...allNamespaces.map((name) => ({ value: name, label: name }))]}
            />
          ) : null}
          <Switch
            size="xs"
            label="Tools"
            title="Also the calls of this console to its backends"
            checked={tools === '1'}
            onChange={(event) => setTools(event.currentTarget.checked ? '1' : '0')}
          />
          <Switch
            size="xs"
            label="Animate"
            checked={animation === '1'}
            onChange={(event) => setAnimation(event.currentTarget.checked ? '1' : '0')}
          />
        </div>
      </div>
      <section className="card" style={{ overflow: 'hidden' }} aria-label="Graph">
        <div className={classes.slider}>
          <span className="dim nowrap" style={{ fontSize: 12 }}>
            {replay === '' ? 'The whole range' : `The minute before ${formatLocal(at)}`}
          </span>
          <Slider
            size="sm"
            min={0}
            max={STEPS}
            step={1}
            value={replay === '' ? STEPS : Math.round(((at - range.from) / (range.to - range.from)) * STEPS)}
            label={(value) =>
              value === STEPS
                ? 'all of it'
                : formatLocal(range.from + ((range.to - range.from) * value) / STEPS, { withDate: false })
            }
            thumbLabel="Moment of the graph"
            onChange={(value) =>
              updateQuery(
                {
                  at:
                    value === STEPS
                      ? undefined
                      : String(Math.round(range.from + ((range.to - range.from) * value) / STEPS)),
                },
                { replace: true },
              )
            }
          />
          <Button
            size="compact-xs"
            variant="default"
            disabled={replay === ''}
            onClick={() => updateQuery({ at: undefined })}
          >
            Whole range
          </Button>
        </div>
        <QueryView query={query} loading={<SkeletonBlock height="calc(100dvh - 190px)" />}>
          {() =>
            graph === undefined || graph.nodes.length === 0 ? (
              <WhyEmpty />
            ) : (
              <>
                <div className={classes.layout}>
                  <div className={classes.canvas}>
                    <GraphCanvas
                      graph={graph}
                      selectedNode={selectedNode}
                      selectedEdge={selectedEdge}
                      isAnimated={animation === '1'}
                    />
                  </div>
                  {node || edge ? (
                    <aside className={classes.side} aria-label="Details">
                      <MeshPanel graph={graph} node={node} edge={edge} />
                    </aside>
                  ) : null}
                </div>
                <div className={classes.legend}>
                  <span>
                    <i style={{ background: 'var(--ok)' }} />
                    all well
                  </span>
                  <span>
                    <i style={{ background: 'var(--warn)' }} />
                    from 0.1 % errors
                  </span>
                  <span>
                    <i style={{ background: 'var(--bad)' }} />
                    from 10 % errors
                  </span>
                  <span>Lock: mutual TLS</span>
                  <span>Round: service. Square: {kind === 'service' ? 'caller' : kind}</span>
                </div>
              </>
            )
          }
        </QueryView>
      </section>
    </div>
  );
}
