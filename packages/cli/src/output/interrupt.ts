/** Ctrl-C (and SIGTERM, SIGHUP) as an abort signal; a second one ends the process at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  wait(): Promise<void>;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function waitForInterrupt(): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('interrupted'));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    wait: () =>
      new Promise((resolve) => {
        if (controller.signal.aborted) {
          resolve();
          return;
        }
        // A listener alone keeps no process alive.
        const stayAlive = setInterval(() => undefined, 0x7fffffff);
        controller.signal.addEventListener('abort', () => {
          clearInterval(stayAlive);
          resolve();
        });
      }),
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
