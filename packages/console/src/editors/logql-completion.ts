export type CompletionPlace =
  | { kind: 'label'; text: string }
  | { kind: 'value'; label: string; text: string }
  | { kind: 'stage'; text: string }
  | { kind: 'function'; text: string };

/** Functions and aggregations of LogQL with a word on each (loki: docs/sources/query/metric_queries.md). */
export const LOGQL_FUNCTIONS: readonly (readonly [string, string])[] = [
  ['rate', 'Lines per second'],
  ['count_over_time', 'Lines in the range'],
  ['bytes_rate', 'Bytes per second'],
  ['bytes_over_time', 'Bytes in the range'],
  ['absent_over_time', '1 when nothing is there'],
  ['sum_over_time', 'Sum of unwrapped values'],
  ['avg_over_time', 'Mean of unwrapped values'],
  ['max_over_time', 'Largest unwrapped value'],
  ['min_over_time', 'Smallest unwrapped value'],
  ['quantile_over_time', 'Quantile of unwrapped values'],
  ['first_over_time', 'First unwrapped value'],
  ['last_over_time', 'Last unwrapped value'],
  ['sum', 'Sum over series'],
  ['avg', 'Mean over series'],
  ['max', 'Largest series'],
  ['min', 'Smallest series'],
  ['count', 'Number of series'],
  ['topk', 'The k largest'],
  ['bottomk', 'The k smallest'],
];

/** What may follow a pipe (loki: docs/sources/query/log_queries). */
export const LOGQL_STAGES: readonly (readonly [string, string])[] = [
  ['= ""', 'Line contains'],
  ['~ ""', 'Line matches the regular expression'],
  ['json', 'Parses the line as JSON'],
  ['logfmt', 'Parses the line as logfmt'],
  ['pattern ""', 'Parses the line by a pattern'],
  ['regexp ""', 'Parses the line by a regular expression'],
  ['unpack', 'Unpacks a packed line'],
  ['line_format ""', 'Writes the line anew'],
  ['label_format ', 'Renames or writes labels'],
  ['decolorize', 'Takes ANSI colours away'],
  ['unwrap ', 'Takes a label as the value'],
  ['drop ', 'Drops labels'],
  ['keep ', 'Keeps only these labels'],
];

/** What is to be completed at the end of `before`, the text up to the cursor. */
export function completionPlace(before: string): CompletionPlace | undefined {
  const open = before.lastIndexOf('{');
  if (open > before.lastIndexOf('}')) {
    const inside = before.slice(open + 1);
    const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"([^"]*)$/.exec(inside);
    if (value) return { kind: 'value', label: value[1] ?? '', text: value[2] ?? '' };
    const label = /(?:^|,)\s*([a-zA-Z_]\w*)?$/.exec(inside);
    return label ? { kind: 'label', text: label[1] ?? '' } : undefined;
  }
  const quotes = (before.match(/(?<!\\)"/g) ?? []).length + (before.match(/`/g) ?? []).length;
  if (quotes % 2 === 1) return undefined;
  const stage = /\|\s*([a-z_]*)$/.exec(before);
  if (stage) return { kind: 'stage', text: stage[1] ?? '' };
  const word = /(?:^|[\s(,])([a-z_]*)$/.exec(before);
  return word ? { kind: 'function', text: word[1] ?? '' } : undefined;
}
