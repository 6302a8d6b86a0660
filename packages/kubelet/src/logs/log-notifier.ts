/** Tells those who follow a log file that it grew, was rotated or is complete. */
export class LogNotifier {
  readonly #listeners = new Map<string, Set<() => void>>();

  notify(path: string): void {
    for (const call of this.#listeners.get(path) ?? []) call();
  }

  listen(path: string, call: () => void): Disposable {
    const known = this.#listeners.get(path) ?? new Set();
    this.#listeners.set(path, known.add(call));
    return {
      [Symbol.dispose]: () => {
        known.delete(call);
        if (known.size === 0) this.#listeners.delete(path);
      },
    };
  }
}
