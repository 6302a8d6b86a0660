import { expect, test, vi } from 'vitest';
import { commandsOf } from './every-command.ts';
import { StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

test('the plan holds commands of every program and every release', async () => {
  using world = await StandIns.make();
  const commands = commandsOf(world);
  expect(new Set(commands.map((line) => line.split(' ')[0]))).toEqual(new Set(['docker', 'kind', 'kubectl', 'helm']));
  expect(commands.filter((line) => line.startsWith('helm upgrade'))).toHaveLength(13);
  expect(commands.length).toBeGreaterThan(30);
});

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
