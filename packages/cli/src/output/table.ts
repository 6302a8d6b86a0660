/** Below this a column is not cut further. */
const NARROWEST = 8;
const GAP = 2;

export interface TableOptions {
  /** Columns of numbers, which are aligned right. */
  readonly right?: ReadonlySet<number>;
  /** Width of the terminal: the widest columns are cut, with an ellipsis, until a row is one line. Default: no limit. */
  readonly columns?: number | undefined;
  /** Columns that are never cut, ids for one. */
  readonly whole?: ReadonlySet<number>;
}

/** Columns of text, the last one unpadded. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = new Set(), columns = Infinity, whole = new Set() }: TableOptions = {},
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  narrow(widths, columns, whole);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const text = cut(cell, width);
        if (right.has(column)) return text.padStart(width);
        return column === cells.length - 1 ? text : text.padEnd(width);
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

/** Takes from the widest column until a row fits, or nothing can be taken any more. */
function narrow(widths: number[], columns: number, whole: ReadonlySet<number>): void {
  const room = columns - GAP * (widths.length - 1);
  for (let total = widths.reduce((sum, width) => sum + width, 0); total > room; total--) {
    let widest = -1;
    widths.forEach((width, column) => {
      if (!whole.has(column) && width > NARROWEST && width > (widths[widest] ?? 0)) widest = column;
    });
    const width = widths[widest];
    if (width === undefined) return;
    widths[widest] = width - 1;
  }
}

/** The text, or as much of it as fits before an ellipsis; line ends become signs for them. */
export function cut(text: string, width: number): string {
  const line = text.replace(/\r?\n/g, '↵');
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB'];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `3.02 s`, `12.4 ms`, `87 µs`. */
export function formatDuration(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms >= 1) return `${ms.toFixed(ms >= 100 ? 0 : 1)} ms`;
  return `${Math.round(ms * 1_000)} µs`;
}
