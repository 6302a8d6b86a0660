import { goSort } from './go-sort.ts';
import type { Column, Grid } from './values.ts';

/** sort and sort_desc order an instant query's answer, NaN last; histograms are left out. A range query is not sorted. */
export function sortByValue(columns: readonly Column[], descending: boolean, grid: Grid): readonly Column[] {
  if (grid.steps > 1) return columns.flatMap((column) => withoutHistograms(column) ?? []);
  const floats = columns.filter((column) => column.present[0] === 1 && column.histograms?.[0] === undefined);
  const sampleOf = (column: Column): number => column.values[0] ?? 0;
  goSort(floats, (a, b) => {
    const left = sampleOf(a);
    const right = sampleOf(b);
    return Number.isNaN(right) || (descending ? left > right : left < right);
  });
  return floats;
}

function withoutHistograms(column: Column): Column | undefined {
  const { histograms } = column;
  if (histograms === undefined) return column;
  const present = column.present.map((one, i) => (histograms[i] === undefined ? one : 0));
  return present.includes(1) ? { labels: column.labels, values: column.values, present } : undefined;
}

const CHUNKS = /\d+|\D+/g;

/** Numbers inside of names count as numbers, as facette/natsort compares. */
function compareNaturally(a: string, b: string): number {
  const left = a.match(CHUNKS) ?? [];
  const right = b.match(CHUNKS) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const l = left[i] ?? '';
    const r = right[i] ?? '';
    if (l === r) continue;
    const numeric = /^\d/.test(l) && /^\d/.test(r);
    if (numeric && Number(l) !== Number(r)) return Number(l) - Number(r);
    return l < r ? -1 : 1;
  }
  return left.length - right.length;
}

/** sort_by_label and sort_by_label_desc: by the named labels in turn, then by all labels. */
export function sortByLabels(
  columns: readonly Column[],
  names: readonly string[],
  descending: boolean,
  grid: Grid,
): readonly Column[] {
  if (grid.steps > 1) return columns;
  const sign = descending ? -1 : 1;
  return [...columns].sort((a, b) => {
    for (const name of names) {
      const order = compareNaturally(a.labels.get(name), b.labels.get(name));
      if (order !== 0) return sign * order;
    }
    return sign * (a.labels.key < b.labels.key ? -1 : a.labels.key > b.labels.key ? 1 : 0);
  });
}
