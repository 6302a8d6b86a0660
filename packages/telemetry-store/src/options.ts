/** How long and how much is kept. */
export interface Retention {
  /** Data older than this goes. Default 7 days. */
  readonly maxAgeMs: number;
  /** Oldest data goes when a signal's file is larger. Default 2 GiB for each of metrics, logs and traces. */
  readonly maxBytes: number;
}

export const DEFAULT_RETENTION: Retention = { maxAgeMs: 7 * 24 * 3_600_000, maxBytes: 2 * 1024 ** 3 };

/** Refusals beyond these are counted and said, never silent. 0 means no limit. */
export interface StoreLimits {
  /** Active series. Default 200,000. */
  readonly maxSeries: number;
  /** Labels of one series or stream. Default 64. */
  readonly maxLabels: number;
  /** UTF-16 units of a label's value. Default 4,096. */
  readonly maxLabelValueLength: number;
  /** Log streams. Default 20,000. */
  readonly maxStreams: number;
  /** Bytes of one log line. Default 256 KiB, as Loki's `max_line_size`. */
  readonly maxLineBytes: number;
  /** Samples, lines and spans taken in a second each, averaged over ten. Default 0: none. */
  readonly maxSamplesPerSecond: number;
  readonly maxLinesPerSecond: number;
  readonly maxSpansPerSecond: number;
  /** How far behind the newest a sample or a line may be. Default 1 hour. */
  readonly outOfOrderWindowMs: number;
  /** How far in the future data may be. Default 10 minutes. */
  readonly maxFutureMs: number;
  /** Size of one span. Default 1 MiB. */
  readonly maxSpanBytes: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  maxSeries: 200_000,
  maxLabels: 64,
  maxLabelValueLength: 4096,
  maxStreams: 20_000,
  maxLineBytes: 256 * 1024,
  maxSamplesPerSecond: 0,
  maxLinesPerSecond: 0,
  maxSpansPerSecond: 0,
  outOfOrderWindowMs: 3_600_000,
  maxFutureMs: 600_000,
  maxSpanBytes: 1024 * 1024,
};

/** `off` keeps everything and takes data of any age, in any order. */
export type RetentionSetting = 'off' | Partial<Retention>;

export function resolveRetention(setting: RetentionSetting | undefined): Retention | undefined {
  return setting === 'off' ? undefined : { ...DEFAULT_RETENTION, ...setting };
}
