import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { RESOURCES } from '../api/kubernetes.ts';
import { queryExemplars } from '../api/prometheus.ts';
import { useObjects, usePods } from '../api/queries.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { updateQuery } from '../app/url-state.ts';
import { readPod } from '../cluster/read.ts';
import { traceOfExemplar } from '../signals/mapping.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Time } from '../ui/Time.tsx';
import { Badge, Value } from '../ui/Value.tsx';
import { formatRate, formatUnitText } from '../units/format.ts';
import { healthOf, type MeshEdge, type MeshGraph, type MeshNode } from './graph-model.ts';
import { routesOfHost } from './istio-checks.ts';
import classes from './mesh.module.css';
import { NodeSecurity } from './NodeSecurity.tsx';

const TONES = { ok: 'ok', warn: 'warn', bad: 'bad', idle: 'plain' } as const;

/** What is known of the chosen node or edge, and the ways on. */
export function MeshPanel({
  graph,
  node,
  edge,
}: {
  graph: MeshGraph;
  node: MeshNode | undefined;
  edge: MeshEdge | undefined;
}) {
  return (
    <div className={classes.panel}>
      <div style={{ display: 'flex', gap: 8, alignItems: 'start' }}>
        {node ? (
          <h2 style={{ flex: 1 }}>
            {node.name} <Badge>{node.kind}</Badge>
            {node.namespace ? (
              <div className="dim" style={{ fontSize: 12, fontWeight: 400 }}>
                in {node.namespace}
              </div>
            ) : null}
          </h2>
        ) : (
          <h2 style={{ flex: 1 }}>
            {graph.nodes.find((item) => item.id === edge?.from)?.name} →{' '}
            {graph.nodes.find((item) => item.id === edge?.to)?.name}
          </h2>
        )}
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Close"
          onClick={() => updateQuery({ node: undefined, edge: undefined })}
        >
          <IconX size={16} />
        </ActionIcon>
      </div>
      {node ? <NodeDetails graph={graph} node={node} /> : null}
      {edge ? <EdgeDetails graph={graph} edge={edge} /> : null}
    </div>
  );
}

function EdgeDetails({ graph, edge }: { graph: MeshGraph; edge: MeshEdge }) {
  const target = graph.nodes.find((node) => node.id === edge.to);
  return (
    <>
      <div className={classes.facts}>
        <span>Requests</span>
        <span>
          <Value value={edge.rate} unit="reqps" />
        </span>
        <span>Success</span>
        <span>
          <Badge tone={TONES[healthOf(edge.errorRate, edge.rate)]}>
            {edge.rate > 0 ? `${((1 - edge.errorRate / edge.rate) * 100).toFixed(2)} %` : 'no requests'}
          </Badge>
        </span>
        <span>Latency, median</span>
        <span>{edge.p50 === undefined ? '–' : formatUnitText(edge.p50, 'ms')}</span>
        <span>Latency, 95th percentile</span>
        <span>{edge.p95 === undefined ? '–' : formatUnitText(edge.p95, 'ms')}</span>
        <span>Mutual TLS</span>
        <span>{edge.mtls === undefined ? 'not known' : `${(edge.mtls * 100).toFixed(0)} %`}</span>
        {Object.entries(edge.codes)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([code, rate]) => [
            <span key={`${code}k`}>Answers {code === '0' ? 'none' : code}</span>,
            <span key={`${code}v`}>
              <Value value={rate} unit="reqps" />
            </span>,
          ])}
      </div>
      {target ? <Onward node={target} hasErrors={edge.errorRate > 0} /> : null}
      {target ? <Exemplars node={target} /> : null}
    </>
  );
}

function Onward({ node, hasErrors }: { node: MeshNode; hasErrors: boolean }) {
  return (
    <div>
      <h3>From here</h3>
      <div className={classes.links}>
        {hasErrors ? (
          <AppLink to="/jaeger/search" params={{ service: node.name, tags: 'error=true' }}>
            Traces with errors
          </AppLink>
        ) : null}
        <AppLink to="/jaeger/search" params={{ service: node.name, sort: 'longest' }}>
          Slowest traces
        </AppLink>
        <AppLink to="/grafana/explore" params={{ ds: 'loki', expr: `{app=${JSON.stringify(node.name)}}` }}>
          Logs
        </AppLink>
        <AppLink
          to="/grafana/d/istio-service"
          params={{ 'var-service': `${node.name}.${node.namespace}.svc.cluster.local` }}
        >
          Dashboard
        </AppLink>
      </div>
    </div>
  );
}

/** Single requests that the latency metrics remember: each opens its trace. */
function Exemplars({ node }: { node: MeshNode }) {
  const { range } = useTime();
  const matcher =
    node.kind === 'service'
      ? `destination_service_name=${JSON.stringify(node.name)}`
      : `destination_workload=${JSON.stringify(node.name)}`;
  const query = useQuery({
    queryKey: ['mesh', 'exemplars', matcher, ...useTimeKey()],
    queryFn: ({ signal }) => queryExemplars(`istio_request_duration_milliseconds_bucket{${matcher}}`, range, signal),
    placeholderData: keepPreviousData,
  });
  const list = (query.data ?? [])
    .filter((item) => traceOfExemplar(item.labels))
    .sort((a, b) => b.value - a.value)
    .slice(0, 6);
  if (list.length === 0) return null;
  return (
    <div>
      <h3>Single requests</h3>
      {list.map((item) => (
        <AppLink
          key={`${item.at}${item.value}`}
          to={`/jaeger/trace/${traceOfExemplar(item.labels)}`}
          data-row
          style={{ display: 'flex', padding: '3px 0' }}
        >
          <span>{formatUnitText(item.value, 'ms')}</span>
          <span className="dim" style={{ marginLeft: 'auto' }}>
            <Time ms={item.at} />
          </span>
        </AppLink>
      ))}
    </div>
  );
}

const endpointSlice = z.object({
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z.object({ ready: z.boolean().optional() }).optional(),
        targetRef: z.object({ name: z.string() }).nullish(),
      }),
    )
    .nullish(),
});

function NodeDetails({ graph, node }: { graph: MeshGraph; node: MeshNode }) {
  const incoming = graph.edges.filter((edge) => edge.to === node.id);
  const outgoing = graph.edges.filter((edge) => edge.from === node.id);
  const nameOf = (id: string): string => graph.nodes.find((item) => item.id === id)?.name ?? id;
  const list = (title: string, edges: readonly MeshEdge[], end: 'from' | 'to') =>
    edges.length === 0 ? null : (
      <div>
        <h3>{title}</h3>
        {edges.map((edge) => (
          <button
            key={edge.id}
            type="button"
            data-row
            onClick={() => updateQuery({ edge: edge.id, node: undefined })}
            style={{ all: 'unset', cursor: 'pointer', display: 'flex', width: '100%', gap: 8, padding: '3px 0' }}
          >
            <span className="ellipsis" style={{ color: 'var(--accent)' }}>
              {nameOf(edge[end])}
            </span>
            <span style={{ marginLeft: 'auto' }} className="nowrap">
              {formatRate(edge.rate)}
              {edge.p95 === undefined ? '' : ` · p95 ${formatUnitText(edge.p95, 'ms')}`}
            </span>
          </button>
        ))}
      </div>
    );
  return (
    <>
      <div className={classes.facts}>
        <span>In</span>
        <span>
          <Value value={node.inRate} unit="reqps" />
        </span>
        <span>Out</span>
        <span>
          <Value value={node.outRate} unit="reqps" />
        </span>
        <span>Success</span>
        <span>
          <Badge tone={TONES[healthOf(node.errorRate, node.inRate)]}>
            {node.inRate > 0 ? `${((1 - node.errorRate / node.inRate) * 100).toFixed(2)} %` : 'no requests'}
          </Badge>
        </span>
      </div>
      <Onward node={node} hasErrors={node.errorRate > 0} />
      {list('Called by', incoming, 'from')}
      {list('Calls', outgoing, 'to')}
      {node.kind === 'service' ? (
        <ServiceDetails node={node} />
      ) : node.kind === 'unknown' ? null : (
        <WorkloadPods node={node} />
      )}
      {node.kind === 'unknown' ? null : <NodeSecurity node={node} />}
      <Exemplars node={node} />
    </>
  );
}

function ServiceDetails({ node }: { node: MeshNode }) {
  const slices = useObjects(RESOURCES.endpointslices, {
    namespace: node.namespace,
    labels: `kubernetes.io/service-name=${node.name}`,
  });
  const virtualServices = useObjects(RESOURCES.virtualservices);
  const endpoints = (slices.data ?? []).flatMap((slice) => endpointSlice.safeParse(slice).data?.endpoints ?? []);
  const routes = routesOfHost(virtualServices.data ?? [], node.name, node.namespace);
  return (
    <>
      <div>
        <h3>Routes</h3>
        {routes.some((route) => route.role === 'rules') ? null : (
          <div className="dim">No VirtualService of its own: round robin over ready endpoints.</div>
        )}
        {routes.map(({ id, role }) => (
          <div key={id}>
            <AppLink to="/kiali/config" params={{ object: `virtualservices:${id}` }}>
              VirtualService {id}
            </AppLink>
            {role === 'sends' ? <span className="dim"> sends requests here</span> : null}
          </div>
        ))}
        <div className={classes.links} style={{ marginTop: 6 }}>
          <AppLink to="/kiali/config" params={{ wizard: 'weights', host: `${node.namespace}/${node.name}` }}>
            Weights
          </AppLink>
          <AppLink to="/kiali/config" params={{ wizard: 'delay', host: `${node.namespace}/${node.name}` }}>
            Delay
          </AppLink>
          <AppLink to="/kiali/config" params={{ wizard: 'abort', host: `${node.namespace}/${node.name}` }}>
            Abort
          </AppLink>
          <AppLink to="/kiali/config" params={{ wizard: 'timeout', host: `${node.namespace}/${node.name}` }}>
            Timeout
          </AppLink>
          <AppLink to="/kiali/config" params={{ wizard: 'mirror', host: `${node.namespace}/${node.name}` }}>
            Mirror
          </AppLink>
        </div>
      </div>
      <div>
        <h3>Endpoints ({endpoints.length})</h3>
        {endpoints.map((endpoint) => (
          <div key={endpoint.addresses.join()} style={{ display: 'flex', gap: 8 }}>
            <span className="mono">{endpoint.addresses.join(', ')}</span>
            <Badge tone={endpoint.conditions?.ready === false ? 'bad' : 'ok'}>
              {endpoint.conditions?.ready === false ? 'not ready' : 'ready'}
            </Badge>
            {endpoint.targetRef ? (
              <AppLink
                className="ellipsis"
                to="/cluster"
                params={{ kind: 'pods', object: `${node.namespace}/${endpoint.targetRef.name}` }}
              >
                {endpoint.targetRef.name}
              </AppLink>
            ) : null}
          </div>
        ))}
      </div>
    </>
  );
}

function WorkloadPods({ node }: { node: MeshNode }) {
  const pods = usePods(node.namespace);
  const own = (pods.data ?? [])
    .map(readPod)
    .filter((pod) => pod.app === node.name || pod.name.startsWith(`${node.name}-`));
  if (own.length === 0) return null;
  return (
    <div>
      <h3>Pods</h3>
      {own.map((pod) => (
        <div key={pod.name} style={{ display: 'flex', gap: 8, padding: '2px 0', minWidth: 0 }}>
          <AppLink className="ellipsis" to="/cluster" params={{ kind: 'pods', object: `${pod.namespace}/${pod.name}` }}>
            {pod.name}
          </AppLink>
          <Badge tone={pod.tone}>{pod.status}</Badge>
          {pod.inMesh ? null : <Badge tone="warn">no sidecar</Badge>}
        </div>
      ))}
    </div>
  );
}
