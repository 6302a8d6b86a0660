import type { LabelFilter, Stage } from '../syntax/ast.ts';
import { fieldsOfTemplate } from '../template/execute.ts';
import { compileLabelFilter, type LabelCondition, passesAll } from './label-filter.ts';
import { ERROR_LABEL } from './line-labels.ts';

/** What a query lets its parsers leave out (pkg/logql/log/parser_hints.go). */
export interface Hints {
  /**
   * The labels that are needed, undefined where all may be. Parsers stop when they have them, so what is malformed
   * behind them is no error, and do nothing at all where none is needed.
   */
  readonly wanted: ReadonlySet<string> | undefined;
  /** Errors of parsers stay in samples, since the query names `__error__`. */
  readonly preservesErrors: boolean;
  /** A parser leaves a line out as soon as a label is there that a filter of the query refuses. */
  readonly filtersEarly: boolean;
}

export const NO_HINTS: Hints = { wanted: undefined, preservesErrors: false, filtersEarly: true };

/** How the samples of a metric query are grouped. */
export interface SampleGrouping {
  readonly without: boolean;
  readonly labels: ReadonlySet<string>;
}

const SUFFIX = '_extracted';

function* namesOfFilter(filter: LabelFilter): Generator<string> {
  if (passesAll(filter)) return;
  switch (filter.kind) {
    case 'and':
    case 'or':
      yield* namesOfFilter(filter.left);
      yield* namesOfFilter(filter.right);
      return;
    case 'matcher':
      yield filter.matcher.name;
      return;
    default:
      yield filter.name;
  }
}

function* namesOfStage(stage: Stage): Generator<string> {
  if (stage.kind === 'label-filter') yield* namesOfFilter(stage.filter);
  else if (stage.kind === 'line-format') yield* fieldsOfTemplate(stage.template, 'line');
  else if (stage.kind === 'label-format')
    for (const { value, rename } of stage.formats) {
      if (rename) yield value;
      else yield* fieldsOfTemplate(value, 'label');
    }
}

export function hintsOf(
  stages: readonly Stage[],
  grouping: SampleGrouping | undefined,
  unwrap: { readonly label: string; readonly filters: readonly LabelFilter[] } | undefined,
): Hints {
  if (grouping === undefined || grouping.without) return NO_HINTS;
  const wanted = new Set(grouping.labels);
  for (const stage of stages) for (const name of namesOfStage(stage)) wanted.add(name);
  if (unwrap !== undefined) {
    wanted.add(unwrap.label);
    for (const filter of unwrap.filters) for (const name of namesOfFilter(filter)) wanted.add(name);
  }
  for (const name of [...wanted]) if (name.endsWith(SUFFIX)) wanted.add(name.slice(0, -SUFFIX.length));
  return { wanted, preservesErrors: wanted.has(ERROR_LABEL), filtersEarly: grouping.labels.size === 0 };
}

/**
 * The filters that look at one label each, by their labels, wherever in the query they stand: of several of the same
 * label the first. Loki asks them of what a parser finds, whatever other stages make of the label in between.
 */
export function earlyFiltersOf(stages: readonly Stage[]): ReadonlyMap<string, LabelCondition> {
  const filters = new Map<string, LabelCondition>();
  for (const stage of stages) {
    if (stage.kind !== 'label-filter') continue;
    const { filter } = stage;
    if (filter.kind === 'and' || filter.kind === 'or') continue;
    const [name] = namesOfFilter(filter);
    if (name !== undefined && !filters.has(name)) filters.set(name, compileLabelFilter(filter));
  }
  return filters;
}
