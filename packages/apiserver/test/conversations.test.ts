import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_TOKEN, startServer, type TestServer } from './harness.ts';
import { runMiniControllers } from './mini-controllers.ts';

/**
 * Recorded conversations with kube-apiserver 1.36.2 (`testdata/kubernetes`), replayed. What differs, and why:
 *
 * - The recorded server had OpenShift's service CA patch: each pod's token volume has a fourth source, the ConfigMap
 *   `openshift-service-ca.crt`, which Kubernetes does not have. It is also why the diffs of pod updates begin 18 lines
 *   later there, and why the quota counts more ConfigMaps.
 * - The deployment controller of the recorded cluster had written status and managedFields before two of the patches
 *   that fail; their error shows the whole object. This test runs without that controller.
 */
const EXPLAINED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [0, 2, 4, 6, 24, 25, 28, 36, 37, 55, 59, 61].map((step) => [`pods/${step}`, 'openshift-service-ca.crt']),
  ),
  'pods/33': 'line numbers of the diff',
  'pods/34': 'line numbers of the diff',
  'pods/35': 'line numbers of the diff',
  'objects/38': 'count of ConfigMaps that controllers made',
  'patches/32': 'status of the deployment controller',
  'patches/39': 'status of the deployment controller',
};

const REPLAY = fileURLToPath(new URL('../testdata/kubernetes/replay.mjs', import.meta.url));
const SCENARIOS = [
  'discovery',
  'pods',
  'objects',
  'workloads',
  'patches',
  'apply',
  'concurrency',
  'watch',
  'customresources',
  'access',
];

let server: TestServer;
const ending = new AbortController();
let controllers: Promise<void>;
beforeAll(async () => {
  server = await startServer();
  controllers = runMiniControllers(server.api.url, ending.signal);
});
afterAll(async () => {
  ending.abort();
  await controllers;
  await server[Symbol.asyncDispose]();
});

function replay(scenario: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [REPLAY, server.api.url, '--token', ADMIN_TOKEN, '--only', scenario, '--show', '400'],
      { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000, maxBuffer: 64 << 20 },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

describe('conversations with kube-apiserver', () => {
  // managedFields are sorted by time: a conversation in which the second changes lists them in another order than the
  // recorded one, here as there. It is then held once more.
  test.each(SCENARIOS)('%s', { timeout: 90_000, retry: 2 }, async (scenario) => {
    const output = await replay(scenario);
    expect(output).toMatch(/\d+ passed, \d+ failed/);
    const unexplained = output
      .split(/^(?=DIFFERS )/m)
      .filter((part) => part.startsWith('DIFFERS '))
      .filter((part) => EXPLAINED[/^DIFFERS (\S+)/.exec(part)?.[1] ?? ''] === undefined);
    expect(unexplained).toEqual([]);
  });
});
