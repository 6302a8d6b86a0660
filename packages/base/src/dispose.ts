/** Disposes in reverse order, each once, whatever the others do; throws what failed at the end. */
export class Disposer implements AsyncDisposable {
  readonly #stack: (() => Promise<void> | void)[] = [];
  #done: Promise<void> | undefined;

  /** Takes a resource and gives it back; a resource added after disposal is disposed at once. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(async () => {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    });
    return resource;
  }

  defer(call: () => Promise<void> | void): void {
    if (this.#done) {
      this.#done = this.#done.then(call);
      return;
    }
    this.#stack.push(call);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#done ??= this.#disposeAll();
    return this.#done;
  }

  async #disposeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let call = this.#stack.pop(); call; call = this.#stack.pop()) {
      try {
        await call();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'several resources could not be closed');
  }
}
