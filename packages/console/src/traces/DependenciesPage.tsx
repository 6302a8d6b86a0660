import { ActionIcon, Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type Dependency, dependencies } from '../api/jaeger.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { GraphCanvas } from '../mesh/GraphCanvas.tsx';
import meshClasses from '../mesh/mesh.module.css';
import { AppLink } from '../ui/AppLink.tsx';
import { Service } from '../ui/Service.tsx';
import { Empty, QueryView, SkeletonBlock } from '../ui/States.tsx';
import { count } from '../units/format.ts';
import { dependencyGraph } from './dependency-graph.ts';
import { TraceTabs } from './TraceTabs.tsx';

/** The services as a graph: who calls whom, by the spans of the time range. */
export function DependenciesPage() {
  const { range } = useTime();
  const [selectedNode] = useQueryState('node');
  const [selectedEdge] = useQueryState('edge');
  const query = useQuery({
    queryKey: ['jaeger', 'dependencies', ...useTimeKey()],
    queryFn: ({ signal }) => dependencies(range.from, range.to, signal),
    placeholderData: keepPreviousData,
  });
  const graph = useMemo(
    () => dependencyGraph(query.data ?? [], (range.to - range.from) / 1000),
    [query.data, range.from, range.to],
  );
  const node = graph.nodes.find((item) => item.id === selectedNode);
  const edge = graph.edges.find((item) => item.id === selectedEdge);
  const nameOf = (id: string | undefined): string | undefined => graph.nodes.find((item) => item.id === id)?.name;
  const service = node?.name ?? nameOf(edge?.to);
  const caller = nameOf(edge?.from);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Traces</h1>
        <TraceTabs value="services" />
      </div>
      <section className="card" style={{ overflow: 'hidden' }} aria-label="Services as a graph">
        <QueryView
          query={query}
          loading={<SkeletonBlock height="calc(100dvh - 190px)" />}
          isEmpty={(list) => list.length === 0}
          empty={
            <Empty
              title="No service has called another in this time"
              actions={
                <Button component="a" href="/demo-app/">
                  Open the website
                </Button>
              }
            >
              The graph is drawn from spans whose parent is a span of another service. Widen the time range, or click
              “Slow page”.
            </Empty>
          }
        >
          {(list) => (
            <div className={meshClasses.layout}>
              <div className={meshClasses.canvas}>
                <GraphCanvas graph={graph} selectedNode={selectedNode} selectedEdge={selectedEdge} isAnimated={false} />
              </div>
              {service === undefined ? null : (
                <aside className={meshClasses.side} aria-label="Details">
                  <ServicePanel service={service} caller={caller} list={list} />
                </aside>
              )}
            </div>
          )}
        </QueryView>
      </section>
    </div>
  );
}

function ServicePanel({
  service,
  caller,
  list,
}: {
  service: string;
  caller: string | undefined;
  list: readonly Dependency[];
}) {
  const calls = (title: string, chosen: readonly Dependency[], end: 'parent' | 'child') =>
    chosen.length === 0 ? null : (
      <div>
        <h3>{title}</h3>
        {chosen.map((item) => (
          <div key={item[end]} style={{ display: 'flex', gap: 8, padding: '2px 0' }}>
            <Service name={item[end]} />
            <span className="nowrap" style={{ marginLeft: 'auto' }}>
              {count(item.callCount, 'call')}
            </span>
          </div>
        ))}
      </div>
    );
  const others = list.filter((item) => item.parent !== item.child);
  return (
    <div className={meshClasses.panel}>
      <div style={{ display: 'flex', gap: 8, alignItems: 'start' }}>
        <h2 style={{ flex: 1 }}>{caller === undefined ? service : `${caller} → ${service}`}</h2>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Close"
          onClick={() => updateQuery({ node: undefined, edge: undefined })}
        >
          <IconX size={16} />
        </ActionIcon>
      </div>
      <div>
        <h3>From here</h3>
        <div className={meshClasses.links}>
          <AppLink to="/jaeger/search" params={{ service }}>
            Traces
          </AppLink>
          <AppLink to="/jaeger/search" params={{ service, sort: 'longest' }}>
            Slowest traces
          </AppLink>
          <AppLink to="/jaeger/search" params={{ service, tags: 'error=true' }}>
            Traces with errors
          </AppLink>
        </div>
      </div>
      {calls(
        'Called by',
        others.filter((item) => item.child === service && (caller === undefined || item.parent === caller)),
        'parent',
      )}
      {caller === undefined
        ? calls(
            'Calls',
            others.filter((item) => item.parent === service),
            'child',
          )
        : null}
    </div>
  );
}
