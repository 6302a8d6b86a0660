import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { type Machine, StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

const signal = new AbortController().signal;

async function problemsOf(world: StandIns, options: Parameters<StandIns['lab']>[0] = {}): Promise<string> {
  const findings = await world.lab(options).preflight(signal);
  for (const { state, remedy, check } of findings) if (state === 'problem') expect(remedy, check).toBeTruthy();
  return findings
    .filter(({ state }) => state === 'problem')
    .map(({ check, detail, remedy }) => `${check}: ${detail} => ${remedy}`)
    .join('\n');
}

test('a good machine has no problems', async () => {
  using world = await StandIns.make();
  expect(await problemsOf(world)).toBe('');
  expect(await problemsOf(world, { oneNode: false, controlPlanes: 3, workers: 3 })).toBe('');
});

const MACHINES: readonly [string, Partial<Machine>, RegExp][] = [
  [
    'Docker does not run',
    { dockerDown: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' },
    /^Docker: not reachable: Cannot connect.*systemctl start docker/,
  ],
  [
    'Docker is not allowed',
    { dockerDown: 'permission denied while trying to connect to the Docker daemon socket' },
    /usermod -aG docker/,
  ],
  ['Docker is old', { dockerVersion: '20.10.7' }, /^Docker: version 20\.10\.7; 23\.0\.0 or newer/],
  ['few CPUs', { cpus: 2 }, /^Docker's CPUs: 2; six nodes need 4 => .*--one-node/],
  ['little memory', { memory: 4e9 }, /^Docker's memory: 4\.0 GB; six nodes need 7\.5 GB => .*--one-node/],
  ['kind is old', { kindVersion: '0.24.0' }, /^kind: version 0\.24\.0; 0\.33\.0 or newer is needed => /],
  ['Helm is old', { helmVersion: 'v2.17.0+ga690bad' }, /^helm: version 2\.17\.0; 3\.8\.0 or newer/],
  ['kubectl is old', { kubectlVersion: '1.20.0' }, /^kubectl: version 1\.20\.0; 1\.32\.0 or newer/],
];

for (const [title, machine, expected] of MACHINES)
  test(`problem: ${title}`, async () => {
    using world = await StandIns.make();
    world.setMachine(machine);
    expect(await problemsOf(world, { oneNode: false, controlPlanes: 3, workers: 3 })).toMatch(expected);
  });

for (const name of ['docker', 'kind', 'helm', 'kubectl'])
  test(`problem: ${name} is not there`, async () => {
    using world = await StandIns.make();
    world.removeProgram(name);
    expect(await problemsOf(world)).toMatch(new RegExp(`${name} was not found => install it: https://`, 'i'));
  });

test('problem: a disk that is nearly full', async () => {
  using world = await StandIns.make();
  world.setMachine({ dockerRoot: '/proc' });
  expect(await problemsOf(world)).toMatch(/Docker's disk: 0\.0 GB free at \/proc.* => docker system prune/);
});

test('problem: inotify limits, with the command that raises them', async () => {
  using world = await StandIns.make();
  world.setInotify(8_192, 128);
  expect(await problemsOf(world)).toContain(
    'sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512',
  );
});

test('problem: each port that another program has', async () => {
  using world = await StandIns.make();
  for (const [name, port] of Object.entries(world.ports)) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const problems = await problemsOf(world);
    await new Promise((resolve) => server.close(resolve));
    expect(problems).toContain(`Port ${port}: taken by another program; it is for the ${name}`);
    expect(problems).toContain(`--${name}-port`);
  }
});

test('problem: a cluster and a registry of the same names that are not ours', async () => {
  using world = await StandIns.make();
  world.setThing('clusters', 'kind-e2e', { answers: true });
  world.setThing('containers', 'kind-registry', { running: true, labels: {} });
  const problems = await problemsOf(world);
  expect(problems).toContain('kind delete cluster --name kind-e2e');
  expect(problems).toContain('docker rm --force kind-registry');
});

test('problem: a cluster that did not survive a reboot, with the way to make it anew', async () => {
  using world = await StandIns.make();
  await world.up({ app: false });
  world.setThing('clusters', 'kind-e2e', { answers: false });
  world.setThing('containers', 'kind-e2e-control-plane', {
    running: false,
    labels: { 'io.x-k8s.kind.cluster': 'kind-e2e' },
  });
  expect(await problemsOf(world)).toMatch(/did not survive, probably a reboot: 1 of its nodes .*--rebuild/);
  expect(await problemsOf(world, { rebuild: true })).toBe('');
});

test('problem: a cluster that was made with other options', async () => {
  using world = await StandIns.make();
  await world.up({ app: false });
  expect(await problemsOf(world, { oneNode: false, controlPlanes: 1, workers: 1 })).toContain(
    'made with other options',
  );
});

test('with a problem nothing is made, and all problems are told at once', async () => {
  using world = await StandIns.make();
  world.setMachine({ cpus: 1, kindVersion: '0.20.0' });
  world.setInotify(1, 1);
  await expect(world.up()).rejects.toMatchObject({
    code: 'KIND_PREFLIGHT',
    side: 'user',
    message: expect.stringMatching(/3 things are in the way; nothing was made/),
  });
  expect(world.takeCommands().filter((line) => /run|create|apply|upgrade|repo|build|push/.test(line))).toEqual([]);
});

const CLUSTERS: readonly [string, Partial<Machine>, RegExp][] = [
  ['the context is not there', {}, /the context prod does not answer: error: context "prod" does not exist/],
  ['Kubernetes is old', { contexts: ['prod'], serverVersion: 'v1.29.4' }, /Kubernetes 1\.29; Istio 1\.30 needs 1\.32/],
  ['no administrator', { contexts: ['prod'], isAdmin: false }, /Rights: you are no administrator of prod/],
];

for (const [title, machine, expected] of CLUSTERS)
  test(`problem of another cluster: ${title}`, async () => {
    using world = await StandIns.make();
    world.setMachine(machine);
    const options = { engine: 'cluster', context: 'prod', app: false, oneNode: false } as const;
    expect(await problemsOf(world, options)).toMatch(expected);
  });

test('problem of another cluster: releases of others, unless they are to be adopted', async () => {
  using world = await StandIns.make();
  world.setMachine({ contexts: ['prod'] });
  world.setThing('releases', 'istio-system/istiod', { name: 'istiod', namespace: 'istio-system', status: 'deployed' });
  const options = { engine: 'cluster', context: 'prod', app: false, oneNode: false } as const;
  expect(await problemsOf(world, options)).toMatch(/istio-system\/istiod => .*--adopt/);
  expect(await problemsOf(world, { ...options, adopt: true })).toBe('');
});
