import { z } from 'zod';
import type { KubeObject, ResourceName } from '../api/kubernetes.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge, Value } from '../ui/Value.tsx';
import classes from './cluster.module.css';
import { AGE, type Column, NAME, NAMESPACE } from './column-basics.tsx';
import { AUTOSCALER_COLUMNS, BUDGET_COLUMNS, DATA_COLUMNS, ENDPOINT_COLUMNS } from './policy-columns.tsx';
import { readNode, readPod, readWorkload, shortImage } from './read.ts';
import type { Usage } from './useUsage.ts';

const event = z.looseObject({
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  note: z.string().nullish(),
  count: z.number().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  involvedObject: z
    .looseObject({ kind: z.string().optional(), name: z.string().optional(), namespace: z.string().optional() })
    .nullish(),
});
const service = z.looseObject({
  spec: z
    .looseObject({
      type: z.string().optional(),
      clusterIP: z.string().optional(),
      ports: z
        .array(z.looseObject({ port: z.number(), name: z.string().optional(), protocol: z.string().optional() }))
        .nullish(),
    })
    .catch({}),
});

const KIND_PATHS: Readonly<Record<string, string>> = {
  Pod: 'pods',
  Deployment: 'deployments',
  Node: 'nodes',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Job: 'jobs',
};

function Meter({ value, of }: { value: number; of: number | undefined }) {
  if (!of) return null;
  return (
    <span className={classes.meter} title={`${((value / of) * 100).toFixed(0)} %`}>
      <i style={{ width: `${Math.min((value / of) * 100, 100)}%` }} />
    </span>
  );
}

function podColumns(usage: ReadonlyMap<string, Usage>): Column[] {
  const of = (item: KubeObject): Usage | undefined => usage.get(`${item.metadata.namespace}/${item.metadata.name}`);
  return [
    NAME,
    NAMESPACE,
    {
      title: 'Status',
      cell: (item) => {
        const pod = readPod(item);
        return (
          <Badge tone={pod.tone} {...(pod.message ? { title: pod.message } : {})}>
            {pod.status}
          </Badge>
        );
      },
    },
    { title: 'Ready', isNumber: true, cell: (item) => `${readPod(item).ready}/${readPod(item).total}` },
    { title: 'Restarts', isNumber: true, cell: (item) => readPod(item).restarts },
    {
      title: 'CPU',
      isNumber: true,
      cell: (item) => (of(item) ? <Value value={of(item)?.cpu} unit="cores" /> : <span className="dim">–</span>),
    },
    {
      title: 'Memory',
      isNumber: true,
      cell: (item) => (of(item) ? <Value value={of(item)?.memory} unit="bytes" /> : <span className="dim">–</span>),
    },
    { title: 'Mesh', cell: (item) => (readPod(item).inMesh ? <Badge tone="accent">sidecar</Badge> : null) },
    { title: 'Node', cell: (item) => <span className="nowrap">{readPod(item).node ?? ''}</span> },
    { title: 'Address', cell: (item) => <span className="mono">{readPod(item).ip ?? ''}</span> },
    AGE,
  ];
}

function nodeColumns(usage: ReadonlyMap<string, Usage>): Column[] {
  return [
    NAME,
    {
      title: 'Status',
      cell: (item) => <Badge tone={readNode(item).isReady ? 'ok' : 'bad'}>{readNode(item).status}</Badge>,
    },
    { title: 'Roles', cell: (item) => readNode(item).roles },
    {
      title: 'CPU',
      isNumber: true,
      cell: (item) => {
        const own = usage.get(item.metadata.name);
        return own ? (
          <>
            <Value value={own.cpu} unit="cores" />
            <Meter value={own.cpu} of={readNode(item).cpu} />
          </>
        ) : (
          <Value value={readNode(item).cpu} unit="cores" />
        );
      },
    },
    {
      title: 'Memory',
      isNumber: true,
      cell: (item) => {
        const own = usage.get(item.metadata.name);
        return own ? (
          <>
            <Value value={own.memory} unit="bytes" />
            <Meter value={own.memory} of={readNode(item).memory} />
          </>
        ) : (
          <Value value={readNode(item).memory} unit="bytes" />
        );
      },
    },
    { title: 'Version', cell: (item) => readNode(item).version },
    { title: 'Address', cell: (item) => <span className="mono">{readNode(item).address}</span> },
    AGE,
  ];
}

const WORKLOAD_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  {
    title: 'Ready',
    isNumber: true,
    cell: (item) => {
      const workload = readWorkload(item);
      return (
        <Badge tone={workload.tone}>
          {workload.kind === 'CronJob' ? 'scheduled' : `${workload.ready}/${workload.wanted}`}
        </Badge>
      );
    },
  },
  {
    title: 'Image',
    cell: (item) => <span className="mono">{readWorkload(item).images.map(shortImage).join(', ')}</span>,
  },
  { title: 'State', cell: (item) => <span className="dim">{readWorkload(item).note}</span> },
  AGE,
];

const EVENT_COLUMNS: Column[] = [
  {
    title: 'Last seen',
    cell: (item) => (
      <Age since={event.parse(item).lastTimestamp ?? event.parse(item).eventTime ?? item.metadata.creationTimestamp} />
    ),
  },
  {
    title: 'Type',
    cell: (item) => (
      <Badge tone={event.parse(item).type === 'Warning' ? 'warn' : 'plain'}>{event.parse(item).type ?? ''}</Badge>
    ),
  },
  { title: 'Reason', cell: (item) => event.parse(item).reason },
  {
    title: 'Object',
    cell: (item) => {
      const about = event.parse(item).involvedObject;
      const path = KIND_PATHS[about?.kind ?? ''];
      const text = `${about?.kind ?? ''} ${about?.name ?? ''}`;
      return path ? (
        <AppLink
          to="/cluster"
          params={{ kind: path, object: path === 'nodes' ? (about?.name ?? '') : `${about?.namespace}/${about?.name}` }}
        >
          {text}
        </AppLink>
      ) : (
        text
      );
    },
  },
  {
    title: 'Message',
    cell: (item) => (
      <span style={{ overflowWrap: 'anywhere' }}>{event.parse(item).message ?? event.parse(item).note}</span>
    ),
  },
  { title: 'Count', isNumber: true, cell: (item) => event.parse(item).count ?? 1 },
];

const SERVICE_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  { title: 'Type', cell: (item) => service.parse(item).spec.type ?? 'ClusterIP' },
  {
    title: 'Cluster address',
    cell: (item) => <span className="mono">{service.parse(item).spec.clusterIP ?? ''}</span>,
  },
  {
    title: 'Ports',
    cell: (item) => (
      <span className="mono">
        {(service.parse(item).spec.ports ?? [])
          .map((port) => `${port.port}/${port.protocol ?? 'TCP'}${port.name ? ` ${port.name}` : ''}`)
          .join(', ')}
      </span>
    ),
  },
  AGE,
];

const LABELS: Column = {
  title: 'Labels',
  cell: (item) => (
    <span style={{ display: 'flex', flexWrap: 'wrap', gap: 4 }}>
      {Object.entries(item.metadata.labels ?? {}).map(([key, value]) => (
        <Badge key={key}>{`${key}=${value}`}</Badge>
      ))}
    </span>
  ),
};

export function columnsOf(kind: ResourceName, usage: ReadonlyMap<string, Usage>): Column[] {
  if (kind === 'pods') return podColumns(usage);
  if (kind === 'nodes') return nodeColumns(usage);
  if (kind === 'events') return EVENT_COLUMNS;
  if (kind === 'services') return SERVICE_COLUMNS;
  if (['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs'].includes(kind))
    return WORKLOAD_COLUMNS;
  if (kind === 'endpointslices') return ENDPOINT_COLUMNS;
  if (kind === 'horizontalpodautoscalers') return AUTOSCALER_COLUMNS;
  if (kind === 'poddisruptionbudgets') return BUDGET_COLUMNS;
  if (kind === 'configmaps' || kind === 'secrets') return DATA_COLUMNS;
  return kind === 'namespaces' ? [NAME, LABELS, AGE] : [NAME, NAMESPACE, LABELS, AGE];
}
