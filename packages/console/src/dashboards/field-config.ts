import { z } from 'zod';
import type { MetricLabels } from '../api/prometheus.ts';
import { seriesName } from '../api/prometheus.ts';
import { namedColor, paletteColor } from '../units/service-color.ts';
import type { BasePanel, FieldProperties } from './model.ts';

export interface Frame {
  refId: string;
  name: string;
  labels: MetricLabels;
  times: number[];
  values: number[];
  config: FieldProperties;
  isHidden: boolean;
}

/** `{{label}}` of Prometheus' and Loki's legends; without a format the series' own name. */
export function legendOf(labels: MetricLabels, format: string | undefined, fallback: string): string {
  if (format === undefined || format === '' || format === '__auto') {
    const { __name__: _name, ...own } = labels;
    const values = Object.values(own);
    return values.length === 1
      ? (values[0] ?? '')
      : values.length === 0 && !labels.__name__
        ? fallback
        : seriesName(labels);
  }
  return format.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_whole, label: string) => labels[label] ?? '');
}

const SUPPORTED_MATCHERS = ['byName', 'byRegexp', 'byFrameRefID', 'byType', 'byNames'];

function matches(matcher: { id: string; options?: unknown }, frame: Pick<Frame, 'name' | 'refId'>): boolean {
  const { options } = matcher;
  switch (matcher.id) {
    case 'byName':
      return options === frame.name;
    case 'byNames': {
      const names = z.object({ names: z.array(z.string()), mode: z.string().optional() }).safeParse(options);
      return names.success && names.data.names.includes(frame.name) === (names.data.mode !== 'exclude');
    }
    case 'byRegexp': {
      const text = typeof options === 'string' ? options : '';
      const slashes = /^\/(.*)\/([a-z]*)$/.exec(text);
      try {
        return new RegExp(slashes?.[1] ?? text, slashes?.[2] ?? '').test(frame.name);
      } catch {
        return false;
      }
    }
    case 'byFrameRefID':
      return options === frame.refId;
    case 'byType':
      return options === 'number';
    default:
      return false;
  }
}

/** The defaults of a panel with the overrides that fit the series. */
export function configFor(
  panel: BasePanel,
  frame: Pick<Frame, 'name' | 'refId'>,
): { config: FieldProperties; isHidden: boolean } {
  const config: Record<string, unknown> = {
    ...panel.fieldConfig?.defaults,
    custom: { ...panel.fieldConfig?.defaults?.custom },
  };
  let isHidden = false;
  for (const override of panel.fieldConfig?.overrides ?? []) {
    if (!matches(override.matcher, frame)) continue;
    for (const { id, value } of override.properties) {
      if (id === 'custom.hideFrom') isHidden = z.object({ viz: z.boolean() }).safeParse(value).data?.viz ?? false;
      else if (id.startsWith('custom.')) (config.custom as Record<string, unknown>)[id.slice('custom.'.length)] = value;
      else config[id] = value;
    }
  }
  return { config: config as FieldProperties, isHidden };
}

export const unsupportedMatchers = (panel: BasePanel): string[] =>
  (panel.fieldConfig?.overrides ?? [])
    .map((override) => override.matcher.id)
    .filter((id) => !SUPPORTED_MATCHERS.includes(id));

/** The colour of the highest threshold that the value reaches. */
export function thresholdColor(config: FieldProperties, value: number | null | undefined): string | undefined {
  const steps = config.thresholds?.steps ?? [];
  if (steps.length === 0) return undefined;
  if (value === null || value === undefined || Number.isNaN(value)) return namedColor(steps[0]?.color ?? 'green');
  const limit = (step: number | null | undefined): number => {
    if (step === null || step === undefined) return Number.NEGATIVE_INFINITY;
    if (config.thresholds?.mode !== 'percentage') return step;
    const min = config.min ?? 0;
    return min + ((config.max ?? 100) - min) * (step / 100);
  };
  return namedColor(steps.filter((step) => value >= limit(step.value)).at(-1)?.color ?? steps[0]?.color ?? 'green');
}

export function seriesColor(config: FieldProperties, index: number, last: number | null | undefined): string {
  const mode = config.color?.mode;
  if (mode === 'fixed' && config.color?.fixedColor) return namedColor(config.color.fixedColor);
  if (mode === 'shades' && config.color?.fixedColor) return namedColor(config.color.fixedColor);
  if (mode === 'thresholds') return thresholdColor(config, last) ?? paletteColor(index);
  return paletteColor(index);
}

const mappingResult = z.object({ text: z.string().optional(), color: z.string().optional() });

/** Text and colour by the value mappings (grafana: packages/grafana-data/src/utils/valueMappings.ts). */
export function mapValue(
  config: FieldProperties,
  value: number | null | undefined,
): { text?: string; color?: string } | undefined {
  for (const mapping of config.mappings ?? []) {
    const found = matchMapping(mapping.type, mapping.options, value);
    const parsed = mappingResult.safeParse(found);
    if (found !== undefined && parsed.success)
      return {
        ...(parsed.data.text === undefined ? {} : { text: parsed.data.text }),
        ...(parsed.data.color === undefined ? {} : { color: namedColor(parsed.data.color) }),
      };
  }
  return undefined;
}

function matchMapping(type: string, options: unknown, value: number | null | undefined): unknown {
  if (typeof options !== 'object' || options === null) return undefined;
  const own = options as Record<string, unknown>;
  if (type === 'value') return value === null || value === undefined ? undefined : own[String(value)];
  const isMissing = value === null || value === undefined;
  if (type === 'range') {
    const from = typeof own.from === 'number' ? own.from : Number.NEGATIVE_INFINITY;
    const to = typeof own.to === 'number' ? own.to : Number.POSITIVE_INFINITY;
    return !isMissing && value >= from && value <= to ? own.result : undefined;
  }
  if (type === 'special') {
    const isMatch =
      (own.match === 'null' && isMissing) ||
      (own.match === 'nan' && Number.isNaN(value)) ||
      (own.match === 'null+nan' && (isMissing || Number.isNaN(value))) ||
      (own.match === 'empty' && isMissing);
    return isMatch ? own.result : undefined;
  }
  if (type === 'regex' && typeof own.pattern === 'string' && !isMissing) {
    try {
      return new RegExp(own.pattern.replace(/^\/|\/$/g, '')).test(String(value)) ? own.result : undefined;
    } catch {
      return undefined;
    }
  }
  return undefined;
}
