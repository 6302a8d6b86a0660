/** What proxies report, and where to. */
export interface TelemetrySettings {
  readonly tracing?: TracingSettings;
  readonly accessLog?: AccessLogSettings;
  /** Default true. */
  readonly metrics?: boolean;
  /** Changes of the standard metrics' labels. */
  readonly tagOverrides?: readonly TagOverride[];
}

export interface TagOverride {
  /** `REQUEST_COUNT`, … or `ALL_METRICS`. */
  readonly metric: string;
  readonly reporter?: 'source' | 'destination';
  readonly tag: string;
  /** Absent: the tag is removed. Otherwise a quoted constant. */
  readonly value?: string;
  readonly disabled?: boolean;
}

export interface TracingSettings {
  /** Zipkin v2 JSON is POSTed here: `http://127.8.1.7:9411/api/v2/spans`. */
  readonly zipkinUrls: readonly string[];
  /** Part of the traces that begin here which is kept, 0 to 100. */
  readonly samplingPercent: number;
  readonly meshId?: string;
  readonly clusterId?: string;
  /** Longest value of `http.url`. Default 256. */
  readonly maxPathTagLength?: number;
  readonly customTags?: Readonly<Record<string, CustomTag>>;
  /** Which spans are reported: both sides unless one is turned off. */
  readonly disableServerSpans?: boolean;
  readonly disableClientSpans?: boolean;
}

export type CustomTag =
  | { readonly literal: string }
  | { readonly header: string; readonly defaultValue?: string }
  | { readonly environment: string; readonly defaultValue?: string };

export interface AccessLogSettings {
  readonly encoding: 'TEXT' | 'JSON';
  /** Envoy format string (TEXT). Default: Istio's. */
  readonly text?: string;
  /** Envoy format strings by key (JSON). Default: Istio's. */
  readonly json?: Readonly<Record<string, string>>;
  /** Log only these: `response.code >= 400` and the like. */
  readonly filter?: string;
}
