import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchTools, OLDEST_TOOLS, PINNED_TOOLS } from '@kind-e2e/embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';
import { HELM_CASES } from './matrix/helm-cases.ts';
import { KUBECTL_CASES, type MatrixCase } from './matrix/kubectl-cases.ts';
import { hasCase, type MatrixSession, openMatrix, runCase } from './matrix/run-matrix.ts';

const SUITES: readonly (readonly [string, readonly MatrixCase[]])[] = [
  ['kubectl', KUBECTL_CASES],
  ['helm', HELM_CASES],
];
const VERSIONS = [
  { minor: 20, tools: OLDEST_TOOLS, node: 'worker-1' },
  { minor: 35, tools: PINNED_TOOLS, node: 'worker-2' },
];

/** Every command of the oldest and the newest clients. The suites run at once, the cases of one in their order. */
describe.concurrent('the matrix of clients', () => {
  let directory: string;
  const sessions = new Map<string, MatrixSession>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kind-e2e-matrix-'));
    const lab = await sharedLab();
    const image = (
      await lab.kubectl('get', 'deploy', 'front-end', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')
    ).stdout;
    for (const { minor, tools, node } of VERSIONS) {
      const paths = await fetchTools(tools, lab.installation.tools);
      for (const [suite] of SUITES) {
        const session = { ...paths, suite, minor, node, image, kubeconfig: lab.kubeconfig };
        sessions.set(
          `${suite}-${minor}`,
          await openMatrix({ ...session, directory: join(directory, `${suite}-${minor}`) }),
        );
      }
    }
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  for (const { minor } of VERSIONS)
    for (const [suite, cases] of SUITES)
      it(`${suite} that came with 1.${minor}`, { timeout: 240_000 }, async () => {
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
