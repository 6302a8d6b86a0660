/** What a check found; the same shape as the findings of `kind-e2e doctor`. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  /** The command, or the sentence, that mends it. */
  readonly remedy?: string;
}
