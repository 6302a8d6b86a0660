/** The conversations recorded from kube-apiserver 1.36 (testdata/golden), one request with its answer each. */
import { readFileSync } from 'node:fs';

export interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly pick: ((body: unknown) => unknown) | undefined;
  readonly silent: boolean;
  /** Absent for silent steps. */
  readonly answer: { readonly status: number; readonly body: unknown } | undefined;
}

interface RawStep {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  pick?: (body: unknown) => unknown;
  silent?: boolean;
}

const folder = new URL('../testdata/golden/', import.meta.url);

export async function recordedSteps(scenario: string): Promise<Step[]> {
  const { default: scenarios } = (await import(new URL('scenarios.mjs', folder).href)) as {
    default: Record<string, { steps: RawStep[] }>;
  };
  const answers = new Map(
    readFileSync(new URL('answers.jsonl', folder), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(
        (line) =>
          JSON.parse(line.replaceAll('<ns>', 'golden')) as {
            scenario: string;
            step: number;
            status: number;
            body: unknown;
          },
      )
      .map((answer) => [`${answer.scenario}/${answer.step}`, answer]),
  );
  return (scenarios[scenario]?.steps ?? []).map((step, index) => ({
    name: `${scenario}/${index} ${step.method} ${step.path}`,
    method: step.method,
    path: step.path.replaceAll(/\$\{ns\}/g, 'golden'),
    contentType: step.headers?.['content-type'] ?? 'application/json',
    body: JSON.parse(JSON.stringify(step.body ?? null).replaceAll(/\$\{ns\}/g, 'golden')) as unknown,
    pick: step.pick,
    silent: step.silent === true,
    answer: answers.get(`${scenario}/${index}`),
  }));
}
