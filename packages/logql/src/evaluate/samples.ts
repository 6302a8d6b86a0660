import { Labels } from '@kind-e2e/telemetry';
import { hintsOf, type SampleGrouping } from '../pipeline/hints.ts';
import { compileLabelFilter, toBytes, toNumber, toSeconds } from '../pipeline/label-filter.ts';
import { ERROR_LABEL, LabelsCache, PRESERVE_ERROR_LABEL } from '../pipeline/line-labels.ts';
import type { Line } from '../pipeline/parsers.ts';
import { compilePipeline, newLine, resetLine, runStages } from '../pipeline/pipeline.ts';
import { ChunkText, scanChunk } from '../pipeline/scan.ts';
import { LogqlError } from '../results.ts';
import type { Grouping, RangeAggregation, Unwrap } from '../syntax/ast.ts';
import { quote } from '../syntax/quoting.ts';
import type { Evaluation } from './evaluation.ts';
import { SampleSeries } from './sample-series.ts';

const EXTRACTION_ERROR = 'SampleExtractionErr';
const PAUSE_EVERY_LINES = 512;
/** How many times the limit of series a query may have before they are aggregated. */
const SERIES_BEFORE_AGGREGATION = 200;

/** What each line counts as. */
type Extractor = (line: Line, byteLength: number) => number | undefined;

/** Reads the samples in (start, end] and gives the series they belong to, unsorted, times counted from `startNs`. */
export async function extractSamples(
  evaluation: Evaluation,
  node: RangeAggregation,
  startNs: bigint,
  endNs: bigint,
  /** Of an aggregation around it: series that it would add up anyway are added up here. */
  outer: Grouping | undefined,
): Promise<readonly SampleSeries[]> {
  const extract = extractorOf(node);
  const grouping = groupingOf(node, outer);
  const hints = hintsOf(node.log.stages, grouping, node.unwrap);
  const pipeline = compilePipeline(node.log.stages, () => evaluation.nowNs(), hints);
  const cache = new LabelsCache();
  const line = newLine();
  line.labels.preservesErrors = hints.preservesErrors;
  const series = new Map<Labels, SampleSeries>();
  const byKey = new Map<string, SampleSeries>();
  const needsText = pipeline.stages.length > 0 || node.unwrap !== undefined;
  const contains = pipeline.filters.flatMap(({ requires }) => (requires === undefined ? [] : [Buffer.from(requires)]));
  const selection = {
    matchers: node.log.matchers,
    startNs: startNs + 1n,
    endNs: endNs + 1n,
    direction: 'forward' as const,
    contains,
  };
  const add = (labels: Labels, time: number, value: number): void => {
    let one = series.get(labels);
    if (one === undefined) {
      one = byKey.get(labels.key);
      if (one === undefined) {
        one = new SampleSeries(labels);
        byKey.set(labels.key, one);
        evaluation.checkSeries(byKey.size / SERIES_BEFORE_AGGREGATION);
      }
      series.set(labels, one);
    }
    one.add(time, value);
  };
  for (const chunk of evaluation.reader.select(selection)) {
    const { timestamps } = chunk;
    const text = new ChunkText(chunk);
    if (needsText && pipeline.filters.every(({ requires }) => requires === undefined)) text.decodeWhole();
    evaluation.lines += timestamps.length;
    evaluation.bytes += chunk.text.length;
    if (!needsText && chunk.structuredMetadata === undefined) {
      line.labels.reset(chunk.labels, Labels.EMPTY);
      const labels = grouping === undefined ? chunk.labels : line.labels.grouped(cache, grouping);
      const countsBytes = node.operation === 'bytes_over_time' || node.operation === 'bytes_rate';
      const timeOf = relativeTimes(timestamps, startNs);
      const range = Number(endNs - startNs);
      scanChunk(chunk, text, pipeline.filters, false, (index) => {
        const time = timeOf(index);
        if (time > 0 && time <= range) add(labels, time, countsBytes ? text.byteLength(index) : 1);
        return true;
      });
      if (evaluation.needsPause) await evaluation.pause();
      continue;
    }
    const matched: number[] = [];
    scanChunk(chunk, text, pipeline.filters, false, (index) => {
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
      add(labels, Number(timestampNs - startNs), value);
    }
    if (evaluation.needsPause) await evaluation.pause();
  }
  return [...byKey.values()];
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
