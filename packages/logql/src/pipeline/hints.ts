import type { LabelFilter, Stage } from '../syntax/ast.ts';
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
  /** A parser leaves a line out as soon as a label is there that a later filter refuses. */
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

/** The fields that a template names inside its actions. */
function* namesOfTemplate(template: string): Generator<string> {
  for (const [action] of template.matchAll(/\{\{[\s\S]*?\}\}/g))
    for (const [, name] of action.matchAll(/\.([A-Za-z_]\w*)/g)) if (name !== undefined) yield name;
}

function* namesOfStage(stage: Stage): Generator<string> {
  if (stage.kind === 'label-filter') yield* namesOfFilter(stage.filter);
  else if (stage.kind === 'line-format') yield* namesOfTemplate(stage.template);
  else if (stage.kind === 'label-format')
    for (const { value, rename } of stage.formats) {
      if (rename) yield value;
      else yield* namesOfTemplate(value);
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
 * The filters behind a parser that look at one label each, by their labels, up to a stage that changes labels: a line
 * that they refuse is left out even where the rest of it is malformed.
 */
export function earlyFiltersOf(following: readonly Stage[]): ReadonlyMap<string, LabelFilter> {
  const filters = new Map<string, LabelFilter>();
  for (const stage of following) {
    if (stage.kind !== 'label-filter') break;
    const { filter } = stage;
    if (filter.kind === 'and' || filter.kind === 'or') continue;
    const [name = ''] = namesOfFilter(filter);
    if (!filters.has(name)) filters.set(name, filter);
  }
  return filters;
}
