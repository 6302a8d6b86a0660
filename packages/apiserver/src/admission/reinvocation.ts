/** Which webhooks are asked again in the second round of one write (`webhook/mutating/reinvocationcontext.go`). */
export class Reinvocation {
  #isWanted = false;
  #isSecond = false;
  #asked = new Set<string>();
  readonly #again = new Set<string>();
  #lastOutput: string | undefined;

  /** True while the plugins run for the second time. */
  get isSecond(): boolean {
    return this.#isSecond;
  }

  /** Begins the second round where something asked for it. */
  begin(): boolean {
    this.#isSecond = this.#isWanted;
    return this.#isSecond;
  }

  /** A webhook that may be asked again (`reinvocationPolicy: IfNeeded`) was asked. */
  add(webhook: string): void {
    this.#asked.add(webhook);
  }

  /** The object changed: those that were asked before have to see it. */
  require(): void {
    this.#isWanted = true;
    this.#askAgain();
  }

  /** Where our own plugins changed what the webhooks left, those webhooks have to see it, too. */
  beginWebhooks(object: string): void {
    if (this.#isSecond && this.#lastOutput !== object) this.#askAgain();
  }

  endWebhooks(object: string): void {
    this.#lastOutput = object;
  }

  isAskedAgain(webhook: string): boolean {
    return this.#again.has(webhook);
  }

  #askAgain(): void {
    for (const webhook of this.#asked) this.#again.add(webhook);
    this.#asked = new Set();
  }
}
