import { compileRegex, expandTemplate, type LinearRegex, RegexSyntaxError } from '@kind-e2e/telemetry';
import { PromqlError } from '../results.ts';
import { type Column, refuseSameLabels } from './values.ts';

/** Any text that is not empty and can be written in UTF-8 (model.LabelName.IsValid; `unquote` keeps other bytes as lone surrogates). */
export function isLabelName(text: string): boolean {
  return text !== '' && text.isWellFormed();
}

type Relabelling = (columns: readonly Column[]) => readonly Column[];

/** label_replace(v, destination, replacement, source, expression). Throws for bad arguments, before v is looked at. */
export function labelReplacement(args: readonly string[]): Relabelling {
  const [destination = '', replacement = '', source = '', expression = ''] = args;
  let regex: LinearRegex;
  try {
    regex = compileRegex(expression, { dotAll: true });
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    throw new PromqlError('execution', `invalid regular expression in label_replace(): ${expression}`);
  }
  if (!isLabelName(destination))
    throw new PromqlError('execution', `invalid destination label name in label_replace(): ${destination}`);
  return (columns) =>
    refuseSameLabels(
      columns.map((column) => {
        const match = regex.findFull(column.labels.get(source));
        if (match === undefined) return column;
        const value = expandTemplate(replacement, regex, match);
        return { ...column, labels: column.labels.with({ [destination]: value }) };
      }),
    );
}

/** label_join(v, destination, separator, source…). Throws for bad arguments, before v is looked at. */
export function labelJoining(args: readonly string[]): Relabelling {
  const [destination = '', separator = '', ...sources] = args;
  for (const source of sources)
    if (!isLabelName(source))
      throw new PromqlError('execution', `invalid source label name in label_join(): ${source}`);
  if (!isLabelName(destination))
    throw new PromqlError('execution', `invalid destination label name in label_join(): ${destination}`);
  return (columns) =>
    refuseSameLabels(
      columns.map((column) => {
        const value = sources.map((source) => column.labels.get(source)).join(separator);
        return { ...column, labels: column.labels.with({ [destination]: value }) };
      }),
    );
}
