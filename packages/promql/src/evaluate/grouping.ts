import { type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import type { Aggregation } from '../syntax/index.ts';
import type { Column } from './values.ts';

export interface Group {
  readonly labels: Labels;
  readonly columns: Column[];
}

/** The series of each group of `by` or `without`, groups in the order in which they first appear. */
export function groupColumns(node: Aggregation, columns: readonly Column[]): readonly Group[] {
  const groups = new Map<string, Group>();
  const names = new Set(node.without ? [...node.grouping, METRIC_NAME] : node.grouping);
  for (const column of columns) {
    const labels = node.without ? column.labels.without(names) : column.labels.only(names);
    const group = groups.get(labels.key);
    if (group === undefined) groups.set(labels.key, { labels, columns: [column] });
    else group.columns.push(column);
  }
  return [...groups.values()];
}
