import { LabError } from '@kind-e2e/base';
import { compileRegex, Labels } from '@kind-e2e/telemetry';
import { parseCri, parseRfc3339Nanos } from './cri.ts';

/**
 * Stages in the spirit of Alloy's `loki.process` (and Promtail's `pipeline_stages`): each may read and change the line,
 * its time, its labels, and the values extracted so far.
 */
export type PipelineStage =
  | { readonly docker: Readonly<Record<string, never>> }
  | { readonly cri: Readonly<Record<string, never>> }
  | { readonly json: { readonly expressions: Readonly<Record<string, string>>; readonly source?: string } }
  | { readonly regex: { readonly expression: string; readonly source?: string } }
  | { readonly timestamp: { readonly source: string; readonly format: string } }
  | { readonly labels: Readonly<Record<string, string>> }
  | { readonly static_labels: Readonly<Record<string, string>> }
  | { readonly structured_metadata: Readonly<Record<string, string>> }
  | { readonly output: { readonly source: string } }
  | { readonly drop: { readonly expression: string; readonly source?: string } };

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
export function createPipeline(stages: readonly PipelineStage[]): Pipeline {
  const steps = stages.map(stepOf);
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

function stepOf(stage: PipelineStage): Step {
  if ('docker' in stage) return docker;
  if ('cri' in stage) return cri;
  if ('json' in stage) return jsonStep(stage.json);
  if ('regex' in stage) return regexStep(stage.regex);
  if ('timestamp' in stage) return timestampStep(stage.timestamp);
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

function docker(work: Work): boolean {
  try {
    const { log, stream, time } = JSON.parse(work.line) as { log?: unknown; stream?: unknown; time?: unknown };
    if (typeof log === 'string') work.line = log.replace(/\r?\n$/, '');
    if (typeof stream === 'string') work.labels = work.labels.with({ stream });
    if (typeof time === 'string') work.timestampNs = parseRfc3339Nanos(time) ?? work.timestampNs;
  } catch {
    // Not Docker's JSON: stays as it is.
  }
  return true;
}

function cri(work: Work): boolean {
  const record = parseCri(work.line);
  if (!record) return true;
  work.line = record.text;
  work.timestampNs = record.timestampNs;
  work.labels = work.labels.with({ stream: record.stream });
  return true;
}

function jsonStep({ expressions, source }: { expressions: Readonly<Record<string, string>>; source?: string }): Step {
  const paths = Object.entries(expressions).map(([name, path]) => [name, (path || name).split('.')] as const);
  return (work) => {
    try {
      const value: unknown = JSON.parse(source === undefined ? work.line : (own(work.extracted, source) ?? ''));
      for (const [name, path] of paths) {
        let found: unknown = value;
        for (const part of path)
          found =
            typeof found === 'object' && found !== null && Object.hasOwn(found, part)
              ? (found as Record<string, unknown>)[part]
              : undefined;
        if (found === undefined || found === null) continue;
        work.extracted[name] = typeof found === 'string' ? found : JSON.stringify(found);
      }
    } catch {
      // No JSON: nothing is extracted.
    }
    return true;
  };
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

const UNIX_SCALE: Readonly<Record<string, bigint>> = {
  Unix: 1_000_000_000n,
  UnixMs: 1_000_000n,
  UnixUs: 1000n,
  UnixNs: 1n,
};

function timestampStep({ source, format }: { source: string; format: string }): Step {
  const scale = UNIX_SCALE[format];
  if (scale === undefined && format !== 'RFC3339' && format !== 'RFC3339Nano')
    throw invalid(
      `timestamp format ${JSON.stringify(format)} is not supported; RFC3339, RFC3339Nano, Unix, UnixMs, UnixUs and UnixNs are`,
    );
  return (work) => {
    const text = own(work.extracted, source);
    if (text === undefined) return true;
    if (scale === undefined) work.timestampNs = parseRfc3339Nanos(text) ?? work.timestampNs;
    else if (/^-?\d{1,19}(\.\d+)?$/.test(text)) {
      const [whole = '0', decimals = ''] = text.split('.');
      const fraction = scale === 1n ? 0n : (BigInt(decimals.padEnd(9, '0').slice(0, 9)) * scale) / 1_000_000_000n;
      work.timestampNs = BigInt(whole) * scale + fraction;
    }
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
