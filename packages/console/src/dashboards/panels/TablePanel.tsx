import { useState } from 'react';
import { z } from 'zod';
import { Value } from '../../ui/Value.tsx';
import type { PanelBodyProps } from './PanelBody.tsx';
import { tableOf } from './table-data.ts';

const organizeOptions = z.object({
  excludeByName: z.record(z.string(), z.boolean()).optional(),
  renameByName: z.record(z.string(), z.string()).optional(),
  indexByName: z.record(z.string(), z.number()).optional(),
});

export function TablePanel({ panel, data }: PanelBodyProps) {
  const organize =
    organizeOptions.safeParse(panel.transformations?.find((item) => item.id === 'organize')?.options).data ?? {};
  const table = tableOf(data.frames, organize);
  const [sort, setSort] = useState<{ column: string; isDescending: boolean }>();
  const rows = sort
    ? [...table.rows].sort((a, b) => {
        const [x, y] = [a.cells[sort.column], b.cells[sort.column]];
        const order =
          typeof x === 'number' && typeof y === 'number'
            ? x - y
            : String(x ?? '').localeCompare(String(y ?? ''), undefined, { numeric: true });
        return sort.isDescending ? -order : order;
      })
    : table.rows;
  return (
    <table className="grid">
      <thead>
        <tr>
          {table.columns.map((column) => (
            <th
              key={column.key}
              className={column.isNumber ? 'num' : ''}
              {...(sort?.column === column.key ? { 'aria-sort': sort.isDescending ? 'descending' : 'ascending' } : {})}
            >
              <button
                type="button"
                onClick={() =>
                  setSort({
                    column: column.key,
                    isDescending: sort?.column === column.key ? !sort.isDescending : column.isNumber,
                  })
                }
              >
                {column.name}
                {sort?.column === column.key ? (sort.isDescending ? ' ↓' : ' ↑') : ''}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, 500).map((row) => (
          <tr key={row.key}>
            {table.columns.map((column) => {
              const cell = row.cells[column.key];
              return (
                <td key={column.key} className={column.isNumber ? 'num' : ''}>
                  {typeof cell === 'number' ? (
                    <Value value={cell} unit={column.unit ?? ''} decimals={column.decimals} />
                  ) : (
                    (cell ?? '')
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
