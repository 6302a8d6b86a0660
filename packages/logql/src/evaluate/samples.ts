import { Labels, type PackedLines, quote } from '@kind-e2e/telemetry';
import { hintsOf, type SampleGrouping } from '../pipeline/hints.ts';
import { compileLabelFilter, toBytes, toNumber, toSeconds } from '../pipeline/label-filter.ts';
import { ERROR_LABEL, LabelsCache, PRESERVE_ERROR_LABEL } from '../pipeline/line-labels.ts';
import { marksOf, type PackedMatches, searchPacked } from '../pipeline/packed-search.ts';
import type { Line } from '../pipeline/parsers.ts';
import { compilePipeline, newLine, resetLine, runStages } from '../pipeline/pipeline.ts';
import { ChunkText, scanChunk } from '../pipeline/scan.ts';
import { LogqlError } from '../results.ts';
import type { Grouping, RangeAggregation, Unwrap } from '../syntax/ast.ts';
import type { Evaluation } from './evaluation.ts';

const EXTRACTION_ERROR = 'SampleExtractionErr';
const PAUSE_EVERY_LINES = 512;
/** How many times the limit of series a query may have before they are aggregated. */
const SERIES_BEFORE_AGGREGATION = 200;
/** And how many values at all steps, for each series that it may have. */
const VALUES_BEFORE_AGGREGATION = 16_000;

/** What each line counts as. */
type Extractor = (line: Line, byteLength: number) => number | undefined;

/** What takes the samples of one series; times are nanoseconds after the start of the first window. */
export interface SampleSink {
  readonly labels: Labels;
  add(time: number, value: number): void;
  /** Adds many samples at once; false where they must come one by one. */
  addAll?(first: number, last: number, count: number, value: number): boolean;
}

/** Series by their labels. */
class SeriesMap<S extends SampleSink> {
  readonly #evaluation: Evaluation;
  readonly #make: (labels: Labels) => S;
  readonly #steps: number;
  readonly #known = new Map<Labels, S>();
  readonly byKey = new Map<string, S>();

  constructor(evaluation: Evaluation, make: (labels: Labels) => S, steps: number) {
    this.#evaluation = evaluation;
    this.#make = make;
    this.#steps = steps;
  }

  of(labels: Labels): S {
    let one = this.#known.get(labels);
    if (one === undefined) {
      one = this.byKey.get(labels.key);
      if (one === undefined) {
        one = this.#make(labels);
        this.byKey.set(labels.key, one);
        this.#evaluation.checkSeries(this.byKey.size / SERIES_BEFORE_AGGREGATION);
        this.#evaluation.checkSeries((this.byKey.size * this.#steps) / VALUES_BEFORE_AGGREGATION);
      }
      this.#known.set(labels, one);
    }
    return one;
  }
}

export interface SamplesQuery<S> {
  /** The samples in (start, end] are wanted. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly steps: number;
  /** Of an aggregation around it: series that it would add up anyway are added up here. */
  readonly outer: Grouping | undefined;
  readonly makeSeries: (labels: Labels) => S;
}

/** Reads samples and gives the series they belong to. */
export async function extractSamples<S extends SampleSink>(
  evaluation: Evaluation,
  node: RangeAggregation,
  { startNs, endNs, steps, outer, makeSeries }: SamplesQuery<S>,
): Promise<readonly S[]> {
  const extract = extractorOf(node);
  const grouping = groupingOf(node, outer);
  const hints = hintsOf(node.log.stages, grouping, node.unwrap);
  const pipeline = compilePipeline(node.log.stages, () => evaluation.nowNs(), hints);
  const cache = new LabelsCache();
  const line = newLine();
  line.labels.preservesErrors = hints.preservesErrors;
  const series = new SeriesMap(evaluation, makeSeries, steps);
  const needsText = pipeline.stages.length > 0 || node.unwrap !== undefined;
  const countsBytes = node.operation === 'bytes_over_time' || node.operation === 'bytes_rate';
  const selection = {
    matchers: node.log.matchers,
    startNs: startNs + 1n,
    endNs: endNs + 1n,
    direction: 'forward' as const,
    contains: pipeline.filters.flatMap(({ requires }) => (requires === undefined ? [] : [Buffer.from(requires)])),
  };
  const range = Number(endNs - startNs);
  for (const whole of evaluation.reader.select(selection)) {
    let chunk = whole;
    let { filters } = pipeline;
    const { packed } = whole;
    if (packed) {
      evaluation.lines += packed.count;
      evaluation.bytes += packed.textBytes;
      const matches = searchPacked(packed, filters);
      const countsOnly =
        !needsText && matches.rest.length === 0 && (!packed.hasMetadata || grouping?.labels.size === 0);
      if (matches.count === 0) {
        if (evaluation.needsPause) await evaluation.pause();
        continue;
      }
      if (countsOnly && (!countsBytes || matches.marks === undefined)) {
        line.labels.reset(whole.labels, Labels.EMPTY);
        const one = series.of(grouping === undefined ? whole.labels : line.labels.grouped(cache, grouping));
        if (!countPacked(one, packed, matches, countsBytes, startNs)) chunk = packed.take(marksOf(matches, packed));
        else {
          if (evaluation.needsPause) await evaluation.pause();
          continue;
        }
      } else if (matches.marks !== undefined) chunk = packed.take(marksOf(matches, packed));
      filters = matches.rest;
    }
    const { timestamps } = chunk;
    const text = new ChunkText(chunk);
    if (needsText && filters.every(({ requires }) => requires === undefined)) text.decodeMany();
    if (!packed) {
      evaluation.lines += timestamps.length;
      evaluation.bytes += chunk.text.length;
    }
    if (!needsText && (chunk.structuredMetadata === undefined || grouping?.labels.size === 0)) {
      line.labels.reset(chunk.labels, Labels.EMPTY);
      const labels = grouping === undefined ? chunk.labels : line.labels.grouped(cache, grouping);
      const timeOf = relativeTimes(timestamps, startNs);
      scanChunk(chunk, text, filters, false, (index) => {
        const time = timeOf(index);
        if (time > 0 && time <= range) series.of(labels).add(time, countsBytes ? text.byteLength(index) : 1);
        return true;
      });
      if (evaluation.needsPause) await evaluation.pause();
      continue;
    }
    const matched: number[] = [];
    scanChunk(chunk, text, filters, false, (index) => {
      const timestampNs = timestamps[index] ?? 0n;
      if (timestampNs > startNs && timestampNs <= endNs) matched.push(index);
      return true;
    });
    let untilPause = PAUSE_EVERY_LINES;
    for (const index of matched) {
      if (--untilPause === 0) {
        untilPause = PAUSE_EVERY_LINES;
        if (evaluation.needsPause) await evaluation.pause();
      }
      const timestampNs = timestamps[index] ?? 0n;
      const metadata = chunk.structuredMetadata?.[index] ?? Labels.EMPTY;
      const byteLength = text.byteLength(index);
      resetLine(line, needsText ? text.line(index) : '', timestampNs, chunk.labels, metadata);
      const before = line.text;
      if (!runStages(pipeline.stages, line)) continue;
      const value = extract(line, line.text === before ? byteLength : Buffer.byteLength(line.text));
      if (value === undefined) continue;
      const labels = grouping === undefined ? line.labels.result(cache) : line.labels.grouped(cache, grouping);
      series.of(labels).add(Number(timestampNs - startNs), value);
    }
    if (evaluation.needsPause) await evaluation.pause();
  }
  return [...series.byKey.values()];
}

/** Counts the lines that match by their times alone; false where that is not enough. */
function countPacked(
  series: SampleSink,
  packed: PackedLines,
  matches: PackedMatches,
  countsBytes: boolean,
  startNs: bigint,
): boolean {
  const bytes = countsBytes ? packed.textBytes : matches.count;
  const first = Number(packed.minNs - startNs);
  const last = Number(packed.maxNs - startNs);
  if (series.addAll?.(first, last, matches.count, bytes)) return true;
  if (countsBytes) return false;
  const timestamps = packed.times();
  const timeOf = relativeTimes(timestamps, startNs);
  const marks = matches.marks?.();
  for (let i = 0; i < timestamps.length; i++) if (marks === undefined || marks[i] === 1) series.add(timeOf(i), 1);
  return true;
}

/** Nanoseconds after a base without a BigInt for each: times are read as two words. Exact for hundred days. */
function relativeTimes(timestamps: BigInt64Array, baseNs: bigint): (index: number) => number {
  const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
  const low = Number(BigInt.asUintN(32, baseNs));
  const high = Number(baseNs >> 32n);
  return (index) => ((words[index * 2 + 1] ?? 0) - high) * 4_294_967_296 + (((words[index * 2] ?? 0) >>> 0) - low);
}

/** Errors are not allowed in samples unless the query asks for them (pkg/logql/evaluator.go, RangeVectorEvaluator). */
export function pipelineErrorOf(labels: Labels): LogqlError | undefined {
  if (!labels.has(ERROR_LABEL) || labels.get(PRESERVE_ERROR_LABEL) === 'true') return undefined;

  const error = labels.get(ERROR_LABEL);
  const text = `{${[...labels].map(([name, value]) => `${name}=${quote(value)}`).join(', ')}}`;
  return new LogqlError(
    'bad_request',
    `pipeline error: '${error}' for series: '${text}'.\nUse a label filter to intentionally skip this error. (e.g | __error__!="${error}").\nTo skip all potential errors you can match empty errors.(e.g __error__="")\nThe label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n`,
  );
}

function groupingOf(node: RangeAggregation, outer: Grouping | undefined): SampleGrouping | undefined {
  if (node.operation === 'absent_over_time') return { without: false, labels: new Set() };
  const given = node.grouping ?? outer;
  if (given === undefined) return node.unwrap && { without: true, labels: new Set([node.unwrap.label]) };
  const { without, labels } = given;
  return { without, labels: new Set(without && node.unwrap !== undefined ? [...labels, node.unwrap.label] : labels) };
}

function extractorOf(node: RangeAggregation): Extractor {
  if (node.unwrap !== undefined) return unwrapExtractor(node.unwrap);
  if (node.operation === 'bytes_over_time' || node.operation === 'bytes_rate') return (_line, byteLength) => byteLength;
  return () => 1;
}

function unwrapExtractor(unwrap: Unwrap): Extractor {
  const filters = unwrap.filters.map(compileLabelFilter);
  const convert = unwrap.conversion === undefined ? toNumber : unwrap.conversion === 'bytes' ? toBytes : toSeconds;
  return ({ labels }) => {
    const text = labels.get(unwrap.label);
    if (text === '') return undefined;
    let value = convert(text);
    if (typeof value === 'string') {
      labels.setError(EXTRACTION_ERROR, value);
      value = 0;
    }
    return filters.every((filter) => filter(labels)) ? value : undefined;
  };
}
