import { LabError } from '@kind-e2e/base';
import { expect, test, vi } from 'vitest';
import { resolveSettings } from '../src/options.ts';
import { makePlan } from '../src/plan/plan.ts';
import { StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

/** Every command of the plan, as the plan has it: what is added there is tried here too. */
function commandsOf(world: StandIns): readonly string[] {
  const settings = resolveSettings(world.options());
  const lines = makePlan(settings, 4).steps.flatMap((step) =>
    step.commands.map(({ program, args }) => [program, ...args].join(' ')),
  );
  return [...new Set(lines)];
}

/** Exactly this command line. */
const only = (line: string): string => `^${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

/** What ran side by side with an earlier fault may be done already: it is taken away, so that the command runs again. */
function forget(world: StandIns, line: string): void {
  if (line.startsWith('docker run'))
    for (const kind of ['containers', 'connected']) world.dropThing(kind, 'kind-registry');
  if (line.startsWith('docker start'))
    world.setThing('containers', 'kind-registry', { running: false, labels: { 'kind-e2e.cluster': 'kind-e2e' } });
  if (line.startsWith('docker network')) world.dropThing('connected', 'kind-registry');
  if (line.startsWith('kind create'))
    for (const [kind, name] of [
      ['clusters', 'kind-e2e'],
      ['containers', 'kind-e2e-control-plane'],
    ] as const)
      world.dropThing(kind, name);
  // Repositories lie in Helm's own files, which nobody asks: that they were added is known from the state alone.
  if (line.startsWith('helm repo')) world.forgetStep('repositories');
  const release = /--install (\S+) /.exec(line)?.[1];
  for (const key of world.things('releases')) if (key.endsWith(`/${release}`)) world.dropThing('releases', key);
}

test('the plan holds commands of every program and every release', async () => {
  using world = await StandIns.make();
  const commands = commandsOf(world);
  expect(new Set(commands.map((line) => line.split(' ')[0]))).toEqual(new Set(['docker', 'kind', 'kubectl', 'helm']));
  expect(commands.filter((line) => line.startsWith('helm upgrade'))).toHaveLength(13);
  expect(commands.length).toBeGreaterThan(30);
});

test('each command fails once: the error names it, nothing after it is done, the next run goes on there', async () => {
  using world = await StandIns.make();
  for (const line of commandsOf(world)) {
    forget(world, line);
    world.setFault({ fail: only(line), says: 'no space left on device' });
    const error = await world.up().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error, line).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ code: 'KIND_COMMAND_FAILED', side: 'user' });
    expect((error as LabError).message).toContain('no space left on device');
    expect((error as LabError).message.replaceAll("'", '')).toContain(`$ ${line.split(' ').slice(0, 3).join(' ')}`);
    expect((error as LabError).remedy).toContain('commands.log');
    // What stands on it was not begun.
    const release = /--install (\S+) /.exec(line)?.[1];
    if (release !== undefined) expect(world.things('releases').some((key) => key.endsWith(`/${release}`))).toBe(false);
  }
  world.setFault({});
  world.takeCommands();
  await world.up();
  const commands = world.takeCommands();
  expect(commands.some((line) => line.startsWith('kind create'))).toBe(false);
  expect(world.things('releases')).toHaveLength(13);
  await world.up();
  expect(world.takeCommands().some((line) => line.startsWith('helm upgrade'))).toBe(false);
}, 600_000);

/** What the next run does about the half of a command that an interruption left, beside running it again. */
function repairOf(line: string): string | undefined {
  if (line.startsWith('kind create')) return 'kind delete cluster --name kind-e2e --kubeconfig DATA/kubeconfig';
  const [, release, namespace] = /--install (\S+) .*--namespace (\S+)/.exec(line) ?? [];
  return release && `helm uninstall ${release} --namespace ${namespace}`;
}

test('interrupted in the midst of each command: the next run repairs what was half done and goes on', async () => {
  using world = await StandIns.make();
  const wanted = new Set<string>();
  const done: string[] = [];
  // `helm repo` writes Helm's own files, whole or not at all; `docker start` has no middle.
  const commands = commandsOf(world).filter((line) => !/^(helm repo|docker start)/.test(line));
  for (const line of commands) {
    forget(world, line);
    world.setFault({ hang: only(line) });
    const interrupt = new AbortController();
    const run = world.up({}, interrupt.signal).then(
      () => 'ready',
      (error: Error) => error.message,
    );
    const hangs = vi.waitFor(() => expect(world.hangs, line).toBe(true), { timeout: 90_000, interval: 25 });
    expect(await Promise.race([hangs.then(() => 'hangs'), run]), line).toBe('hangs');
    interrupt.abort(new Error('interrupted'));
    expect(await run, line).toBe('interrupted');
    done.push(...world.takeCommands());
    // One of the next runs does that: what stands side by side has no order.
    const repair = repairOf(line);
    if (repair !== undefined) wanted.add(repair);
  }
  world.setFault({});
  await world.up();
  done.push(...world.takeCommands());
  for (const repair of wanted)
    expect(
      done.some((line) => line.startsWith(repair)),
      repair,
    ).toBe(true);
  expect(wanted.size).toBe(14);
  expect(world.things('releases')).toHaveLength(13);
}, 600_000);

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
