import { typeOfSource } from '../signals/mapping.ts';
import { isKnownUnit } from '../units/format.ts';
import { unsupportedMatchers } from './field-config.ts';
import type { BasePanel, Variable } from './model.ts';

export const PANEL_TYPES = [
  'timeseries',
  'graph',
  'stat',
  'singlestat',
  'gauge',
  'bargauge',
  'table',
  'table-old',
  'heatmap',
  'logs',
  'traces',
  'text',
  'row',
  'piechart',
  'barchart',
] as const;
export const isPanelType = (type: string): boolean => (PANEL_TYPES as readonly string[]).includes(type);

const TRANSFORMATIONS = [
  'organize',
  'reduce',
  'merge',
  'sortBy',
  'limit',
  'labelsToFields',
  'seriesToRows',
  'filterFieldsByName',
];
const VARIABLE_TYPES = ['query', 'custom', 'constant', 'textbox', 'interval', 'datasource'];

/** What a panel uses that is not shown; said on the panel itself. */
export function unsupportedIn(panel: BasePanel): string[] {
  const notes: string[] = [];
  if (panel.libraryPanel) notes.push('It is a library panel: its definition is not in this dashboard.');
  const units = [
    panel.fieldConfig?.defaults?.unit,
    ...(panel.fieldConfig?.overrides ?? []).flatMap((override) =>
      override.properties.filter((property) => property.id === 'unit').map((property) => String(property.value)),
    ),
  ];
  for (const unit of new Set(units))
    if (unit && !isKnownUnit(unit)) notes.push(`The unit “${unit}” is not known: numbers are shown with its name.`);
  for (const matcher of new Set(unsupportedMatchers(panel))) notes.push(`Overrides by “${matcher}” are not applied.`);
  for (const transformation of panel.transformations ?? [])
    if (!transformation.disabled && !TRANSFORMATIONS.includes(transformation.id))
      notes.push(`The transformation “${transformation.id}” is not applied.`);
  for (const target of panel.targets ?? []) {
    const source = target.datasource ?? panel.datasource;
    const type = source?.type ?? (source?.uid ? typeOfSource(source.uid) : undefined);
    if (type && !['prometheus', 'loki', 'jaeger', 'datasource', '__expr__', 'grafana'].includes(type))
      notes.push(`Query ${target.refId} is for “${type}”, which this lab does not have.`);
    if (type === '__expr__') notes.push(`Query ${target.refId} is a server-side expression, which is not evaluated.`);
  }
  return [...new Set(notes)];
}

export const unsupportedVariables = (variables: readonly Variable[]): string[] =>
  variables
    .filter((variable) => !VARIABLE_TYPES.includes(variable.type))
    .map((variable) => `The variable “${variable.name}” is of type ${variable.type}, which is not supported.`);
