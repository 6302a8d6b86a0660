/** Tables of objects: columns and cells of built-in kinds and of custom resources. */
import { evaluateJsonPath, parseJsonPath } from '../crd/json-path.ts';
import { recordAt, stringAt } from '../values/access.ts';
import { humanDuration } from '../values/duration.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { parseRfc3339 } from '../values/time.ts';
import { CELLS } from './cells.ts';
import { columnsOf, NAME_DESCRIPTION, type TableColumn } from './columns.ts';

/** apiextensions/v1 CustomResourceColumnDefinition. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** The columns of a built-in kind. */
export function tableColumns(gvk: { readonly group: string; readonly kind: string }): readonly TableColumn[] {
  return columnsOf(gvk.group, gvk.kind).columns;
}

/** The cells of one object, as many as there are columns. */
export function tableRow(
  gvk: { readonly group: string; readonly kind: string },
  object: object,
  nowMs: number,
): readonly unknown[] {
  const record = isRecord(object) ? object : {};
  const { columns, hasPrinter } = columnsOf(gvk.group, gvk.kind);
  const print = CELLS[gvk.kind === 'Event' ? '/Event' : `${gvk.group}/${gvk.kind}`];
  if (!hasPrinter || print === undefined) {
    const metadata = recordAt(record, 'metadata');
    return [stringAt(metadata, 'name'), stringAt(metadata, 'creationTimestamp')];
  }
  return print(record, nowMs).slice(0, columns.length);
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: '',
  jsonPath: '.metadata.creationTimestamp',
};

/** Columns of a custom resource: its name, then the CRD's own or the age (`tableconvertor`). */
export function customColumns(columns: readonly PrinterColumn[] | undefined): readonly TableColumn[] {
  const own = columns === undefined || columns.length === 0 ? [AGE] : columns;
  return [
    { name: 'Name', type: 'string', format: 'name', description: NAME_DESCRIPTION, priority: 0 },
    ...own.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? '',
      description:
        column.description === undefined || column.description === ''
          ? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`
          : column.description,
      priority: column.priority ?? 0,
    })),
  ];
}

/** The cells of a custom resource. */
export function customRow(
  columns: readonly PrinterColumn[] | undefined,
  object: object,
  nowMs: number,
): readonly unknown[] {
  const own = columns === undefined || columns.length === 0 ? [AGE] : columns;
  const record: JsonRecord = isRecord(object) ? object : {};
  return [
    stringAt(recordAt(record, 'metadata'), 'name'),
    ...own.map((column) => {
      let values: unknown[];
      try {
        values = evaluateJsonPath(parseJsonPath(column.jsonPath), record);
      } catch {
        return null;
      }
      return customCell(column.type, values, nowMs);
    }),
  ];
}

function customCell(type: string, values: readonly unknown[], nowMs: number): unknown {
  if (values.length === 0) return null;
  const value = values[0];
  switch (type) {
    case 'integer':
      if (typeof value === 'number') return Math.trunc(value);
      return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return '<invalid>';
      const time = parseRfc3339(value);
      return time === undefined ? '<invalid>' : humanDuration(nowMs - time.ms);
    }
    default:
      // Several results, and anything but text, are printed as JSON.
      return values.length === 1 && typeof value === 'string'
        ? value
        : values.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join(' ');
  }
}
