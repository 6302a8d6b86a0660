import { type BucketSpan, Labels, type MetricType, type NativeHistogram } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { absolute, readSpan } from '../ingest/prometheus/histogram.ts';
import type { ExposedSample, Exposition } from './text-parser.ts';
import { openMetricsFloat } from './text-parser.ts';

const TYPES: readonly MetricType[] = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'];

type Pair = [string, string];
type Exemplar = NonNullable<ExposedSample['exemplar']>;

/** Reads io.prometheus.client.MetricFamily messages, each with its length before it (client_model, metrics.proto). */
export function parseProtobufExposition(body: Buffer, nativeHistograms: boolean, out: Exposition): void {
  const all = new ProtobufReader(body);
  while (!all.done) {
    const length = all.varint();
    const start = all.at;
    all.skip(length);
    readFamily(new ProtobufReader(body, start, start + length), nativeHistograms, out);
  }
}

function readFamily(reader: ProtobufReader, nativeHistograms: boolean, out: Exposition): void {
  let name = '';
  let type: MetricType = 'unknown';
  const metrics: ProtobufReader[] = [];
  let help = '';
  let unit = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) help = reader.text();
    else if (reader.field === 3) type = TYPES[reader.uint()] ?? 'unknown';
    else if (reader.field === 4) metrics.push(reader.message());
    else if (reader.field === 5) unit = reader.text();
    else reader.skipField();
  }
  out.metadata(name, { type, help, unit });
  for (const metric of metrics) readMetric(metric, name, nativeHistograms, out);
}

function readMetric(reader: ProtobufReader, name: string, nativeHistograms: boolean, out: Exposition): void {
  const labels: Pair[] = [];
  let timestampMs: number | undefined;
  const values: (() => void)[] = [];
  const add = (suffix: string, value: number, extra?: Pair, exemplar?: Exemplar): void => {
    const all = extra ? [...labels, extra] : labels;
    const key = `${name}${suffix}\0${all.flat().join('\0')}`;
    out.sample({ name: name + suffix, labels: all, value, timestampMs, key, ...(exemplar && { exemplar }) });
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        labels.push(readPair(reader.message()));
        break;
      case 2:
      case 5: {
        const { value } = readSimple(reader.message());
        values.push(() => add('', value));
        break;
      }
      case 3: {
        const { value, exemplar } = readSimple(reader.message());
        values.push(() => add('', value, undefined, exemplar));
        break;
      }
      case 4: {
        const summary = readSummary(reader.message());
        values.push(() => {
          for (const { quantile, value } of summary.quantiles) add('', value, ['quantile', openMetricsFloat(quantile)]);
          add('_sum', summary.sum);
          add('_count', summary.count);
        });
        break;
      }
      case 6:
        timestampMs = reader.int();
        break;
      case 7: {
        const histogram = readHistogram(reader.message());
        values.push(() => {
          if (nativeHistograms && histogram.native) {
            const [exemplar] = histogram.exemplars;
            const key = `${name}\0${labels.flat().join('\0')}`;
            out.sample({
              name,
              labels,
              value: 0,
              timestampMs,
              key,
              histogram: histogram.native,
              ...(exemplar && { exemplar }),
            });
            return;
          }
          for (const bucket of histogram.buckets)
            add('_bucket', bucket.count, ['le', openMetricsFloat(bucket.bound)], bucket.exemplar);
          if (histogram.buckets.at(-1)?.bound !== Infinity) add('_bucket', histogram.count, ['le', '+Inf']);
          add('_sum', histogram.sum);
          add('_count', histogram.count);
        });
        break;
      }
      default:
        reader.skipField();
    }
  }
  for (const value of values) value();
}

function readPair(reader: ProtobufReader): Pair {
  const pair: Pair = ['', ''];
  while (reader.next()) {
    if (reader.field === 1) pair[0] = reader.text();
    else if (reader.field === 2) pair[1] = reader.text();
    else reader.skipField();
  }
  return pair;
}

function readSimple(reader: ProtobufReader): { value: number; exemplar: Exemplar | undefined } {
  let value = 0;
  let exemplar: Exemplar | undefined;
  while (reader.next()) {
    if (reader.field === 1) value = reader.double();
    else if (reader.field === 2) exemplar = readExemplar(reader.message());
    else reader.skipField();
  }
  return { value, exemplar };
}

function readExemplar(reader: ProtobufReader): Exemplar {
  const labels: Pair[] = [];
  let value = 0;
  let timestampMs: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) labels.push(readPair(reader.message()));
    else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) {
      const time = reader.message();
      timestampMs = 0;
      while (time.next()) {
        if (time.field === 1) timestampMs += time.int() * 1000;
        else if (time.field === 2) timestampMs += Math.trunc(time.int() / 1e6);
        else time.skipField();
      }
    } else reader.skipField();
  }
  return { labels: Labels.from(labels), value, timestampMs };
}

function readSummary(reader: ProtobufReader): {
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
} {
  const summary = { count: 0, sum: 0, quantiles: [] as { quantile: number; value: number }[] };
  while (reader.next()) {
    if (reader.field === 1) summary.count = reader.uint();
    else if (reader.field === 2) summary.sum = reader.double();
    else if (reader.field === 3) {
      const message = reader.message();
      const entry = { quantile: 0, value: 0 };
      while (message.next()) {
        if (message.field === 1) entry.quantile = message.double();
        else if (message.field === 2) entry.value = message.double();
        else message.skipField();
      }
      summary.quantiles.push(entry);
    } else reader.skipField();
  }
  return summary;
}

interface ReadHistogram {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly { count: number; bound: number; exemplar: Exemplar | undefined }[];
  readonly exemplars: readonly Exemplar[];
  readonly native: NativeHistogram | undefined;
}

function readHistogram(reader: ProtobufReader): ReadHistogram {
  let count = 0;
  let sum = 0;
  const buckets: { count: number; bound: number; exemplar: Exemplar | undefined }[] = [];
  const exemplars: Exemplar[] = [];
  let schema = 0;
  let zeroThreshold = 0;
  let zeroCount = 0;
  const spans: [BucketSpan[], BucketSpan[]] = [[], []];
  const deltas: [number[], number[]] = [[], []];
  const counts: [number[], number[]] = [[], []];
  let isNative = false;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        count = reader.uint();
        break;
      case 2:
        sum = reader.double();
        break;
      case 3:
        buckets.push(readBucket(reader.message()));
        break;
      case 4:
        count = reader.double();
        break;
      case 5:
        schema = reader.sint();
        isNative = true;
        break;
      case 6:
        zeroThreshold = reader.double();
        isNative = true;
        break;
      case 7:
        zeroCount = reader.uint();
        break;
      case 8:
        zeroCount = reader.double();
        break;
      case 9:
        spans[1].push(readSpan(reader.message()));
        break;
      case 10:
        reader.sints(deltas[1]);
        break;
      case 11:
        reader.doubles(counts[1]);
        break;
      case 12:
        spans[0].push(readSpan(reader.message()));
        break;
      case 13:
        reader.sints(deltas[0]);
        break;
      case 14:
        reader.doubles(counts[0]);
        break;
      case 16:
        exemplars.push(readExemplar(reader.message()));
        break;
      default:
        reader.skipField();
    }
  }
  const native: NativeHistogram | undefined =
    isNative && (spans[0].length > 0 || spans[1].length > 0 || zeroThreshold > 0)
      ? {
          counterResetHint: 'unknown',
          schema,
          zeroThreshold,
          zeroCount,
          count,
          sum,
          positiveSpans: spans[0],
          positiveBuckets: counts[0].length > 0 ? counts[0] : absolute(deltas[0]),
          negativeSpans: spans[1],
          negativeBuckets: counts[1].length > 0 ? counts[1] : absolute(deltas[1]),
          customValues: [],
        }
      : undefined;
  return { count, sum, buckets, exemplars, native };
}

function readBucket(reader: ProtobufReader): { count: number; bound: number; exemplar: Exemplar | undefined } {
  const bucket: { count: number; bound: number; exemplar: Exemplar | undefined } = {
    count: 0,
    bound: 0,
    exemplar: undefined,
  };
  while (reader.next()) {
    if (reader.field === 1) bucket.count = reader.uint();
    else if (reader.field === 2) bucket.bound = reader.double();
    else if (reader.field === 3) bucket.exemplar = readExemplar(reader.message());
    else if (reader.field === 4) bucket.count = reader.double();
    else reader.skipField();
  }
  return bucket;
}
