import { isUtf8 } from 'node:buffer';
import {
  type Exemplar,
  Labels,
  METRIC_NAME,
  type MetricMetadata,
  type MetricType,
  type Sample,
  type SampleBatch,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '@kind-e2e/telemetry';
import { MalformedError } from '../../bytes/byte-reader.ts';
import { ProtobufReader, WIRE_BYTES } from '../../bytes/protobuf.ts';
import { histogramProblem, readPromHistogram } from './histogram.ts';
import { LabelSlots } from './label-slots.ts';
import { addPlainSamples, endOfLabels, GrowingBatch } from './plain-series.ts';

const METADATA_TYPES: readonly MetricType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];
const MAX_CACHED_LABELS = 50_000;

export interface RemoteWrite {
  /** Floats without anything else. Good until the next request is read. */
  readonly batch: SampleBatch;
  /** The rest: histograms, and samples with exemplars. */
  readonly samples: readonly Sample[];
  readonly metadata: readonly { readonly metric: string; readonly metadata: MetricMetadata }[];
  readonly counts: { samples: number; histograms: number; exemplars: number };
  /** Samples that were left out, and why. */
  readonly problems: readonly string[];
  /** Series that were left out because of their labels, and why: version 1 keeps silent of them. */
  readonly invalidLabels: readonly string[];
}

interface Written {
  readonly batch: GrowingBatch;
  readonly samples: Sample[];
  readonly metadata: { metric: string; metadata: MetricMetadata }[];
  readonly counts: { samples: number; histograms: number; exemplars: number };
  readonly problems: string[];
  readonly invalidLabels: string[];
}

/** The labels of a series that can be kept; else why not. */
type LabelsOrProblem = Labels | string;

/** Reads prometheus.WriteRequest (remote write 1) and io.prometheus.write.v2.Request; label sets are remembered. */
export class RemoteWriteReader {
  /** By the bytes of the label fields. A client sends the same ones again and again. */
  readonly #slots = new LabelSlots();
  readonly #labels = new Map<string, LabelsOrProblem>();
  readonly #batch = new GrowingBatch();

  readV1(body: Buffer): RemoteWrite {
    const written = this.#begin();
    const request = new ProtobufReader(body);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    while (request.next()) {
      if (request.field === 1) {
        request.expect(WIRE_BYTES);
        const length = request.varint();
        const from = request.at;
        request.skip(length);
        if (!this.#plainSeriesV1(body, view, from, from + length, written))
          this.#seriesV1(new ProtobufReader(body, from, from + length), written);
      } else if (request.field === 3) written.metadata.push(readMetadataV1(request.message()));
      else request.skipField();
    }
    return written;
  }

  #begin(): Written {
    this.#batch.count = 0;
    return {
      batch: this.#batch,
      samples: [],
      metadata: [],
      counts: { samples: 0, histograms: 0, exemplars: 0 },
      problems: [],
      invalidLabels: [],
    };
  }

  /** Labels and then samples, as nearly every series is; false where it is something else, and nothing is taken. */
  #plainSeriesV1(body: Buffer, view: DataView, from: number, end: number, written: Written): boolean {
    const to = endOfLabels(body, from, end);
    if (to < 0) return false;
    let series = this.#slots.find(view, from, to);
    if (series === undefined) {
      const labels = this.#labelsOf(body, from, to);
      series = typeof labels === 'string' ? labels : { labels };
      this.#slots.add(view, from, to, series);
    }
    if (typeof series === 'string') {
      written.invalidLabels.push(series);
      return true;
    }
    const { batch } = written;
    const before = batch.count;
    if (!addPlainSamples(body, view, to, end, series, batch)) return false;
    written.counts.samples += batch.count - before;
    return true;
  }

  #seriesV1(reader: ProtobufReader, written: Written): void {
    let labels: LabelsOrProblem | undefined;
    const from = reader.at;
    let to = reader.at;
    const first = written.samples.length;
    const exemplars: Exemplar[] = [];
    while (reader.next()) {
      if (reader.field === 1) {
        reader.message();
        to = reader.at;
        continue;
      }
      labels ??= this.#labelsOf(reader.buffer, from, to);
      if (typeof labels === 'string') {
        written.invalidLabels.push(labels);
        return;
      }
      if (reader.field === 2) written.samples.push(readSample(reader.message(), labels));
      else if (reader.field === 3) exemplars.push(readExemplarV1(reader.message()));
      else if (reader.field === 4) {
        const { histogram, timestampMs, isFloat } = readPromHistogram(reader.message());
        const problem = histogramProblem(histogram, isFloat);
        if (problem) written.problems.push(problem);
        else written.samples.push({ labels, timestampMs, value: 0, histogram });
      } else reader.skipField();
    }
    finishSeries(written, first, exemplars);
  }

  /** Label fields stand together, before the samples, in what every client writes; if not, they are still all read. */
  #labelsOf(bytes: Buffer, from: number, to: number): LabelsOrProblem {
    const pairs: [string, string][] = [];
    const reader = new ProtobufReader(bytes, from, to);
    while (reader.next()) {
      if (reader.field === 1) pairs.push(readPair(reader.message()));
      else reader.skipField();
    }
    return labelsOrProblem(pairs);
  }

  #remember(key: string, pairs: readonly [string, string][]): LabelsOrProblem {
    const known = labelsOrProblem(pairs);
    if (this.#labels.size >= MAX_CACHED_LABELS) this.#labels.clear();
    this.#labels.set(key, known);
    return known;
  }

  readV2(body: Buffer): RemoteWrite {
    const written = this.#begin();
    const symbols: string[] = [];
    const look = new ProtobufReader(body);
    while (look.next()) {
      if (look.field === 4) symbols.push(utf8(look.blob()));
      else look.skipField();
    }
    const request = new ProtobufReader(body);
    while (request.next()) {
      if (request.field === 5) this.#seriesV2(request.message(), symbols, written);
      else request.skipField();
    }
    return written;
  }

  #seriesV2(reader: ProtobufReader, symbols: readonly string[], written: Written): void {
    const refs: number[] = [];
    const look = new ProtobufReader(reader.buffer, reader.at, reader.end);
    while (look.next()) {
      if (look.field === 1) look.uints(refs);
      else look.skipField();
    }
    const pairs = pairsOf(refs, symbols);
    const key = pairs.flat().join('\0');
    const labels = this.#labels.get(key) ?? this.#remember(key, pairs);
    if (typeof labels === 'string') {
      written.invalidLabels.push(labels);
      return;
    }
    const first = written.samples.length;
    const exemplars: Exemplar[] = [];
    while (reader.next()) {
      if (reader.field === 2) written.samples.push(readSample(reader.message(), labels));
      else if (reader.field === 3) {
        const { histogram, timestampMs, isFloat } = readPromHistogram(reader.message());
        const problem = histogramProblem(histogram, isFloat);
        if (problem) written.problems.push(problem);
        else written.samples.push({ labels, timestampMs, value: 0, histogram });
      } else if (reader.field === 4) exemplars.push(readExemplarV2(reader.message(), symbols));
      else if (reader.field === 5) {
        const metadata = readMetadataV2(reader.message(), symbols);
        written.metadata.push({ metric: familyOf(labels.get('__name__'), metadata.type), metadata });
      } else reader.skipField();
    }
    finishSeries(written, first, exemplars);
  }
}

/** storage/remote/write_handler.go, with its words. */
function labelsOrProblem(pairs: readonly [string, string][]): LabelsOrProblem {
  const shown = `{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
  const isValid = pairs.every(([name, value]) => name !== '' && name.isWellFormed() && value.isWellFormed());
  const labels = Labels.from(pairs);
  if (!isValid || !labels.has(METRIC_NAME)) return `invalid metric name or labels, got ${shown}`;
  const names = new Set<string>();
  for (const [name] of pairs) {
    if (names.has(name)) return `invalid labels for series, labels ${shown}, duplicated label ${name}`;
    names.add(name);
  }
  return labels;
}

/** Exemplars hang on samples of their series; where a request has more of them than samples, the rest ride on repeats. */
function finishSeries(written: Written, first: number, exemplars: readonly Exemplar[]): void {
  const { samples, counts } = written;
  const end = samples.length;
  for (let i = first; i < end; i++) {
    if (samples[i]?.histogram) counts.histograms++;
    else counts.samples++;
  }
  counts.exemplars += exemplars.length;
  const last = samples[end - 1];
  if (!last || end === first) return;
  exemplars.forEach((exemplar, i) => {
    const at = end - exemplars.length + i;
    const sample = at >= first ? samples[at] : undefined;
    if (sample) samples[at] = { ...sample, exemplar };
    // A repeat of a sample is taken once; only its exemplar is new.
    else samples.push({ ...last, exemplar });
  });
}

function readSample(reader: ProtobufReader, labels: Labels): Sample {
  let value = 0;
  let timestampMs = 0;
  let stale = false;
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(1);
      const { at } = reader;
      value = reader.f64();
      stale =
        Number.isNaN(value) &&
        reader.buffer.readUInt32LE(at) === STALE_NAN_LOW &&
        reader.buffer.readUInt32LE(at + 4) === STALE_NAN_HIGH;
    } else if (reader.field === 2) timestampMs = reader.int();
    else reader.skipField();
  }
  return stale ? { labels, timestampMs, value, stale } : { labels, timestampMs, value };
}

/** What is no UTF-8 becomes a string that is not well formed, so that it is found out. */
function utf8(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : `\udc80${bytes.toString('latin1')}`;
}

function readPair(reader: ProtobufReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = utf8(reader.blob());
    else if (reader.field === 2) value = utf8(reader.blob());
    else reader.skipField();
  }
  return [name, value];
}

function pairsOf(refs: readonly number[], symbols: readonly string[]): [string, string][] {
  if (refs.length % 2 !== 0) throw new MalformedError('a series has an odd number of label references');
  const pairs: [string, string][] = [];
  for (let i = 0; i < refs.length; i += 2)
    pairs.push([symbol(symbols, refs[i] ?? 0), symbol(symbols, refs[i + 1] ?? 0)]);
  return pairs;
}

function symbol(symbols: readonly string[], ref: number): string {
  const text = symbols[ref];
  if (text === undefined) throw new MalformedError(`symbol ${ref} is not in the table of ${symbols.length}`);
  return text;
}

function readExemplarV1(reader: ProtobufReader): Exemplar {
  const pairs: [string, string][] = [];
  let value = 0;
  let timestampMs = 0;
  while (reader.next()) {
    if (reader.field === 1) pairs.push(readPair(reader.message()));
    else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) timestampMs = reader.int();
    else reader.skipField();
  }
  return { labels: Labels.from(pairs), value, timestampMs };
}

function readExemplarV2(reader: ProtobufReader, symbols: readonly string[]): Exemplar {
  const refs: number[] = [];
  let value = 0;
  let timestampMs = 0;
  while (reader.next()) {
    if (reader.field === 1) reader.uints(refs);
    else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) timestampMs = reader.int();
    else reader.skipField();
  }
  return { labels: Labels.from(pairsOf(refs, symbols)), value, timestampMs };
}

function readMetadataV1(reader: ProtobufReader): { metric: string; metadata: MetricMetadata } {
  let metric = '';
  let type: MetricType = 'unknown';
  let help = '';
  let unit = '';
  while (reader.next()) {
    if (reader.field === 1) type = METADATA_TYPES[reader.uint()] ?? 'unknown';
    else if (reader.field === 2) metric = reader.text();
    else if (reader.field === 4) help = reader.text();
    else if (reader.field === 5) unit = reader.text();
    else reader.skipField();
  }
  return { metric, metadata: { type, help, unit } };
}

function readMetadataV2(reader: ProtobufReader, symbols: readonly string[]): MetricMetadata {
  let type: MetricType = 'unknown';
  let help = '';
  let unit = '';
  while (reader.next()) {
    if (reader.field === 1) type = METADATA_TYPES[reader.uint()] ?? 'unknown';
    else if (reader.field === 3) help = symbol(symbols, reader.uint());
    else if (reader.field === 4) unit = symbol(symbols, reader.uint());
    else reader.skipField();
  }
  return { type, help, unit };
}

/** The family of a classic histogram's or summary's series. */
function familyOf(name: string, type: MetricType): string {
  if (type !== 'histogram' && type !== 'gaugehistogram' && type !== 'summary') return name;
  return name.replace(/_(bucket|sum|count)$/, '');
}
