import type { Frame } from '../field-config.ts';

export interface TableColumn {
  key: string;
  name: string;
  isNumber: boolean;
  unit: string | undefined;
  decimals: number | undefined;
}

export interface TableRow {
  key: string;
  cells: Record<string, string | number | undefined>;
}

export interface OrganizeOptions {
  excludeByName?: Readonly<Record<string, boolean>> | undefined;
  renameByName?: Readonly<Record<string, string>> | undefined;
  indexByName?: Readonly<Record<string, number>> | undefined;
}

/** Series as rows: their labels as columns, one column of values for each query, rows of equal labels joined. */
export function tableOf(
  frames: readonly Frame[],
  organize: OrganizeOptions = {},
): { columns: TableColumn[]; rows: TableRow[] } {
  const refs = [...new Set(frames.map((frame) => frame.refId))];
  const labels = [...new Set(frames.flatMap((frame) => Object.keys(frame.labels)))]
    .filter((label) => label !== '__name__')
    .sort();
  const valueName = (refId: string): string => (refs.length > 1 ? `Value #${refId}` : 'Value');
  const rows = new Map<string, TableRow>();
  const units = new Map<string, Frame['config']>();
  for (const frame of frames) {
    const key = labels.map((label) => frame.labels[label] ?? '').join('\u0000');
    const row = rows.get(key) ?? {
      key,
      cells: Object.fromEntries(labels.map((label) => [label, frame.labels[label]])),
    };
    const last = frame.values.at(-1);
    row.cells[valueName(frame.refId)] = last;
    units.set(valueName(frame.refId), frame.config);
    rows.set(key, row);
  }
  const columns: TableColumn[] = [
    ...labels.map((label) => ({ key: label, name: label, isNumber: false, unit: undefined, decimals: undefined })),
    ...refs.map((refId) => ({
      key: valueName(refId),
      name: valueName(refId),
      isNumber: true,
      unit: units.get(valueName(refId))?.unit,
      decimals: units.get(valueName(refId))?.decimals ?? undefined,
    })),
  ]
    .filter((column) => !organize.excludeByName?.[column.key])
    .map((column) => ({ ...column, name: organize.renameByName?.[column.key] || column.name }))
    .sort((a, b) => (organize.indexByName?.[a.key] ?? 99) - (organize.indexByName?.[b.key] ?? 99));
  return { columns, rows: [...rows.values()] };
}
