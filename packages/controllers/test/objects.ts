import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';

const PATIENCE_MS = 15_000;
const STEP_MS = 10;

/** Reads until the condition holds, and gives what was read; fails with the last state. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > end) throw new Error(`the condition did not hold in time: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

export function deployment(
  name: string,
  replicas: number,
  rollingUpdate?: { maxSurge: number | string; maxUnavailable: number | string },
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      ...(rollingUpdate ? { strategy: { type: 'RollingUpdate', rollingUpdate } } : {}),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'x:1' }], terminationGracePeriodSeconds: 0 },
      },
    },
  };
}
