import { type Clock, LabError, systemClock } from '@kind-e2e/base';
import { compileRegex, Labels } from '@kind-e2e/telemetry';
import { parseJsonPath, textAt } from './json-path.ts';
import { createTimestamps, type TimestampStage, timestampProblem } from './timestamp-stage.ts';

/**
 * Stages in the spirit of Alloy's `loki.process` (and Promtail's `pipeline_stages`): each may read and change the line,
 * its time, its labels, and the values extracted so far.
 */
export type PipelineStage =
  | { readonly docker: Readonly<Record<string, never>> }
  | { readonly cri: Readonly<Record<string, never>> }
  | { readonly json: JsonStage }
  | { readonly regex: { readonly expression: string; readonly source?: string } }
  | { readonly timestamp: TimestampStage }
  | { readonly labels: Readonly<Record<string, string>> }
  | { readonly static_labels: Readonly<Record<string, string>> }
  | { readonly structured_metadata: Readonly<Record<string, string>> }
  | { readonly output: { readonly source: string } }
  | { readonly drop: { readonly expression: string; readonly source?: string } };

export interface JsonStage {
  /** Names of extracted values, and where in the JSON they are; an empty path is the name itself. */
  readonly expressions: Readonly<Record<string, string>>;
  /** The extracted value that is JSON; default: the line. */
  readonly source?: string;
  /** Whether a line that is no JSON is dropped. Default: it stays as it is. */
  readonly drop_malformed?: boolean;
}

export interface PipelineEntry {
  readonly labels: Labels;
  readonly timestampNs: bigint;
  readonly line: string;
  readonly structuredMetadata?: Labels;
}

interface Work {
  labels: Labels;
  timestampNs: bigint;
  line: string;
  metadata: Labels;
  readonly extracted: Record<string, string>;
}

type Step = (work: Work) => boolean;

/** Gives undefined for an entry that a stage drops. */
export type Pipeline = (entry: PipelineEntry) => PipelineEntry | undefined;

/** Throws a LabError where a stage makes no sense. */
export function createPipeline(stages: readonly PipelineStage[], clock: Clock = systemClock): Pipeline {
  const steps = stages.flatMap((stage) => stepsOf(stage, clock));
  return (entry) => {
    const work: Work = {
      labels: entry.labels,
      timestampNs: entry.timestampNs,
      line: entry.line,
      metadata: entry.structuredMetadata ?? Labels.EMPTY,
      extracted: {},
    };
    for (const step of steps) if (!step(work)) return undefined;
    const { labels, timestampNs, line, metadata } = work;
    return { labels, timestampNs, line, ...(metadata.size > 0 && { structuredMetadata: metadata }) };
  };
}

/** Formats of container runtimes are stages of which they are made up, so that what these extract is there too. */
const DOCKER: readonly PipelineStage[] = [
  { json: { expressions: { output: 'log', stream: 'stream', timestamp: 'time' } } },
  { labels: { stream: '' } },
  { timestamp: { source: 'timestamp', format: 'RFC3339Nano' } },
  { output: { source: 'output' } },
];
const CRI: readonly PipelineStage[] = [
  { regex: { expression: '^(?s)(?P<time>\\S+?) (?P<stream>stdout|stderr) (?P<flags>\\S+?) (?P<content>.*)$' } },
  { labels: { stream: '' } },
  { timestamp: { source: 'time', format: 'RFC3339Nano' } },
  { output: { source: 'content' } },
];

function stepsOf(stage: PipelineStage, clock: Clock): Step[] {
  if ('docker' in stage) return [...DOCKER.flatMap((part) => stepsOf(part, clock)), withoutLineEnd];
  if ('cri' in stage) return CRI.flatMap((part) => stepsOf(part, clock));
  return [stepOf(stage, clock)];
}

/** Docker keeps the end of a line in the line. */
function withoutLineEnd(work: Work): boolean {
  work.line = work.line.replace(/\r?\n$/, '');
  return true;
}

function stepOf(stage: PipelineStage, clock: Clock): Step {
  if ('json' in stage) return jsonStep(stage.json);
  if ('regex' in stage) return regexStep(stage.regex);
  if ('timestamp' in stage) return timestampStep(stage.timestamp, clock);
  if ('labels' in stage)
    return (work) => {
      work.labels = work.labels.with(pick(stage.labels, work.extracted));
      return true;
    };
  if ('static_labels' in stage)
    return (work) => {
      work.labels = work.labels.with(stage.static_labels);
      return true;
    };
  if ('structured_metadata' in stage)
    return (work) => {
      work.metadata = work.metadata.with(pick(stage.structured_metadata, work.extracted));
      return true;
    };
  if ('output' in stage)
    return (work) => {
      work.line = own(work.extracted, stage.output.source) ?? work.line;
      return true;
    };
  if ('drop' in stage) {
    const regex = compile(stage.drop.expression);
    const { source } = stage.drop;
    return (work) => !regex.test(source === undefined ? work.line : (own(work.extracted, source) ?? ''));
  }
  throw invalid(`unknown stage ${JSON.stringify(Object.keys(stage)[0])}`);
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Label names with the extracted values; an empty source means the value of the same name. */
function pick(
  wanted: Readonly<Record<string, string>>,
  extracted: Readonly<Record<string, string>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, source] of Object.entries(wanted)) {
    const value = own(extracted, source || name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function jsonStep({ expressions, source, drop_malformed: dropsMalformed = false }: JsonStage): Step {
  const paths = Object.entries(expressions).map(([name, text]) => {
    const path = text === '' ? [name] : parseJsonPath(text);
    if (!path) throw invalid(`json expression ${JSON.stringify(text)} is more than names and indexes`);
    return [name, path] as const;
  });
  return (work) => {
    const text = source === undefined ? work.line : own(work.extracted, source);
    if (text === undefined) return true;
    const value = parseObject(text);
    if (value === undefined) return !dropsMalformed;
    for (const [name, path] of paths) {
      const found = textAt(value, path);
      if (found !== undefined) work.extracted[name] = found;
    }
    return true;
  };
}

/** Undefined where the text is no JSON object. */
function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function regexStep({ expression, source }: { expression: string; source?: string }): Step {
  const regex = compile(expression);
  if (!regex.groupNames.some((name) => name !== undefined))
    throw invalid(`regex ${JSON.stringify(expression)} has no named group`);
  return (work) => {
    const match = regex.find(source === undefined ? work.line : (own(work.extracted, source) ?? ''));
    if (!match) return true;
    regex.groupNames.forEach((name, i) => {
      const value = match.groups[i + 1];
      if (name !== undefined && value !== undefined) work.extracted[name] = value;
    });
    return true;
  };
}

function timestampStep(stage: TimestampStage, clock: Clock): Step {
  const problem = timestampProblem(stage);
  if (problem !== undefined) throw invalid(problem);
  const timeOf = createTimestamps(stage, clock);
  return (work) => {
    work.timestampNs = timeOf(own(work.extracted, stage.source), work.labels) ?? work.timestampNs;
    return true;
  };
}

function compile(expression: string): ReturnType<typeof compileRegex> {
  try {
    return compileRegex(expression);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function invalid(message: string): LabError {
  return new LabError(`log pipeline: ${message}`, { code: 'LOG_PIPELINE_INVALID', side: 'user' });
}
