/** Whether all that change an object have a second look at it (`admission/reinvocation.go`). */
export class Reinvocation {
  readonly webhooks = new Reinvocable();
  readonly policies = new Reinvocable();
  #isWanted = false;
  #isSecond = false;

  /** True while the plugins run for the second time. */
  get isSecond(): boolean {
    return this.#isSecond;
  }

  /** Begins the second round where something asked for it. */
  begin(): boolean {
    this.#isSecond = this.#isWanted;
    return this.#isSecond;
  }

  /** One of them changed the object: those of its sort that were asked before have to see it. */
  require(sort: Reinvocable): void {
    this.#isWanted = true;
    sort.askAgain();
  }
}

/**
 * Which webhooks or policies are asked again in the second round of one write
 * (`webhook/mutating/reinvocationcontext.go`, `policy/mutating/reinvocationcontext.go`).
 */
export class Reinvocable {
  #asked = new Set<string>();
  readonly #again = new Set<string>();
  #lastOutput: string | undefined;

  /** One that may be asked again (`reinvocationPolicy: IfNeeded`) was asked. */
  add(id: string): void {
    this.#asked.add(id);
  }

  /** Where others changed what these left, they have to see it, too. */
  begin(isSecond: boolean, object: string): void {
    if (isSecond && this.#lastOutput !== object) this.askAgain();
  }

  end(object: string): void {
    this.#lastOutput = object;
  }

  isAskedAgain(id: string): boolean {
    return this.#again.has(id);
  }

  askAgain(): void {
    for (const id of this.#asked) this.#again.add(id);
    this.#asked = new Set();
  }
}
