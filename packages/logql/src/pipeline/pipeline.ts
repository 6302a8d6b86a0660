import type { Labels } from '@kind-e2e/telemetry';
import { compileRegex } from '@kind-e2e/telemetry';
import type { LabelChoice, LabelFormat, Stage } from '../syntax/ast.ts';
import { LogqlSyntaxError } from '../syntax/errors.ts';
import { stageText } from '../syntax/format.ts';
import { type FunctionContext, GoTemplate } from '../template/execute.ts';
import { TemplateError } from '../template/values.ts';
import { earlyFiltersOf, type Hints, NO_HINTS } from './hints.ts';
import { compileLabelFilter } from './label-filter.ts';
import { type CompiledLineFilter, compileLineFilter } from './line-filter.ts';
import { ERROR_DETAILS_LABEL, ERROR_LABEL, LineLabels, PRESERVE_ERROR_LABEL } from './line-labels.ts';
import {
  jsonExpressionsStage,
  jsonStage,
  type Line,
  type LineStage,
  logfmtExpressionsStage,
  logfmtStage,
  patternStage,
  regexpStage,
  unpackStage,
} from './parsers.ts';

const SPECIAL_LABELS: readonly string[] = [ERROR_LABEL, ERROR_DETAILS_LABEL, PRESERVE_ERROR_LABEL];
const TEMPLATE_ERROR = 'TemplateFormatErr';
const ANSI =
  '[\u001B\u009B][[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u0007)|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))';

/** What these do is not needed where no label is. */
const IDLE_WITHOUT_LABELS: readonly Stage['kind'][] = ['json', 'logfmt', 'pattern', 'unpack'];

/** A pipeline ready to run: line filters that work on bytes first, then the stages in order. */
export interface CompiledPipeline {
  readonly filters: readonly CompiledLineFilter[];
  readonly stages: readonly LineStage[];
}

/** Throws LogqlSyntaxError with Loki's text where a stage is malformed. */
export function compilePipeline(stages: readonly Stage[], nowNs: () => bigint, hints = NO_HINTS): CompiledPipeline {
  const filters: CompiledLineFilter[] = [];
  const rest: LineStage[] = [];
  for (const [i, stage] of stages.entries()) {
    try {
      if (hints.wanted?.size === 0 && IDLE_WITHOUT_LABELS.includes(stage.kind)) continue;
      if (stage.kind === 'line-filter' && rest.length === 0) filters.push(compileLineFilter(stage));
      else rest.push(compileStage(stage, nowNs, hints, stages.slice(i + 1)));
    } catch (error) {
      if (error instanceof LogqlSyntaxError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new LogqlSyntaxError(`stage '${stageText(stage)}' : ${reason}`);
    }
  }
  return { filters, stages: rest };
}

/** Runs the stages on a line; false where it is left out. */
export function runStages(stages: readonly LineStage[], line: Line): boolean {
  for (const stage of stages) if (!stage(line)) return false;
  return true;
}

export function newLine(): Line {
  return { text: '', timestampNs: 0n, labels: new LineLabels() };
}

export function resetLine(line: Line, text: string, timestampNs: bigint, stream: Labels, metadata: Labels): void {
  line.text = text;
  line.timestampNs = timestampNs;
  line.labels.reset(stream, metadata);
}

function compileStage(stage: Stage, nowNs: () => bigint, hints: Hints, following: readonly Stage[]): LineStage {
  switch (stage.kind) {
    case 'line-filter': {
      const { test } = compileLineFilter(stage);
      return (line) => test(line.text);
    }
    case 'label-filter': {
      const condition = compileLabelFilter(stage.filter);
      return (line) => condition(line.labels);
    }
    case 'json':
      return stage.expressions.length > 0
        ? jsonExpressionsStage(stage.expressions)
        : jsonStage(hints.wanted, refusalOf(hints, following));
    case 'logfmt':
      return stage.expressions.length > 0
        ? logfmtExpressionsStage(stage.expressions, stage.strict, hints.wanted)
        : logfmtStage(stage.strict, stage.keepEmpty, hints.wanted);
    case 'regexp':
      return regexpStage(stage.expression, hints.wanted);
    case 'pattern':
      return patternStage(stage.expression, hints.wanted);
    case 'unpack':
      return unpackStage(hints.wanted);
    case 'decolorize': {
      const ansi = compileRegex(ANSI);
      return (line) => {
        if (line.text.includes('\u001b') || line.text.includes('\u009b'))
          line.text = ansi.replaceAll(line.text, () => '');
        return true;
      };
    }
    case 'line-format':
      return lineFormatStage(stage.template, nowNs);
    case 'label-format':
      return labelFormatStage(stage.formats, nowNs);
    case 'drop':
      return dropStage(stage.choices);
    case 'keep':
      return keepStage(stage.choices);
  }
}

/** Whether a filter behind the parser refuses what the parser has found; undefined where none does so early. */
function refusalOf(hints: Hints, following: readonly Stage[]): ((labels: LineLabels) => boolean) | undefined {
  if (!hints.filtersEarly) return undefined;
  const filters = [...earlyFiltersOf(following)].map(([name, filter]) => [name, compileLabelFilter(filter)] as const);
  if (filters.length === 0) return undefined;
  return (labels) => filters.some(([name, passes]) => labels.parsed.has(name) && !passes(labels));
}

function contextOf(line: Line, nowNs: () => bigint): FunctionContext {
  return { line: line.text, timestampNs: line.timestampNs, nowNs };
}

function lineFormatStage(source: string, nowNs: () => bigint): LineStage {
  let template: GoTemplate;
  try {
    template = new GoTemplate(source, 'line');
  } catch (error) {
    throw new Error(`invalid line template: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { simpleField } = template;
  if (simpleField !== undefined)
    return (line) => {
      line.text = line.labels.get(simpleField);
      return true;
    };
  return (line) => {
    try {
      line.text = template.execute(line.labels.entries(), contextOf(line, nowNs));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      line.labels.setError(TEMPLATE_ERROR, error.message);
    }
    return true;
  };
}

function labelFormatStage(formats: readonly LabelFormat[], nowNs: () => bigint): LineStage {
  const seen = new Set<string>();
  const compiled = formats.map(({ label, value, rename }) => {
    if (label === ERROR_LABEL) throw new Error(`${label} cannot be formatted`);
    if (seen.has(label)) throw new Error(`multiple label name '${label}' not allowed in a single format operation`);
    seen.add(label);
    try {
      return { label, value, template: rename ? undefined : new GoTemplate(value, 'label') };
    } catch (error) {
      throw new Error(
        `invalid template for label '${label}': ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  });
  return (line) => {
    const { labels } = line;
    let data: ReadonlyMap<string, string> | undefined;
    for (const { label, value, template } of compiled) {
      if (template === undefined) {
        if (labels.has(value)) {
          const given = labels.get(value);
          labels.set(label, given);
          labels.delete(value);
        }
        continue;
      }
      data ??= labels.entries();
      try {
        labels.set(label, template.execute(data, contextOf(line, nowNs)));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        labels.setError(TEMPLATE_ERROR, error.message);
      }
    }
    return true;
  };
}

function dropStage(choices: readonly LabelChoice[]): LineStage {
  return ({ labels }) => {
    for (const { name, matcher } of choices) {
      const value =
        name === ERROR_LABEL ? labels.error : name === ERROR_DETAILS_LABEL ? labels.errorDetails : labels.get(name);
      if (matcher?.matches(value) ?? true) labels.delete(name);
    }
    return true;
  };
}

function keepStage(choices: readonly LabelChoice[]): LineStage {
  return ({ labels }) => {
    for (const [name, value] of labels.entries()) {
      if (SPECIAL_LABELS.includes(name)) continue;
      const kept = choices.some((choice) => choice.name === name && (choice.matcher?.matches(value) ?? true));
      if (!kept) labels.delete(name);
    }
    return true;
  };
}
