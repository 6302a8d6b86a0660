import type { ReactNode } from 'react';
import { RESOURCES } from '../api/kubernetes.ts';
import { useInstant, useObjects, usePods } from '../api/queries.ts';
import { readNode, readPod } from '../cluster/read.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { formatNumber } from '../units/format.ts';
import classes from './home.module.css';
import { useBackends } from './useBackends.ts';

interface TileProps {
  label: string;
  to: string;
  params?: Record<string, string>;
  tone: 'ok' | 'warn' | 'bad' | undefined;
  value: ReactNode;
  note?: ReactNode;
}

function Tile({ label, to, params, tone, value, note }: TileProps) {
  return (
    <AppLink to={to} {...(params ? { params } : {})} className={classes.tile}>
      <div className={classes.tileLabel}>
        <span className={classes.dot} data-tone={tone} />
        {label}
      </div>
      <div className={classes.tileValue}>
        {value}
        {note ? <small className="ellipsis">{note}</small> : null}
      </div>
    </AppLink>
  );
}

const MESH_QUERY = 'sum(rate(istio_requests_total{reporter="destination"}[1m]))';
const MTLS_QUERY =
  'sum(rate(istio_requests_total{reporter="destination",connection_security_policy="mutual_tls"}[1m]))';

/** One line that says whether all is well. */
export function HealthStrip() {
  const nodes = useObjects(RESOURCES.nodes);
  const pods = usePods();
  const traffic = useInstant(MESH_QUERY);
  const secured = useInstant(MTLS_QUERY);
  const backends = useBackends();

  const nodeViews = (nodes.data ?? []).map(readNode);
  const readyNodes = nodeViews.filter((node) => node.isReady).length;
  const podViews = (pods.data ?? []).map(readPod).filter((pod) => pod.tone !== 'plain');
  const readyPods = podViews.filter((pod) => pod.tone === 'ok').length;
  const badPods = podViews.filter((pod) => pod.tone === 'bad').length;
  const injected = podViews.filter((pod) => pod.inMesh).length;
  const rate = traffic.data?.series[0]?.values[0] ?? 0;
  const share = rate > 0 ? (secured.data?.series[0]?.values[0] ?? 0) / rate : undefined;
  const upBackends = backends.filter((backend) => backend.state === 'up').length;
  const down = backends.filter((backend) => backend.state === 'down');
  const allUp = down.length === 0 && badPods === 0 && readyNodes === nodeViews.length;

  return (
    <section className={`card ${classes.strip}`} aria-label="Health">
      <Tile
        label="Overall"
        to="/cluster"
        params={{ kind: 'events' }}
        tone={
          nodes.data === undefined
            ? nodes.isError
              ? 'bad'
              : undefined
            : allUp
              ? 'ok'
              : down.length > 1
                ? 'bad'
                : 'warn'
        }
        value={nodes.data === undefined ? (nodes.isError ? 'No answer' : '–') : allUp ? 'All well' : 'Degraded'}
        note={
          down.length > 0
            ? `${down.map((item) => item.name).join(', ')} down`
            : badPods > 0
              ? `${badPods} pod${badPods > 1 ? 's' : ''} failing`
              : ''
        }
      />
      <Tile
        label="Nodes"
        to="/cluster"
        params={{ kind: 'nodes' }}
        tone={nodes.data ? (readyNodes === nodeViews.length ? 'ok' : 'bad') : nodes.isError ? 'bad' : undefined}
        value={nodes.data ? `${readyNodes} / ${nodeViews.length}` : '–'}
        note="ready"
      />
      <Tile
        label="Pods"
        to="/cluster"
        params={{ kind: 'pods' }}
        tone={
          pods.data
            ? badPods > 0
              ? 'bad'
              : readyPods === podViews.length
                ? 'ok'
                : 'warn'
            : pods.isError
              ? 'bad'
              : undefined
        }
        value={pods.data ? `${readyPods} / ${podViews.length}` : '–'}
        note="ready"
      />
      <Tile
        label="Mesh"
        to="/kiali"
        tone={pods.data ? (injected > 0 ? 'ok' : 'warn') : undefined}
        value={traffic.data ? `${formatNumber(rate)}` : '–'}
        note={`req/s${share === undefined ? '' : ` · ${Math.round(share * 100)} % mTLS`}`}
      />
      <Tile
        label="Backends"
        to="/prometheus/targets"
        tone={upBackends === backends.length ? 'ok' : down.length > 0 ? 'bad' : undefined}
        value={`${upBackends} / ${backends.length}`}
        note="answer"
      />
    </section>
  );
}
