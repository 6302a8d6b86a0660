import { z } from 'zod';

/** Grafana's dashboard JSON (grafana: kinds/dashboard/dashboard_kind.cue), as much as is shown; the rest is kept and named. */
const text = z.string().optional().catch(undefined);
const number = z.number().nullish().catch(undefined);
const datasource = z
  .union([z.string(), z.object({ uid: text, type: text })])
  .nullish()
  .transform((value) =>
    typeof value === 'string'
      ? { uid: value, type: undefined }
      : value
        ? { uid: value.uid, type: value.type }
        : undefined,
  )
  .catch(undefined);

const link = z.object({
  title: text,
  url: text,
  type: text,
  targetBlank: z.boolean().optional().catch(undefined),
  tags: z.array(z.string()).nullish().catch(undefined),
  keepTime: z.boolean().optional().catch(undefined),
});
export type DashboardLink = z.infer<typeof link>;

const mapping = z.looseObject({ type: z.string(), options: z.unknown() });

const fieldProperties = z.looseObject({
  displayName: text,
  unit: text,
  decimals: number,
  min: number,
  max: number,
  noValue: text,
  color: z.looseObject({ mode: text, fixedColor: text }).optional().catch(undefined),
  thresholds: z
    .object({ mode: text, steps: z.array(z.object({ color: z.string(), value: z.number().nullish() })).catch([]) })
    .optional()
    .catch(undefined),
  mappings: z.array(mapping).optional().catch(undefined),
  links: z.array(link).optional().catch(undefined),
  custom: z
    .looseObject({
      drawStyle: text,
      lineWidth: number,
      fillOpacity: number,
      lineInterpolation: text,
      lineStyle: z
        .looseObject({ fill: text, dash: z.array(z.number()).optional() })
        .optional()
        .catch(undefined),
      axisPlacement: text,
      stacking: z.looseObject({ mode: text }).optional().catch(undefined),
      scaleDistribution: z.looseObject({ type: text, log: number }).optional().catch(undefined),
      thresholdsStyle: z.looseObject({ mode: text }).optional().catch(undefined),
      transform: text,
    })
    .optional()
    .catch(undefined),
});
export type FieldProperties = z.infer<typeof fieldProperties>;

const target = z.looseObject({
  refId: z.string().catch('A'),
  expr: text,
  query: z.unknown().optional(),
  legendFormat: text,
  instant: z.boolean().optional().catch(undefined),
  range: z.boolean().optional().catch(undefined),
  format: text,
  exemplar: z.boolean().optional().catch(undefined),
  hide: z.boolean().optional().catch(undefined),
  interval: text,
  queryType: text,
  service: text,
  operation: text,
  tags: text,
  minDuration: text,
  maxDuration: text,
  limit: z.union([z.number(), z.string()]).optional().catch(undefined),
  datasource: datasource.optional(),
});
export type Target = z.infer<typeof target>;

const gridPos = z
  .object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() })
  .catch({ x: 0, y: 0, w: 24, h: 8 });

const basePanel = z.looseObject({
  id: number,
  type: z.string().catch('unknown'),
  title: z.string().catch(''),
  description: text,
  gridPos,
  datasource: datasource.optional(),
  targets: z.array(target).optional().catch(undefined),
  fieldConfig: z
    .object({
      defaults: fieldProperties.catch({}),
      overrides: z
        .array(
          z.object({
            matcher: z.looseObject({ id: z.string(), options: z.unknown() }),
            properties: z.array(z.object({ id: z.string(), value: z.unknown() })),
          }),
        )
        .catch([]),
    })
    .partial()
    .optional()
    .catch(undefined),
  options: z
    .looseObject({
      legend: z
        .looseObject({
          displayMode: text,
          showLegend: z.boolean().optional().catch(undefined),
          calcs: z.array(z.string()).optional().catch(undefined),
          placement: text,
        })
        .optional()
        .catch(undefined),
      reduceOptions: z
        .looseObject({
          calcs: z.array(z.string()).optional().catch(undefined),
          values: z.boolean().optional().catch(undefined),
          fields: text,
        })
        .optional()
        .catch(undefined),
      colorMode: text,
      graphMode: text,
      textMode: text,
      orientation: text,
      displayMode: text,
      content: text,
      mode: text,
    })
    .optional()
    .catch(undefined),
  transformations: z
    .array(z.looseObject({ id: z.string(), options: z.unknown(), disabled: z.boolean().optional() }))
    .optional()
    .catch(undefined),
  repeat: text.nullable().catch(undefined),
  repeatDirection: text,
  maxPerRow: number,
  collapsed: z.boolean().optional().catch(undefined),
  transparent: z.boolean().optional().catch(undefined),
  links: z.array(link).optional().catch(undefined),
  interval: text.nullable().catch(undefined),
});
export type BasePanel = z.infer<typeof basePanel>;
const panel = basePanel.extend({ panels: z.array(basePanel).optional().catch(undefined) });
export type Panel = z.infer<typeof panel>;

const option = z.object({
  text: z.union([z.string(), z.array(z.string())]).catch(''),
  value: z.union([z.string(), z.array(z.string())]).catch(''),
  selected: z.boolean().optional().catch(undefined),
});

const variable = z.looseObject({
  name: z.string(),
  type: z.string().catch('custom'),
  label: text.nullable().catch(undefined),
  hide: number,
  query: z
    .union([z.string(), z.looseObject({ query: text, qryType: number, label: text, metric: text })])
    .optional()
    .catch(undefined),
  datasource: datasource.optional(),
  current: option.partial().nullish().catch(undefined),
  options: z.array(option).optional().catch(undefined),
  multi: z.boolean().optional().catch(undefined),
  includeAll: z.boolean().optional().catch(undefined),
  allValue: text.nullable().catch(undefined),
  regex: text,
  sort: number,
});
export type Variable = z.infer<typeof variable>;

const annotation = z.looseObject({
  name: z.string().catch(''),
  enable: z.boolean().optional().catch(undefined),
  builtIn: z.union([z.number(), z.boolean()]).optional().catch(undefined),
  hide: z.boolean().optional().catch(undefined),
  iconColor: text,
  expr: text,
  titleFormat: text,
  textFormat: text,
  datasource: datasource.optional(),
});
export type AnnotationQuery = z.infer<typeof annotation>;

export const dashboardSchema = z.looseObject({
  uid: z.string().catch(''),
  title: z.string(),
  description: text.nullable().catch(undefined),
  tags: z.array(z.string()).catch([]),
  schemaVersion: number,
  panels: z.array(panel).catch([]),
  rows: z.unknown().optional(),
  templating: z
    .object({ list: z.array(variable).catch([]) })
    .optional()
    .catch(undefined),
  annotations: z
    .object({ list: z.array(annotation).catch([]) })
    .optional()
    .catch(undefined),
  links: z.array(link).optional().catch(undefined),
});
export type Dashboard = z.infer<typeof dashboardSchema>;

/** Reads a dashboard, also one wrapped as the API and exports wrap it (`{ "dashboard": … }`). */
export function parseDashboard(value: unknown): { dashboard: Dashboard } | { problem: string } {
  const wrapped = z.object({ dashboard: z.looseObject({}) }).safeParse(value);
  const parsed = dashboardSchema.safeParse(wrapped.success ? wrapped.data.dashboard : value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { problem: `Not a Grafana dashboard: ${issue?.path.join('.') || 'top level'}: ${issue?.message ?? ''}` };
  }
  const { data } = parsed;
  if (data.panels.length === 0 && Array.isArray(data.rows))
    return {
      problem:
        'This dashboard has the layout of before Grafana 5 (“rows”). Import it into a newer Grafana once and export it again.',
    };
  const uid = data.uid || data.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return { dashboard: { ...data, uid } };
}
