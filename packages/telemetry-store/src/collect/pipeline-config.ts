import { LabError } from '@kind-e2e/base';
import { parse } from 'yaml';
import { ConfigReader } from '../scrape/config-reader.ts';
import type { PipelineStage } from './pipeline.ts';

/** What stands in a file of stages, by the name of the stage. */
const STAGES: Readonly<Record<string, (reader: ConfigReader) => PipelineStage>> = {
  docker: () => ({ docker: {} }),
  cri: () => ({ cri: {} }),
  json: (reader) => ({
    json: {
      expressions: mapping(reader, 'expressions'),
      ...optional('source', reader.string('source')),
      ...optional('drop_malformed', reader.boolean('drop_malformed')),
    },
  }),
  regex: (reader) => ({
    regex: { expression: required(reader, 'expression'), ...optional('source', reader.string('source')) },
  }),
  timestamp: (reader) => ({
    timestamp: {
      source: required(reader, 'source'),
      format: required(reader, 'format'),
      fallback_formats: reader.strings('fallback_formats'),
      ...optional('location', reader.string('location')),
      ...optional('action_on_failure', actionOf(reader)),
    },
  }),
  labels: (reader) => ({ labels: all(reader) }),
  static_labels: (reader) => ({ static_labels: all(reader) }),
  structured_metadata: (reader) => ({ structured_metadata: all(reader) }),
  output: (reader) => ({ output: { source: required(reader, 'source') } }),
  drop: (reader) => ({
    drop: { expression: required(reader, 'expression'), ...optional('source', reader.string('source')) },
  }),
};

/**
 * Reads a file with `pipeline_stages`, a list of mappings with one stage each, as Promtail and Alloy's converter have
 * them. Throws a LabError that names the field; stages that are not there are refused by name.
 */
export function parsePipelineConfig(yaml: string): readonly PipelineStage[] {
  let value: unknown;
  try {
    value = parse(yaml, { maxAliasCount: 100 });
  } catch (error) {
    throw pipelineError('log pipeline', error instanceof Error ? error.message : String(error));
  }
  const reader = new ConfigReader(value, 'log pipeline', pipelineError);
  const stages = reader.many('pipeline_stages', (item) => {
    const [name = '', ...more] = item.left;
    const read = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
    if (read === undefined || more.length > 0)
      throw pipelineError(
        item.path,
        more.length > 0
          ? `a stage has one name, not ${[name, ...more].join(' and ')}`
          : `there is no stage ${JSON.stringify(name)}; stages are ${Object.keys(STAGES).join(', ')}`,
      );
    // A stage without fields may be written without a value.
    return item.one(name, read) ?? read(new ConfigReader({}, `${item.path}.${name}`, pipelineError));
  });
  reader.done();
  return stages;
}

function actionOf(reader: ConfigReader): 'fudge' | 'skip' | undefined {
  const action = reader.string('action_on_failure');
  if (action === undefined || action === 'fudge' || action === 'skip') return action;
  throw pipelineError(`${reader.path}.action_on_failure`, 'expected skip or fudge');
}

function required(reader: ConfigReader, name: string): string {
  const value = reader.string(name);
  if (value === undefined) throw pipelineError(`${reader.path}.${name}`, 'is required');
  return value;
}

/** All fields of a mapping; those without a value are empty. */
function all(reader: ConfigReader): Record<string, string> {
  return Object.fromEntries(reader.left.map((name) => [name, reader.string(name) ?? '']));
}

function mapping(reader: ConfigReader, name: string): Record<string, string> {
  const found = reader.one(name, all);
  if (found === undefined) throw pipelineError(`${reader.path}.${name}`, 'is required');
  return found;
}

function optional<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: T });
}

function pipelineError(path: string, message: string): LabError {
  return new LabError(`${path}: ${message}`, {
    code: 'LOG_PIPELINE_INVALID',
    side: 'user',
    remedy: 'See "Stages" in docs/guides/collecting.md.',
  });
}
