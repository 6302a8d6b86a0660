import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchTools, TESTED_TOOLS } from '@kind-e2e/embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';
import { BREADTH_CASES } from './matrix/breadth-cases.ts';
import { HELM_CASES } from './matrix/helm-cases.ts';
import { KUBECTL_CASES, type MatrixCase } from './matrix/kubectl-cases.ts';
import { hasCase, type MatrixSession, openMatrix, runCase } from './matrix/run-matrix.ts';

/** Suites, and a node for each version that they are run with: to cordon, taint and drain, for nobody else. */
const SUITES: readonly {
  readonly name: string;
  readonly cases: readonly MatrixCase[];
  readonly nodes: Readonly<Record<number, string>>;
}[] = [
  {
    name: 'kubectl',
    cases: KUBECTL_CASES,
    nodes: { 20: 'worker-1', 32: 'worker-2', 35: 'worker-3', 36: 'control-plane-1' },
  },
  { name: 'breadth', cases: BREADTH_CASES, nodes: { 20: 'control-plane-2', 35: 'control-plane-3' } },
  { name: 'helm', cases: HELM_CASES, nodes: { 20: '', 32: '', 35: '', 36: '' } },
];
/** `KIND_E2E_MATRIX=all` runs the versions between as well. */
const IS_WHOLE = process.env.KIND_E2E_MATRIX === 'all';
const USUAL: Readonly<Record<string, readonly number[]>> = { kubectl: [20, 32, 35], breadth: [20, 35], helm: [20, 35] };
const RUNS = SUITES.flatMap(({ name, cases, nodes }) =>
  Object.entries(nodes)
    .map(([minor, node]) => ({ suite: name, cases, node, minor: Number(minor) }))
    .filter(({ suite, minor }) => IS_WHOLE || USUAL[suite]?.includes(minor)),
);

/** Every command of the oldest, the newest and other clients. The suites run at once, the cases of one in their order. */
describe.concurrent('the matrix of clients', () => {
  let directory: string;
  const sessions = new Map<string, MatrixSession>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kind-e2e-matrix-'));
    const lab = await sharedLab();
    const image = (
      await lab.kubectl('get', 'deploy', 'front-end', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')
    ).stdout;
    for (const { suite, minor, node } of RUNS) {
      const tools = TESTED_TOOLS.get(minor);
      if (tools === undefined) throw new Error(`no tools are pinned for 1.${minor}`);
      const paths = await fetchTools(tools, lab.installation.tools);
      const id = `${suite}-${minor}`;
      const session = { ...paths, suite, minor, node, image, kubeconfig: lab.kubeconfig };
      sessions.set(id, await openMatrix({ ...session, directory: join(directory, id) }));
    }
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  for (const { suite, cases, minor } of RUNS)
    it(`${suite} that came with 1.${minor}`, { timeout: 600_000 }, async () => {
      const session = sessions.get(`${suite}-${minor}`);
      if (session === undefined) throw new Error('the session was not opened');
      const failed: string[] = [];
      for (const test of cases) {
        const wrong = hasCase(session, test) ? await runCase(session, test) : undefined;
        if (wrong !== undefined) failed.push(`${test.area}: ${wrong}`);
      }
      expect(failed.join('\n\n')).toBe('');
    });
});
