import type { LabelFilter, Stage } from '../syntax/ast.ts';

/**
 * Which labels a metric query needs of its parsers (pkg/logql/log/parser_hints.go). Parsers stop when they have them
 * all, so what is malformed behind them is no error, and do nothing at all where none is needed.
 */
export type Hints = ReadonlySet<string>;

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

/** Undefined where every label may be needed. */
export function hintsOf(
  stages: readonly Stage[],
  grouping: { readonly without: boolean; readonly labels: ReadonlySet<string> } | undefined,
  unwrap: { readonly label: string; readonly filters: readonly LabelFilter[] } | undefined,
): Hints | undefined {
  if (grouping === undefined || grouping.without) return undefined;
  const names = new Set(grouping.labels);
  for (const stage of stages) for (const name of namesOfStage(stage)) names.add(name);
  if (unwrap !== undefined) {
    names.add(unwrap.label);
    for (const filter of unwrap.filters) for (const name of namesOfFilter(filter)) names.add(name);
  }
  for (const name of [...names]) if (name.endsWith(SUFFIX)) names.add(name.slice(0, -SUFFIX.length));
  return names;
}
