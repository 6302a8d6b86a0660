import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, startLab } from '@kind-e2e/lab';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Recorded answers of the real systems, where they lie beside the checkout; the packages' own tests hold copies. */
const GOLDEN = join(import.meta.dirname, '..', '..', '..', 'shared', 'golden');

/** Steps of the recorded conversations in which we differ (docs/reference/kubernetes-differences.md). */
const PODS = [0, 2, 4, 6, 24, 25, 28, 33, 34, 35, 36, 37, 55, 59, 61];
const EXPLAINED: ReadonlyMap<string, string> = new Map([
  ...PODS.map((step): [string, string] => [
    `pods/${step}`,
    "the recorded server's distribution puts a ConfigMap of its own, openshift-service-ca.crt, into every token volume",
  ]),
  ['patches/32', 'the printed object names the recorded controller manager, a program called kube-kcm'],
  ['patches/39', 'as patches/32'],
  [
    'objects/38',
    "the count in the message holds ConfigMaps that the distribution's controllers make in each namespace",
  ],
]);
describe.runIf(existsSync(GOLDEN))('recorded answers of the real systems', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ app: false, retention: 'off' });
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  async function check(program: string, ...args: string[]): Promise<string> {
    const result = await execa(process.execPath, [join(GOLDEN, program), ...args], { reject: false, all: true });
    return result.all;
  }

  it('Prometheus', async () => {
    const base = `http://127.0.0.1:${lab.config.ports.prometheus}`;
    expect(await check('check-promql.mjs', base, join(GOLDEN, 'promql'), '--load')).toMatch(/^\d+ passed, 0 failed$/m);
  });

  it('Loki', async () => {
    const base = `http://127.0.0.1:${lab.config.ports.loki}`;
    expect(await check('check-logql.mjs', base, join(GOLDEN, 'logql'), '--load')).toMatch(/^\d+ passed, 0 failed$/m);
  });

  it('kube-apiserver', async () => {
    const token = /token: (\S+)/.exec(readFileSync(lab.kubeconfig, 'utf8'))?.[1] ?? '';
    const answer = await check(
      'kubernetes/replay.mjs',
      `https://127.0.0.1:${lab.config.ports.api}`,
      '--token',
      token,
      '--show',
      '400',
    );
    expect(answer).toMatch(/^\d+ passed, \d+ failed$/m);
    const different = [...answer.matchAll(/^DIFFERS (\S+)/gm)].map(([, step]) => step ?? '');
    expect(
      different.filter((step) => !EXPLAINED.has(step)),
      answer,
    ).toEqual([]);
  });
});
