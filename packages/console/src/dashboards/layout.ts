import type { BasePanel, Panel } from './model.ts';
import { type InterpolationContext, type VariableValues, valuesOf } from './variables.ts';

export interface PlacedPanel {
  key: string;
  panel: BasePanel;
  scoped: VariableValues;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface PlacedRow {
  key: string;
  title: string;
  /** Undefined for the panels before the first row. */
  row: Panel | undefined;
  isCollapsed: boolean;
  scoped: VariableValues;
  panels: PlacedPanel[];
}

const COLUMNS = 24;

/**
 * The rows of a dashboard with their panels, repeats written out. Panels of an open row stand behind it in the list, those
 * of a collapsed one inside it (grafana: public/app/features/dashboard-scene/serialization).
 */
export function layOut(panels: readonly Panel[], context: InterpolationContext): PlacedRow[] {
  const groups: { row: Panel | undefined; members: BasePanel[] }[] = [{ row: undefined, members: [] }];
  for (const panel of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    if (panel.type === 'row') groups.push({ row: panel, members: [...(panel.panels ?? [])] });
    else groups.at(-1)?.members.push(panel);
  }
  const rows: PlacedRow[] = [];
  groups.forEach(({ row, members }, index) => {
    if (row === undefined && members.length === 0) return;
    const repeats = repeatsOf(row?.repeat, context);
    for (const scoped of repeats) {
      const suffix = Object.values(scoped).flat().join(',');
      rows.push({
        key: `${row?.id ?? `row-${index}`}-${suffix}`,
        title: row?.title ?? '',
        row,
        isCollapsed: row?.collapsed ?? false,
        scoped,
        panels: place(members, { ...context, scoped: { ...context.scoped, ...scoped } }),
      });
    }
  });
  return rows;
}

function repeatsOf(variable: string | null | undefined, context: InterpolationContext): VariableValues[] {
  if (!variable) return [{}];
  const values = valuesOf(variable, context) ?? [];
  return values.length === 0 ? [{}] : values.map((value) => ({ [variable]: [value] }));
}

/** Puts panels at their places; a repeated one pushes down what stands below it. */
function place(members: readonly BasePanel[], context: InterpolationContext): PlacedPanel[] {
  const top = Math.min(...members.map((panel) => panel.gridPos.y));
  const placed: PlacedPanel[] = [];
  let pushed = 0;
  const ordered = [...members].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  for (const [index, panel] of ordered.entries()) {
    const { x, y, w, h } = panel.gridPos;
    const base = y - top + pushed;
    const repeats = repeatsOf(panel.repeat, context);
    const isVertical = panel.repeatDirection === 'v';
    const perRow = isVertical ? 1 : Math.min(repeats.length, panel.maxPerRow ?? 4);
    const width =
      panel.repeat && !isVertical && repeats.length > 0 && context.scoped?.[panel.repeat] === undefined
        ? Math.floor(COLUMNS / perRow)
        : w;
    repeats.forEach((scoped, place_) => {
      placed.push({
        key: `${panel.id ?? `p${index}`}-${Object.values(scoped).flat().join(',')}-${index}`,
        panel,
        scoped: { ...context.scoped, ...scoped },
        x: panel.repeat && !isVertical ? (place_ % perRow) * width : x,
        y: base + Math.floor(place_ / perRow) * h,
        w: Math.min(width, COLUMNS),
        h,
      });
    });
    pushed += (Math.ceil(repeats.length / perRow) - 1) * h;
  }
  return placed;
}
