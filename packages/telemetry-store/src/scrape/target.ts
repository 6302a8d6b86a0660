import { Labels } from '@kind-e2e/telemetry';
import type { ScrapeConfig } from './config-model.ts';
import { parsePrometheusDuration } from './config-reader.ts';
import { relabel } from './relabel.ts';

/** Something to scrape, after relabelling. */
export interface Target {
  /** The same for the same target: its labels and its address. */
  readonly key: string;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  /** What its samples carry. */
  readonly labels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export type TargetOutcome =
  | { readonly kind: 'active'; readonly target: Target }
  | { readonly kind: 'dropped'; readonly discoveredLabels: Readonly<Record<string, string>> };

/** From what discovery found to a target (scrape/target.go, `PopulateLabels`). */
export function populateTarget(found: Readonly<Record<string, string>>, config: ScrapeConfig): TargetOutcome {
  const defaults: Record<string, string> = {
    job: config.jobName,
    __scheme__: config.scheme,
    __metrics_path__: config.metricsPath,
    __scrape_interval__: durationText(config.scrapeIntervalMs),
    __scrape_timeout__: durationText(config.scrapeTimeoutMs),
  };
  for (const [name, values] of Object.entries(config.params)) defaults[`__param_${name}`] = values[0] ?? '';
  const discoveredLabels = { ...defaults, ...found };
  const dropped: TargetOutcome = { kind: 'dropped', discoveredLabels };
  const labels = relabel(Labels.fromObject(discoveredLabels), config.relabelConfigs);
  if (!labels) return dropped;
  const address = labels.get('__address__');
  if (address === '' || address.includes('/')) return dropped;
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(config.params))
    for (const value of values) parameters.append(name, value);
  for (const [name, value] of labels) {
    if (!name.startsWith('__param_')) continue;
    const parameter = name.slice('__param_'.length);
    const [, ...more] = parameters.getAll(parameter);
    parameters.delete(parameter);
    for (const each of [value, ...more]) parameters.append(parameter, each);
  }
  const query = parameters.size > 0 ? `?${parameters}` : '';
  const url = `${labels.get('__scheme__')}://${address}${labels.get('__metrics_path__')}${query}`;
  if (!URL.canParse(url)) return dropped;
  const own: [string, string][] = [];
  for (const [name, value] of labels) if (!name.startsWith('__')) own.push([name, value]);
  if (!labels.has('instance')) own.push(['instance', address]);
  const final = Labels.from(own);
  return {
    kind: 'active',
    target: {
      key: `${final.key}\0${url}`,
      discoveredLabels,
      labels: final,
      url,
      intervalMs: parsePrometheusDuration(labels.get('__scrape_interval__')) || config.scrapeIntervalMs,
      timeoutMs: parsePrometheusDuration(labels.get('__scrape_timeout__')) || config.scrapeTimeoutMs,
    },
  };
}

/** As Prometheus prints a duration: `1m30s`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
