import { z } from 'zod';
import { Badge } from '../ui/Value.tsx';
import { AGE, type Column, NAME, NAMESPACE } from './column-basics.tsx';

/** Columns of the kinds beside the workloads, as `kubectl get` prints them (kubernetes: pkg/printers/internalversion). */
const slice = z.looseObject({
  addressType: z.string().optional(),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()).catch([]),
        conditions: z.looseObject({ ready: z.boolean().nullish() }).nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.looseObject({ name: z.string().nullish(), port: z.number().nullish() })).nullish(),
});

export const ENDPOINT_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  { title: 'Type', cell: (item) => slice.parse(item).addressType },
  {
    title: 'Ports',
    cell: (item) => (
      <span className="mono">{(slice.parse(item).ports ?? []).map((port) => port.port ?? '*').join(', ')}</span>
    ),
  },
  {
    title: 'Endpoints',
    cell: (item) => (
      <span style={{ display: 'flex', flexWrap: 'wrap', gap: 4 }}>
        {(slice.parse(item).endpoints ?? []).map((endpoint) => {
          const isReady = endpoint.conditions?.ready !== false;
          const address = endpoint.addresses.join(', ');
          return (
            <Badge key={address} tone={isReady ? 'ok' : 'bad'} title={isReady ? 'ready' : 'not ready'}>
              {address}
            </Badge>
          );
        })}
      </span>
    ),
  },
  AGE,
];

const target = z
  .looseObject({ averageUtilization: z.number().nullish(), averageValue: z.string().nullish() })
  .nullish();
const metricName = (metric: z.infer<typeof metricSpec>): string => metric.resource?.name ?? metric.type ?? 'metric';
const metricSpec = z.looseObject({
  type: z.string().optional(),
  resource: z.looseObject({ name: z.string(), target: target.optional(), current: target.optional() }).optional(),
});
const autoscaler = z.looseObject({
  spec: z.looseObject({
    minReplicas: z.number().optional(),
    maxReplicas: z.number().optional(),
    scaleTargetRef: z.looseObject({ kind: z.string().catch(''), name: z.string().catch('') }).optional(),
    metrics: z.array(metricSpec).nullish(),
  }),
  status: z
    .looseObject({ currentReplicas: z.number().optional(), currentMetrics: z.array(metricSpec).nullish() })
    .optional(),
});
const amount = (value: z.infer<typeof target>): string =>
  value?.averageUtilization != null ? `${value.averageUtilization} %` : (value?.averageValue ?? '<unknown>');

export const AUTOSCALER_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  {
    title: 'Scales',
    cell: (item) => {
      const of = autoscaler.parse(item).spec.scaleTargetRef;
      return `${of?.kind ?? ''} ${of?.name ?? ''}`;
    },
  },
  {
    title: 'Now / wanted',
    cell: (item) => {
      const { spec, status } = autoscaler.parse(item);
      return (spec.metrics ?? []).map((metric) => {
        const now = (status?.currentMetrics ?? []).find((entry) => metricName(entry) === metricName(metric));
        return (
          <div key={metricName(metric)} className="nowrap">
            {metricName(metric)}: {amount(now?.resource?.current)} / {amount(metric.resource?.target)}
          </div>
        );
      });
    },
  },
  { title: 'Least', isNumber: true, cell: (item) => autoscaler.parse(item).spec.minReplicas ?? 1 },
  { title: 'Most', isNumber: true, cell: (item) => autoscaler.parse(item).spec.maxReplicas },
  { title: 'Pods', isNumber: true, cell: (item) => autoscaler.parse(item).status?.currentReplicas ?? 0 },
  AGE,
];

const intOrString = z.union([z.number(), z.string()]).nullish();
const budget = z.looseObject({
  spec: z.looseObject({ minAvailable: intOrString, maxUnavailable: intOrString }),
  status: z.looseObject({ disruptionsAllowed: z.number().catch(0), currentHealthy: z.number().catch(0) }).optional(),
});

export const BUDGET_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  { title: 'Least available', isNumber: true, cell: (item) => budget.parse(item).spec.minAvailable ?? 'N/A' },
  { title: 'Most unavailable', isNumber: true, cell: (item) => budget.parse(item).spec.maxUnavailable ?? 'N/A' },
  { title: 'Healthy', isNumber: true, cell: (item) => budget.parse(item).status?.currentHealthy ?? 0 },
  { title: 'May go now', isNumber: true, cell: (item) => budget.parse(item).status?.disruptionsAllowed ?? 0 },
  AGE,
];

const data = z.looseObject({
  type: z.string().optional(),
  data: z.record(z.string(), z.unknown()).nullish(),
  binaryData: z.record(z.string(), z.unknown()).nullish(),
});

/** Of ConfigMaps and Secrets the keys; never a Secret's values. */
export const DATA_COLUMNS: Column[] = [
  NAME,
  NAMESPACE,
  { title: 'Type', cell: (item) => data.parse(item).type ?? '' },
  {
    title: 'Keys',
    cell: (item) => (
      <span className="mono" style={{ overflowWrap: 'anywhere' }}>
        {Object.keys({ ...data.parse(item).data, ...data.parse(item).binaryData }).join(', ')}
      </span>
    ),
  },
  AGE,
];
