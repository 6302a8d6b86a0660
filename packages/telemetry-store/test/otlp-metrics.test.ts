/** OTLP metrics as Prometheus 3.5 translates them (storage/remote/otlptranslator/prometheusremotewrite). */
import { describe, expect, it } from 'vitest';
import { decodeOtlpMetrics } from '../src/ingest/otlp/metrics.ts';

interface Shown {
  readonly labels: Record<string, string>;
  readonly value: number;
}

const attribute = (key: string, stringValue: string): unknown => ({ key, value: { stringValue } });

function decode(metric: unknown, resource: readonly unknown[] = []): ReturnType<typeof decodeOtlpMetrics> {
  const request = { resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics: [{ metrics: [metric] }] }] };
  return decodeOtlpMetrics(Buffer.from(JSON.stringify(request)), 'application/json');
}

function shown(metric: unknown, resource: readonly unknown[] = []): Shown[] {
  return decode(metric, resource).samples.map(({ labels, value }) => ({ labels: labels.toObject(), value }));
}

const point = { timeUnixNano: '1767225600000000000', asDouble: 1 };

describe('OTLP metrics', () => {
  it('joins attributes that become one label, in the order of their keys', () => {
    const attributes = [attribute('a.b', 'dot'), attribute('a-b', 'dash'), attribute('a_b', 'line')];
    const [sample] = shown({ name: 'x', gauge: { dataPoints: [{ ...point, attributes }] } });
    expect(sample?.labels).toEqual({ __name__: 'x', a_b: 'dash;dot;line' });
  });

  it.each([
    ['1st', 'key_1st'],
    ['_hidden', 'key_hidden'],
    ['__kept', '__kept'],
    ['smile☺😀', 'smile__'],
  ])('makes the label %s into %s', (key, label) => {
    const [sample] = shown({ name: 'x', gauge: { dataPoints: [{ ...point, attributes: [attribute(key, 'v')] }] } });
    expect(sample?.labels).toEqual({ __name__: 'x', [label]: 'v' });
  });

  it('tells job and instance from the resource, and the rest in target_info', () => {
    const metric = { name: 'x', gauge: { dataPoints: [point] } };
    const service = [attribute('service.name', 'web'), attribute('service.namespace', '')];
    expect(shown(metric, service)[0]?.labels).toEqual({ __name__: 'x', job: '/web' });
    const resource = [
      ...service,
      attribute('service.instance.id', 'i'),
      attribute('host.name', 'h'),
      attribute('host-name', 'g'),
    ];
    expect(shown(metric, resource)).toEqual([
      { labels: { __name__: 'x', job: '/web', instance: 'i' }, value: 1 },
      { labels: { __name__: 'target_info', job: '/web', instance: 'i', host_name: 'g;h' }, value: 1 },
    ]);
    expect(shown(metric, [attribute('host.name', 'h')])).toHaveLength(1);
  });

  it('writes bounds and quantiles without exponents', () => {
    const histogram = {
      aggregationTemporality: 2,
      dataPoints: [
        { timeUnixNano: point.timeUnixNano, count: '3', bucketCounts: ['1', '1', '1'], explicitBounds: [1e-7, 1e21] },
      ],
    };
    expect(shown({ name: 'h', histogram }).map(({ labels, value }) => [labels.__name__, labels.le, value])).toEqual([
      ['h_bucket', '0.0000001', 1],
      ['h_bucket', '1000000000000000000000', 2],
      ['h_bucket', '+Inf', 3],
      ['h_count', undefined, 3],
    ]);
    const summary = {
      dataPoints: [
        { timeUnixNano: point.timeUnixNano, count: '1', sum: 2, quantileValues: [{ quantile: 1e-7, value: 5 }] },
      ],
    };
    expect(shown({ name: 's', summary })[0]?.labels).toEqual({ __name__: 's', quantile: '0.0000001' });
  });

  it('keeps exponential histograms of scale -4 and finer, 0 for a sum that is not told, and one threshold of zero', () => {
    const exponential = (scale: number): unknown => ({
      name: 'e',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            timeUnixNano: point.timeUnixNano,
            count: '2',
            scale,
            zeroThreshold: 0.5,
            zeroCount: '1',
            positive: { offset: 1, bucketCounts: ['1'] },
          },
        ],
      },
    });
    expect(decode(exponential(-4)).samples[0]?.histogram).toMatchObject({ schema: -4, sum: 0, zeroThreshold: 1e-128 });
    const refused = decode(exponential(-5));
    expect(refused.samples).toEqual([]);
    expect([...refused.problems.keys()]).toEqual([
      'cannot convert exponential to native histogram. Scale must be >= -4, was -5',
    ]);
  });

  it('leaves attributes of exemplars as they are called, and out where they are too long', () => {
    const exemplar = (text: string): unknown => ({
      timeUnixNano: point.timeUnixNano,
      asDouble: 1,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      filteredAttributes: [attribute('user.id', text)],
    });
    const of = (text: string): unknown =>
      decode({
        name: 'x',
        gauge: { dataPoints: [{ ...point, exemplars: [exemplar(text)] }] },
      }).samples[0]?.exemplar?.labels.toObject();
    expect(of('u')).toEqual({ trace_id: '0af7651916cd43dd8448eb211c80319c', 'user.id': 'u' });
    expect(of('u'.repeat(100))).toEqual({ trace_id: '0af7651916cd43dd8448eb211c80319c' });
  });

  it.each([
    ['sum', 1],
    ['sum', 0],
    ['histogram', 1],
  ])('refuses a %s of temporality %d', (kind, aggregationTemporality) => {
    const refused = decode({ name: 'd', [kind]: { aggregationTemporality, isMonotonic: true, dataPoints: [point] } });
    expect(refused.samples).toEqual([]);
    expect([...refused.problems.keys()]).toEqual(['invalid temporality and type combination for metric "d"']);
  });
});
