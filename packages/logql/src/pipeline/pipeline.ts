import type { Labels } from '@kind-e2e/telemetry';
import { compileRegex } from '@kind-e2e/telemetry';
import type { LabelChoice, LabelFormat, LineFilter, Stage } from '../syntax/ast.ts';
import { LogqlSyntaxError } from '../syntax/errors.ts';
import { stageText } from '../syntax/format.ts';
import { type FunctionContext, GoTemplate } from '../template/execute.ts';
import { TemplateError } from '../template/values.ts';
import type { ParserHints } from './extraction.ts';
import { earlyFiltersOf, NO_HINTS } from './hints.ts';
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
/** Behind these a line is no longer what was stored. */
const CHANGING_LINES: readonly Stage['kind'][] = ['line-format', 'unpack', 'decolorize'];

/** A pipeline ready to run: line filters that work on bytes first, then the stages in order. */
export interface CompiledPipeline {
  readonly filters: readonly CompiledLineFilter[];
  readonly stages: readonly LineStage[];
}

/** Throws LogqlSyntaxError with Loki's text where a stage is malformed. */
export function compilePipeline(stages: readonly Stage[], nowNs: () => bigint, hints = NO_HINTS): CompiledPipeline {
  const filters: CompiledLineFilter[] = [];
  const rest: LineStage[] = [];
  let lineIsOwn = true;
  const parserHints = once(() => ({
    wanted: hints.wanted,
    ...(hints.filtersEarly && { filters: earlyFiltersOf(stages) }),
  }));
  for (const group of reordered(stages)) {
    try {
      const [first] = group;
      if (first === undefined) continue;
      if (first.kind !== 'line-filter') {
        if (CHANGING_LINES.includes(first.kind)) lineIsOwn = false;
        if (hints.wanted?.size === 0 && IDLE_WITHOUT_LABELS.includes(first.kind)) continue;
        rest.push(compileStage(first, nowNs, parserHints));
        continue;
      }
      // What does not hold is said of the last one.
      const compiled = group
        .toReversed()
        .map((stage) => compileLineFilter(stage as LineFilter))
        .reverse();
      if (lineIsOwn) filters.push(...compiled);
      else
        rest.push(
          ...compiled.map(
            ({ test }): LineStage =>
              (line) =>
                test(line.text),
          ),
        );
    } catch (error) {
      if (error instanceof LogqlSyntaxError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new LogqlSyntaxError(`stage '${group.map(stageText).join(' ')}' : ${reason}`);
    }
  }
  return { filters, stages: rest };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Line filters go before what stands in front of them, up to a stage that makes a new line or filters labels; those that
 * meet are one. Loki does so although `decolorize` makes a new line (MultiStageExpr.reorderStages of
 * pkg/logql/syntax/ast.go).
 */
function reordered(stages: readonly Stage[]): readonly (readonly Stage[])[] {
  const out: Stage[][] = [];
  let filters: Stage[] = [];
  let others: Stage[] = [];
  const flush = (): void => {
    if (filters.length > 0) out.push(filters);
    out.push(...others.map((stage) => [stage]));
    filters = [];
    others = [];
  };
  for (const stage of stages) {
    if (stage.kind === 'line-filter') filters.push(stage);
    else if (stage.kind === 'label-filter') {
      flush();
      out.push([stage]);
    } else {
      others.push(stage);
      if (stage.kind === 'line-format' || stage.kind === 'unpack') flush();
    }
  }
  flush();
  return out;
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

function compileStage(stage: Exclude<Stage, LineFilter>, nowNs: () => bigint, hints: () => ParserHints): LineStage {
  switch (stage.kind) {
    case 'label-filter': {
      const condition = compileLabelFilter(stage.filter);
      return (line) => condition(line.labels);
    }
    case 'json':
      return stage.expressions.length > 0 ? jsonExpressionsStage(stage.expressions, hints()) : jsonStage(hints());
    case 'logfmt':
      return stage.expressions.length > 0
        ? logfmtExpressionsStage(stage.expressions, stage.strict, hints())
        : logfmtStage(stage.strict, stage.keepEmpty, hints());
    case 'regexp':
      return regexpStage(stage.expression, hints());
    case 'pattern':
      return patternStage(stage.expression, hints());
    case 'unpack':
      return unpackStage(hints());
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
