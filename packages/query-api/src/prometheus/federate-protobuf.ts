import { type Labels, METRIC_NAME, type NativeHistogram } from '@kind-e2e/telemetry';

/** One sample that is federated. */
export interface FederatedSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram: NativeHistogram | undefined;
}

const UNTYPED = 3;
const HISTOGRAM = 4;
const GAUGE_HISTOGRAM = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

const integer = (field: number, value: number): Buffer => Buffer.from([...varint(field * 8), ...varint(value)]);

const signed = (field: number, value: number): Buffer => integer(field, value < 0 ? -2 * value - 1 : 2 * value);

function message(field: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
}

const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = field * 8 + 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function histogramOf(h: NativeHistogram): Buffer {
  const spans = (field: number, all: NativeHistogram['positiveSpans']): Buffer[] =>
    all.map(({ offset, length }) => message(field, signed(1, offset), integer(2, length)));
  const counts = (field: number, all: readonly number[]): Buffer[] => all.map((count) => double(field, count));
  return message(
    7,
    double(2, h.sum),
    double(4, h.count),
    signed(5, h.schema),
    double(6, h.zeroThreshold),
    double(8, h.zeroCount),
    ...spans(9, h.negativeSpans),
    ...counts(11, h.negativeBuckets),
    ...spans(12, h.positiveSpans),
    ...counts(14, h.positiveBuckets),
  );
}

/**
 * Metric families of `io.prometheus.client`, each after its length. A name has a family of its own for each type that it
 * changes to (web/federate.go).
 */
export function encodeFamilies(samples: readonly FederatedSample[], nameOf: (name: string) => string): Buffer {
  const families: { name: string; type: number; metrics: Buffer[] }[] = [];
  for (const { labels, timestampMs, value, histogram } of samples) {
    const name = nameOf(labels.get(METRIC_NAME));
    const gauge = histogram?.counterResetHint === 'gauge';
    const type = histogram === undefined ? UNTYPED : gauge ? GAUGE_HISTOGRAM : HISTOGRAM;
    let family = families.at(-1);
    if (family?.name !== name || family.type !== type) {
      family = { name, type, metrics: [] };
      families.push(family);
    }
    const pairs = [...labels].filter(([label]) => label !== METRIC_NAME);
    if (!labels.has('instance')) pairs.push(['instance', '']);
    family.metrics.push(
      message(
        4,
        ...pairs.map(([label, content]) => message(1, text(1, nameOf(label)), text(2, content))),
        ...(histogram === undefined ? [message(5, double(1, value))] : []),
        integer(6, timestampMs),
        ...(histogram === undefined ? [] : [histogramOf(histogram)]),
      ),
    );
  }
  return Buffer.concat(
    families.flatMap(({ name, type, metrics }) => {
      const body = Buffer.concat([text(1, name), integer(3, type), ...metrics]);
      return [Buffer.from(varint(body.length)), body];
    }),
  );
}
