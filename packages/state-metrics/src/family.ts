import { parseQuantity, type Quantity, quantityMilliValue, quantityValue } from '@kind-e2e/kube-api';

export type MetricLabels = Readonly<Record<string, string>>;

export interface Metric {
  readonly labels?: MetricLabels;
  readonly value: number;
}

/** One metric family of a kind of object; names, labels and values are kube-state-metrics' (docs/metrics). */
export interface Family<T> {
  readonly name: string;
  readonly help: string;
  /** Default gauge. */
  readonly type?: 'gauge' | 'counter' | 'info';
  /** Nothing where the object has no such thing. The labels of every metric of the kind come on top. */
  metrics(object: T): readonly Metric[];
}

export function family<T>(
  name: string,
  help: string,
  metrics: (object: T) => readonly Metric[],
  type: 'gauge' | 'counter' = 'gauge',
): Family<T> {
  return { name, help, type, metrics };
}

/** A family of one number, which is left out where there is none. */
export function numberFamily<T>(name: string, help: string, value: (object: T) => number | undefined): Family<T> {
  return family(name, help, (object) => one(value(object)));
}

/** A family that is 1 and says what it says in labels. */
export function infoFamily<T>(name: string, help: string, labels: (object: T) => MetricLabels): Family<T> {
  return family(name, help, (object) => [{ labels: labels(object), value: 1 }]);
}

export function one(value: number | undefined, labels: MetricLabels = {}): readonly Metric[] {
  return value === undefined || Number.isNaN(value) ? [] : [{ labels, value }];
}

/** A metric for each of the states, 1 where it is the one. */
export function oneOf(label: string, states: readonly string[], actual: string | undefined): readonly Metric[] {
  return states.map((state) => ({ labels: { [label]: state }, value: state === actual ? 1 : 0 }));
}

/** Seconds since the epoch of an API time. */
export function seconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(Date.parse(time) / 1000);
}

export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly lastTransitionTime?: string;
}

const STATUSES = ['true', 'false', 'unknown'];

/** A condition is three metrics, of which one is 1. */
export function conditionMetrics(
  condition: Condition,
  statusLabel: string,
  labels: MetricLabels = {},
): readonly Metric[] {
  return STATUSES.map((status) => ({
    labels: { ...labels, [statusLabel]: status },
    value: condition.status?.toLowerCase() === status ? 1 : 0,
  }));
}

export interface Owner {
  readonly kind?: string;
  readonly name?: string;
  readonly controller?: boolean;
}

/** `owner_kind`, `owner_name`, `owner_is_controller`; empty where there is no owner. */
export function ownerMetrics(owners: readonly Owner[] | undefined): readonly Metric[] {
  const all: readonly Owner[] = owners === undefined || owners.length === 0 ? [{}] : owners;
  return all.map(({ kind = '', name = '', controller }) => ({
    labels: {
      owner_kind: kind,
      owner_name: name,
      owner_is_controller: kind === '' ? '' : String(controller === true),
    },
    value: 1,
  }));
}

/** Prometheus' label names in what were names of resources or keys. */
export function sanitized(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, '_');
}

const BYTES = /^(?:memory|storage|ephemeral-storage|hugepages-.*)$/;

/** A list of resources with their `resource` and `unit` (internal/store/utils.go). */
export function resourceMetrics(
  resources: Readonly<Record<string, unknown>> | undefined,
  labels: MetricLabels = {},
): readonly Metric[] {
  return Object.entries(resources ?? {}).flatMap(([name, text]) => {
    const quantity = quantityOf(text);
    if (quantity === undefined) return [];
    const unit = name === 'cpu' ? 'core' : BYTES.test(name) ? 'byte' : 'integer';
    const value = name === 'cpu' ? Number(quantityMilliValue(quantity)) / 1000 : Number(quantityValue(quantity));
    return [{ labels: { ...labels, resource: sanitized(name), unit }, value }];
  });
}

/** The number of a quantity of the API. */
export function quantityOf(text: unknown): Quantity | undefined {
  if (typeof text !== 'string' && typeof text !== 'number') return undefined;
  return parseQuantity(String(text));
}

export function bytesOf(text: unknown): number | undefined {
  const quantity = quantityOf(text);
  return quantity === undefined ? undefined : Number(quantityValue(quantity));
}

function escapedValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

/** The families of a kind in the text format, those without metrics too, as kube-state-metrics gives them. */
export function familiesText<T>(
  families: readonly Family<T>[],
  objects: readonly T[],
  base: (object: T) => MetricLabels,
): string {
  const labelled = objects.map((object) => ({ object, labels: base(object) }));
  let text = '';
  for (const { name, help, type, metrics } of families) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type ?? 'gauge'}\n`;
    for (const { object, labels } of labelled)
      for (const metric of metrics(object)) {
        const pairs = Object.entries({ ...labels, ...metric.labels }).map(
          ([label, value]) => `${label}="${escapedValue(value)}"`,
        );
        text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${valueText(metric.value)}\n`;
      }
  }
  return text;
}
