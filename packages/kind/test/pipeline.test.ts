/** What a lab on real Kubernetes gives its Jenkins: an agent image, a repository, the registry by both names, rights. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { ROOT, StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

const REPOSITORY = 'https://git.example/you/kind-e2e.git';
const find = (commands: readonly string[], start: string): string =>
  commands.find((line) => line.startsWith(start)) ?? `no ${start} in\n${commands.join('\n')}`;

test('the agent image is built and pushed before Jenkins is installed with it', async () => {
  using world = await StandIns.make();
  await world.up({ repository: REPOSITORY });
  const commands = world.takeCommands();
  const image = `localhost:${world.ports.registry}/jenkins-agent`;
  const tag = new RegExp(`docker push ${image}:(src-\\w+)$`).exec(find(commands, `docker push ${image}`))?.[1];
  expect(tag).toBeDefined();
  const jenkins = find(commands, 'helm upgrade --install jenkins ');
  expect(commands.indexOf(`docker build --tag ${image}:${tag} jenkins/agent`)).toBeGreaterThan(-1);
  expect(commands.indexOf(jenkins)).toBeGreaterThan(commands.indexOf(`docker push ${image}:${tag}`));
  for (const value of [
    `agent.image.repository=${image}`,
    `agent.image.tag=${tag}`,
    'controller.containerEnv[0].name=PIPELINE_REPOSITORY',
    `controller.containerEnv[0].value=${REPOSITORY}`,
    'agent.envVars[0].name=REGISTRY',
    `agent.envVars[0].value=localhost:${world.ports.registry}`,
    'agent.envVars[1].name=PUSH_REGISTRY',
    'agent.envVars[1].value=http://kind-registry:5000',
  ])
    expect(jenkins).toContain(`--set-string ${value} `);
  expect(find(commands, 'helm upgrade --install platform ')).toContain('--set-string pipeline.appNamespace=default ');
  expect(JSON.parse(readFileSync(join(world.dataDir, 'state.json'), 'utf8'))).toMatchObject({ repository: REPOSITORY });
});

test('the values file has the same variables at the same places', () => {
  const values = parse(readFileSync(join(ROOT, 'helm', 'jenkins', 'values.yaml'), 'utf8')) as {
    controller: { containerEnv: object[] };
    agent: { envVars: object[]; image?: object };
    serviceAccountAgent: object;
  };
  expect(values.controller.containerEnv).toEqual([{ name: 'PIPELINE_REPOSITORY', value: '' }]);
  expect(values.agent.envVars.slice(0, 2)).toEqual([
    { name: 'REGISTRY', value: 'localhost:5001' },
    { name: 'PUSH_REGISTRY', value: 'http://kind-registry:5000' },
  ]);
  const platform = parse(readFileSync(join(ROOT, 'helm', 'platform', 'values.yaml'), 'utf8')) as {
    pipeline: { serviceAccount: string };
  };
  expect(values.serviceAccountAgent).toEqual({ create: true, name: platform.pipeline.serviceAccount });
});

test('another repository upgrades Jenkins alone', async () => {
  using world = await StandIns.make();
  await world.up({ repository: REPOSITORY });
  world.takeCommands();
  await world.up({ repository: 'git@git.example:you/other.git' });
  expect(world.takeCommands().filter((line) => /^helm upgrade/.test(line))).toEqual([
    expect.stringContaining('controller.containerEnv[0].value=git@git.example:you/other.git '),
  ]);
});

test('without a repository the plan says what to pass, and Jenkins gets no job', async () => {
  using world = await StandIns.make();
  const signal = new AbortController().signal;
  expect(await world.lab().describe(signal)).toContain('Jenkins has no job: name the repository');
  expect(await world.lab({ repository: REPOSITORY }).describe(signal)).not.toContain('Jenkins has no job');
  expect(await world.lab({ app: false }).describe(signal)).toContain('--no-app');
  world.takeCommands();
  await world.up();
  expect(find(world.takeCommands(), 'helm upgrade --install jenkins ')).toContain(
    'controller.containerEnv[0].value= --set-string',
  );
});

test('without the app there is no agent image, and agents may nothing', async () => {
  using world = await StandIns.make();
  await world.up({ app: false, repository: REPOSITORY });
  const commands = world.takeCommands();
  expect(find(commands, 'helm upgrade --install jenkins ')).not.toMatch(/agent\.image|PIPELINE_REPOSITORY/);
  expect(find(commands, 'helm upgrade --install platform ')).toContain('--set pipeline.enabled=false ');
});

test('on another cluster agents push where its nodes pull, and may deploy into the namespace of the app', async () => {
  using world = await StandIns.make();
  world.setMachine({ contexts: ['prod'] });
  const options = { engine: 'cluster', context: 'prod', imageRegistry: 'ghcr.io/someone', oneNode: false } as const;
  await world.up({ ...options, ports: {}, repository: REPOSITORY });
  const commands = world.takeCommands();
  const jenkins = find(commands, 'helm upgrade --install jenkins ');
  expect(jenkins).toContain('agent.image.repository=ghcr.io/someone/jenkins-agent ');
  expect(jenkins).toContain('agent.envVars[1].value=ghcr.io/someone ');
  expect(find(commands, 'helm upgrade --install platform ')).toContain('pipeline.appNamespace=demo-app ');
});

test('a repository that Jenkins cannot be given is refused before anything is made', async () => {
  using world = await StandIns.make();
  for (const repository of ['/srv/git', 'https://you:secret@git.example/x', "https://git.example/x'"])
    expect(() => world.lab({ repository }), repository).toThrow(/not a URL that Jenkins can be given/);
  expect(world.takeCommands()).toEqual([]);
});

test("the agent's Node is that of the apps; both bases are pinned by digest; nothing runs as root", () => {
  const read = (folder: string): string => readFileSync(join(ROOT, folder, 'Dockerfile'), 'utf8');
  const agent = read('jenkins/agent');
  const node = /^ARG NODE_IMAGE=(\S+)$/m.exec(agent)?.[1];
  expect(node).toMatch(/node:24-.*@sha256:[0-9a-f]{64}$/);
  for (const app of ['front-end', 'business-logic']) expect(read(`apps/${app}`)).toContain(`ARG NODE_IMAGE=${node}\n`);
  expect(agent).toMatch(/^ARG AGENT_IMAGE=\S+\/inbound-agent:\S+@sha256:[0-9a-f]{64}$/m);
  expect([...agent.matchAll(/^USER (\S+)$/gm)].at(-1)?.[1]).toBe('1000:1000');
});
