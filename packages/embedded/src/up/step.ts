/** One thing that `up` does. Steps run in order; what they print goes through `say`. */
export interface Step {
  readonly title: string;
  /** Says what it waits for as often as that changes. Throws a LabError on failure. */
  run(say: (detail: string) => void, signal: AbortSignal): Promise<void>;
}
