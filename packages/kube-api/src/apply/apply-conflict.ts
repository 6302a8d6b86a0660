/** The 409 of a server-side apply (apimachinery `managedfields/internal/conflict.go`). */

import { goQuote } from '../errors/field-error.ts';
import { applyConflict } from '../errors/status-errors.ts';
import type { StatusError } from '../status.ts';
import type { FieldSet } from './field-set.ts';
import type { ManagerFields } from './managed-fields.ts';
import { elementText } from './path-element.ts';

export interface Conflict {
  readonly manager: ManagerFields;
  readonly fields: FieldSet;
}

function managerText(manager: ManagerFields): string {
  let text = goQuote(manager.manager);
  if (manager.subresource !== '') text += ` with subresource ${goQuote(manager.subresource)}`;
  return manager.operation === 'Update' ? `${text} using ${manager.apiVersion}` : text;
}

export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

export function applyConflictError(conflicts: readonly Conflict[]): StatusError {
  const rows = conflicts.flatMap((conflict) =>
    [...conflict.fields.paths()].map((path) => ({ who: managerText(conflict.manager), path: pathText(path) })),
  );
  const causes = rows.map((row) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${row.who}`,
    field: row.path,
  }));
  const first = rows[0];
  if (rows.length === 1 && first !== undefined)
    return applyConflict(causes, `Apply failed with 1 conflict: conflict with ${first.who}: ${first.path}`);
  const lines: string[] = [];
  for (const who of [...new Set(rows.map((row) => row.who))].sort()) {
    lines.push(`conflicts with ${who}:`);
    for (const row of rows) if (row.who === who) lines.push(`- ${row.path}`);
  }
  return applyConflict(causes, `Apply failed with ${rows.length} conflicts: ${lines.join('\n')}`);
}
