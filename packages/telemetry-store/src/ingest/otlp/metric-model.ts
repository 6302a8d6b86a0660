import type { Attributes } from '@kind-e2e/telemetry';

/** OTLP's metrics (opentelemetry/proto/metrics/v1/metrics.proto), as both encodings are read into. */
export interface OtlpExemplar {
  readonly attributes: Attributes;
  readonly timeNs: bigint;
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
}

export interface OtlpPoint {
  attributes: Attributes;
  timeNs: bigint;
  startNs: bigint;
  /** Gauge and sum. */
  value: number;
  count: number;
  sum: number | undefined;
  bucketCounts: number[];
  explicitBounds: number[];
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: { offset: number; counts: number[] };
  negative: { offset: number; counts: number[] };
  quantiles: { quantile: number; value: number }[];
  exemplars: OtlpExemplar[];
  noRecordedValue: boolean;
}

export interface OtlpMetric {
  name: string;
  description: string;
  unit: string;
  kind: 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary' | 'none';
  isMonotonic: boolean;
  /** 1 delta, 2 cumulative. */
  temporality: number;
  points: OtlpPoint[];
}

export interface OtlpResourceMetrics {
  readonly resource: Attributes;
  readonly metrics: OtlpMetric[];
}

export function newPoint(): OtlpPoint {
  return {
    attributes: {},
    timeNs: 0n,
    startNs: 0n,
    value: 0,
    count: 0,
    sum: undefined,
    bucketCounts: [],
    explicitBounds: [],
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
    quantiles: [],
    exemplars: [],
    noRecordedValue: false,
  };
}
