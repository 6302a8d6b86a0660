import { LabError } from '@kind-e2e/base';
import { expect, test, vi } from 'vitest';
import { StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

/** Every command of a first run that makes something, in one lab: each fails once, and the next run goes on. */
const COMMANDS = [
  '^helm repo add istio ',
  '^helm repo update',
  '^docker run ',
  '^kind create cluster',
  '^docker exec kind-e2e-control-plane mkdir',
  '^docker exec -i kind-e2e-control-plane cp',
  '^docker network connect',
  '^kubectl .*apply', // wiring: the ConfigMap
  '^docker build --tag \\S*front-end',
  '^docker push \\S*business-logic',
  ...['istio-base', 'istiod', 'istio-cni', 'istio-ingressgateway', 'platform', 'jaeger', 'prometheus', 'loki'].map(
    (name) => `^helm upgrade --install ${name} `,
  ),
  ...['alloy', 'grafana', 'kiali', 'jenkins', 'app'].map((name) => `^helm upgrade --install ${name} `),
];

/** What ran side by side with an earlier fault may be done already: it is taken away, so that the command runs again. */
function forget(world: StandIns, pattern: string): void {
  if (pattern.startsWith('^docker run'))
    for (const kind of ['containers', 'connected']) world.dropThing(kind, 'kind-registry');
  if (pattern.startsWith('^docker network')) world.dropThing('connected', 'kind-registry');
  if (pattern.startsWith('^kind create'))
    for (const [kind, name] of [
      ['clusters', 'kind-e2e'],
      ['containers', 'kind-e2e-control-plane'],
    ] as const)
      world.dropThing(kind, name);
  const release = /--install (\S+) /.exec(pattern)?.[1];
  for (const key of world.things('releases')) if (key.endsWith(`/${release}`)) world.dropThing('releases', key);
}

test('each command fails once: the error names it, nothing after it is done, the next run goes on there', async () => {
  using world = await StandIns.make();
  for (const fail of COMMANDS) {
    forget(world, fail);
    world.setFault({ fail, says: 'no space left on device' });
    const error = await world.up().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error, fail).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ code: 'KIND_COMMAND_FAILED', side: 'user' });
    expect((error as LabError).message).toContain('no space left on device');
    expect((error as LabError).message).toMatch(new RegExp(fail.replace('^', '\\$ ').trim()));
    expect((error as LabError).remedy).toContain('commands.log');
  }
  world.setFault({});
  world.takeCommands();
  await world.up();
  const commands = world.takeCommands();
  expect(commands.some((line) => line.startsWith('kind create'))).toBe(false);
  expect(world.things('releases')).toHaveLength(13);
  await world.up();
  expect(world.takeCommands().some((line) => line.startsWith('helm upgrade'))).toBe(false);
}, 240_000);

/** Interrupted in the midst of each kind of step; what is half done is repaired by the next run. */
const INTERRUPTED: readonly { readonly at: string; readonly repairedBy?: string }[] = [
  { at: '^docker run ' },
  { at: '^kind create cluster', repairedBy: 'kind delete cluster --name kind-e2e --kubeconfig DATA/kubeconfig' },
  { at: '^docker exec kind-e2e-control-plane mkdir' },
  { at: '^docker network connect' },
  { at: '^kubectl .*apply' },
  { at: '^docker build --tag \\S*front-end' },
  { at: '^docker push \\S*business-logic' },
  { at: '^helm upgrade --install istio-base ', repairedBy: 'helm uninstall istio-base --namespace istio-system' },
  { at: '^helm upgrade --install istiod ', repairedBy: 'helm uninstall istiod --namespace istio-system' },
  { at: '^helm upgrade --install jenkins ', repairedBy: 'helm uninstall jenkins --namespace jenkins' },
  { at: '^helm upgrade --install app ', repairedBy: 'helm uninstall app --namespace default' },
];

test('interrupted in the midst of each step: the next run repairs what was half done and goes on', async () => {
  using world = await StandIns.make();
  for (const step of INTERRUPTED) {
    forget(world, step.at);
    world.setFault({ hang: step.at });
    world.takeCommands();
    const interrupt = new AbortController();
    const run = world.up({}, interrupt.signal).then(
      () => 'ready',
      () => 'interrupted',
    );
    await vi.waitFor(() => expect(world.hangs, step.at).toBe(true), { timeout: 20_000, interval: 25 });
    interrupt.abort(new Error('interrupted'));
    expect(await run, step.at).toBe('interrupted');
    if (step.repairedBy === undefined) continue;
    world.setFault({});
    world.takeCommands();
    await world.up();
    expect(world.takeCommands().join('\n')).toContain(step.repairedBy);
  }
  world.setFault({});
  world.takeCommands();
  await world.up();
  expect(world.things('releases')).toHaveLength(13);
}, 240_000);

test('an upgrade that was interrupted is rolled back before the next', async () => {
  using world = await StandIns.make();
  await world.up({ app: false });
  world.setThing('releases', 'istio-system/loki', {
    name: 'loki',
    namespace: 'istio-system',
    chart: 'loki-18.13.1',
    status: 'pending-upgrade',
  });
  world.takeCommands();
  await world.up({ app: false });
  const helm = world.takeCommands().filter((line) => /^helm (rollback|upgrade)/.test(line));
  expect(helm[0]).toContain('helm rollback loki --namespace istio-system');
  expect(helm[1]).toContain('helm upgrade --install loki ');
});

test('--rebuild makes the cluster and everything on it anew', async () => {
  using world = await StandIns.make();
  await world.up({ app: false });
  world.takeCommands();
  await world.up({ app: false, rebuild: true });
  const commands = world.takeCommands();
  const remove = commands.findIndex((line) => line.startsWith('kind delete cluster'));
  expect(remove).toBeGreaterThan(-1);
  expect(commands.findIndex((line) => line.startsWith('kind create cluster'))).toBeGreaterThan(remove);
  expect(commands.filter((line) => line.startsWith('helm upgrade'))).toHaveLength(12);
});

test('down removes cluster and registry of ours and nothing else; twice is fine', async () => {
  using world = await StandIns.make();
  world.setThing('clusters', 'other', { answers: true });
  world.setThing('containers', 'other-control-plane', {
    running: true,
    labels: { 'io.x-k8s.kind.cluster': 'other' },
  });
  await world.up({ app: false });
  const signal = new AbortController().signal;
  expect(await world.lab().down(signal)).toEqual(['cluster kind-e2e', 'registry kind-registry']);
  expect(world.things('clusters')).toEqual(['other']);
  expect(world.things('containers')).toEqual(['other-control-plane']);
  expect(await world.lab().down(signal)).toEqual([]);
});

test('down without a lab touches no cluster and no registry of others', async () => {
  using world = await StandIns.make();
  world.setThing('clusters', 'kind-e2e', { answers: true });
  world.setThing('containers', 'kind-registry', { running: true, labels: {} });
  expect(await world.lab().down(new AbortController().signal)).toEqual([]);
  expect(world.things('clusters')).toEqual(['kind-e2e']);
  expect(world.things('containers')).toEqual(['kind-registry']);
  expect(world.takeCommands().some((line) => /delete| rm /.test(line))).toBe(false);
});

test('a URL that does not answer is an error with what it says', async () => {
  using world = await StandIns.make();
  await expect(world.up({ askUrl: async () => 503, urlTimeoutMs: 10 })).rejects.toMatchObject({
    code: 'KIND_URL_SILENT',
    message: expect.stringContaining('it answers 503'),
  });
});
