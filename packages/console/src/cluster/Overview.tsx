import type { KubeObject, ResourceName } from '../api/kubernetes.ts';
import { useRange } from '../api/queries.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { TimeSeriesChart } from '../charts/TimeSeriesChart.tsx';
import { AppLink } from '../ui/AppLink.tsx';
import { SkeletonBlock } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge } from '../ui/Value.tsx';
import { paletteColor } from '../units/service-color.ts';
import classes from './cluster.module.css';
import { type Condition, readNode, readPod, readWorkload, shortImage } from './read.ts';

export function Overview({ kind, object }: { kind: ResourceName; object: KubeObject }) {
  const { metadata } = object;
  return (
    <div style={{ display: 'grid', gap: 18, gridTemplateColumns: 'minmax(0, 1fr)' }}>
      {kind === 'pods' ? <PodOverview object={object} /> : null}
      {kind === 'nodes' ? <Conditions list={readNode(object).conditions} /> : null}
      {['deployments', 'statefulsets', 'daemonsets'].includes(kind) ? <WorkloadOverview object={object} /> : null}
      <div className={classes.facts}>
        {metadata.namespace ? <span>Namespace</span> : null}
        {metadata.namespace ? <span>{metadata.namespace}</span> : null}
        <span>Age</span>
        <span>
          <Age since={metadata.creationTimestamp} />
        </span>
        {(metadata.ownerReferences ?? []).map((owner) => [
          <span key={`${owner.name}k`}>Owned by</span>,
          <span key={`${owner.name}v`}>
            {owner.kind} {owner.name}
          </span>,
        ])}
        <span>Labels</span>
        <Pairs pairs={metadata.labels ?? {}} />
        <span>Annotations</span>
        <Pairs pairs={metadata.annotations ?? {}} />
      </div>
    </div>
  );
}

function Pairs({ pairs }: { pairs: Readonly<Record<string, string>> }) {
  const entries = Object.entries(pairs);
  return (
    <span style={{ display: 'flex', gap: 4, flexWrap: 'wrap' }}>
      {entries.length === 0 ? <span className="dim">none</span> : null}
      {entries.map(([key, value]) => (
        <span key={key} className="badge" style={{ whiteSpace: 'normal', overflowWrap: 'anywhere' }} title={value}>
          {key}={value.length > 80 ? `${value.slice(0, 80)}…` : value}
        </span>
      ))}
    </span>
  );
}

function Conditions({ list }: { list: readonly Condition[] }) {
  if (list.length === 0) return null;
  return (
    <div className="scroll-x">
      <table className="grid">
        <thead>
          <tr>
            <th>Condition</th>
            <th>Status</th>
            <th>Reason</th>
            <th className="num">Since</th>
          </tr>
        </thead>
        <tbody>
          {list.map((item) => (
            <tr key={item.type}>
              <td>{item.type}</td>
              <td>{item.status}</td>
              <td title={item.message}>{item.reason}</td>
              <td className="num">
                <Age since={item.lastTransitionTime} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PodOverview({ object }: { object: KubeObject }) {
  const pod = readPod(object);
  return (
    <>
      <div className={classes.facts}>
        <span>Status</span>
        <span>
          <Badge tone={pod.tone}>{pod.status}</Badge> {pod.message}
        </span>
        <span>Node</span>
        <span>
          {pod.node ? (
            <AppLink to="/cluster" params={{ kind: 'nodes', object: pod.node }}>
              {pod.node}
            </AppLink>
          ) : (
            'not placed yet'
          )}
        </span>
        <span>Address</span>
        <span className="mono">{pod.ip ?? '–'}</span>
        <span>From here</span>
        <span style={{ display: 'flex', gap: 12, flexWrap: 'wrap' }}>
          {pod.app ? (
            <AppLink to="/grafana/explore" params={{ ds: 'loki', expr: `{pod=${JSON.stringify(pod.name)}}` }}>
              Logs in Explore
            </AppLink>
          ) : null}
          {pod.app ? (
            <AppLink to="/jaeger/search" params={{ service: pod.app }}>
              Traces
            </AppLink>
          ) : null}
          <AppLink to="/grafana/d/kubernetes-pods" params={{ 'var-namespace': pod.namespace, 'var-pod': pod.name }}>
            Dashboard
          </AppLink>
        </span>
      </div>
      <div className="scroll-x">
        <table className="grid">
          <thead>
            <tr>
              <th>Container</th>
              <th>State</th>
              <th className="num">Restarts</th>
              <th>Image</th>
            </tr>
          </thead>
          <tbody>
            {pod.containers.map((container) => (
              <tr key={container.name}>
                <td>{container.name}</td>
                <td>
                  <Badge tone={container.ready ? 'ok' : 'warn'}>{container.state}</Badge>
                </td>
                <td className="num">{container.restarts}</td>
                <td className="mono">{shortImage(container.image ?? '')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <PodUsage namespace={pod.namespace} name={pod.name} />
      <Conditions list={pod.conditions} />
    </>
  );
}

const USAGE_HEIGHT = 130;

function PodUsage({ namespace, name }: { namespace: string; name: string }) {
  const { range } = useTime();
  const selector = `namespace=${JSON.stringify(namespace)},pod=${JSON.stringify(name)},container!=""`;
  const cpu = useRange(`sum(rate(container_cpu_usage_seconds_total{${selector}}[1m]))`, 160);
  const memory = useRange(`sum(container_memory_working_set_bytes{${selector}})`, 160);
  const charts = [
    { title: 'CPU', unit: 'cores', query: cpu },
    { title: 'Memory', unit: 'bytes', query: memory },
  ];
  if (charts.every((chart) => !chart.query.isPending && (chart.query.data?.series.length ?? 0) === 0)) return null;
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(260px, 1fr))', gap: 14 }}>
      {charts.map((chart, index) => (
        <div key={chart.title}>
          <div className="dim" style={{ fontSize: 12 }}>
            {chart.title}
          </div>
          {chart.query.isPending ? (
            <SkeletonBlock height={USAGE_HEIGHT} />
          ) : (
            <TimeSeriesChart
              label={chart.title}
              height={USAGE_HEIGHT}
              range={range}
              unit={chart.unit}
              legend={{ mode: 'hidden' }}
              stepSeconds={chart.query.stepSeconds}
              series={(chart.query.data?.series ?? []).map((series) => ({
                key: chart.title,
                name: chart.title,
                color: paletteColor(index + 5),
                times: series.times,
                values: series.values,
                fill: 16,
              }))}
            />
          )}
        </div>
      ))}
    </div>
  );
}

function WorkloadOverview({ object }: { object: KubeObject }) {
  const workload = readWorkload(object);
  const selector = Object.entries(workload.selector).map(([key, value]) => `${key}=${value}`);
  return (
    <div className={classes.facts}>
      <span>Ready</span>
      <span>
        <Badge tone={workload.tone}>
          {workload.ready} of {workload.wanted}
        </Badge>{' '}
        {workload.note}
      </span>
      <span>Images</span>
      <span className="mono">{workload.images.map(shortImage).join(', ')}</span>
      <span>Pods</span>
      <span>
        <AppLink to="/cluster" params={{ namespace: workload.namespace, q: workload.name }}>
          {selector.join(', ') || 'all'}
        </AppLink>
      </span>
    </div>
  );
}
