import { Labels } from '@kind-e2e/telemetry';
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

/**
 * Whether `a` comes before `b` where numbers inside of names count as numbers, as facette/natsort has it: of an empty name
 * and another neither comes before the other, and of two that are equal in number each does.
 */
function comesBefore(a: string, b: string): boolean {
  const left = a.match(CHUNKS) ?? [];
  const right = b.match(CHUNKS) ?? [];
  for (let i = 0; i < left.length; i++) {
    if (i >= right.length) return false;
    const l = left[i] ?? '';
    const r = right[i] ?? '';
    const bothNumbers = isInteger(l) && isInteger(r);
    if (bothNumbers ? BigInt(l) !== BigInt(r) : l !== r) return bothNumbers ? BigInt(l) < BigInt(r) : l < r;
    if (i === left.length - 1) return true;
    if (i === right.length - 1) return false;
  }
  return false;
}

/** Whether Go's Atoi takes it. */
function isInteger(digits: string): boolean {
  return /^\d+$/.test(digits) && BigInt(digits) <= MAX_INT64;
}

const MAX_INT64 = 2n ** 63n - 1n;

/** sort_by_label and sort_by_label_desc: by the named labels in turn, then by all labels. */
export function sortByLabels(
  columns: readonly Column[],
  names: readonly string[],
  descending: boolean,
  grid: Grid,
): readonly Column[] {
  if (grid.steps > 1) return columns;
  const sorted = columns.filter(({ present }) => present[0] === 1);
  goSort(sorted, (a, b) => {
    for (const name of names) {
      const left = a.labels.get(name);
      const right = b.labels.get(name);
      if (left !== right) return comesBefore(left, right) !== descending;
    }
    const order = Labels.compare(a.labels, b.labels);
    return descending ? order > 0 : order < 0;
  });
  return sorted;
}
