import { LabError } from '@kind-e2e/base';
import type { Lab } from './lab.ts';

export interface PodRequest {
  /** As kubectl names it: `deployment/caller`, `pod/caller`. */
  readonly from: string;
  /** Default `default`. */
  readonly namespace?: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** So many requests at once. Default 1. */
  readonly count?: number;
}

/** What came back; status 0 where nothing did, with the error's code (`ECONNREFUSED`, `ENOTFOUND`) as text. */
export interface PodAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Sends requests from inside a pod, as its own programs would: by service names, through its sidecar. They run in one
 * program there, so that a hundred take as long as one.
 */
export async function requestFromPod(lab: Lab, request: PodRequest): Promise<readonly PodAnswer[]> {
  const { from, namespace = 'default', url, count = 1, method, headers, body } = request;
  const program = `
    const one = () => fetch(${JSON.stringify(url)}, ${JSON.stringify({ method, headers, body })})
      .then(async (answer) => ({ status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }))
      .catch((error) => ({ status: 0, headers: {}, text: error.cause?.code ?? error.message }));
    Promise.all(Array.from({ length: ${count} }, one)).then((all) => console.log(JSON.stringify(all)));`;
  const result = await lab.kubectl('exec', `--namespace=${namespace}`, from, '--', 'node', '-e', program);
  if (result.exitCode !== 0)
    throw new LabError(`no request could be sent from ${from} in ${namespace}: ${result.stderr.trim()}`, {
      code: 'EXEC_FAILED',
      side: 'user',
    });
  return JSON.parse(result.stdout) as PodAnswer[];
}
