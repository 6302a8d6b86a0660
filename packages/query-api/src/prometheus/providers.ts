/** What the API tells of things that are not in a store. Whoever scrapes or evaluates rules gives it; shapes are Prometheus'. */
export interface ActiveTarget {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  /** RFC 3339. */
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface DroppedTarget {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
}

export interface TargetMetadata {
  readonly target: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface TargetProvider {
  activeTargets(): readonly ActiveTarget[];
  droppedTargets(): readonly DroppedTarget[];
  targetMetadata(): readonly TargetMetadata[];
  /** The configuration in force, as YAML. */
  configYaml(): string;
}

export interface RuleAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing' | 'inactive';
  readonly activeAt?: string;
  readonly value: string;
}

export type RuleState = {
  readonly name: string;
  readonly query: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
} & (
  | { readonly type: 'recording' }
  | {
      readonly type: 'alerting';
      readonly state: 'pending' | 'firing' | 'inactive';
      readonly duration: number;
      readonly keepFiringFor: number;
      readonly annotations: Readonly<Record<string, string>>;
      readonly alerts: readonly RuleAlert[];
    }
);

export interface RuleGroupState {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly limit: number;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
  readonly rules: readonly RuleState[];
}

export interface RuleProvider {
  groups(): readonly RuleGroupState[];
  alerts(): readonly RuleAlert[];
}

/** `data` of /api/v1/status/tsdb, of a store that can tell. */
export interface StatisticsProvider {
  statistics(): {
    readonly numSeries: number;
    readonly numLabelPairs: number;
    readonly minTime: number;
    readonly maxTime: number;
    readonly seriesCountByMetricName: readonly { readonly name: string; readonly value: number }[];
    readonly seriesCountByLabelValuePair: readonly { readonly name: string; readonly value: number }[];
    readonly labelValueCountByLabelName: readonly { readonly name: string; readonly value: number }[];
    readonly memoryInBytesByLabelName: readonly { readonly name: string; readonly value: number }[];
  };
}
