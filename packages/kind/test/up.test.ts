import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { StandIns } from './lab-on-stand-ins.ts';

// Every command is a program that starts: slow where many tests run at once.
vi.setConfig({ testTimeout: 120_000 });

const RELEASES = [
  'default/app',
  'istio-system/alloy',
  'istio-system/grafana',
  'istio-system/istio-base',
  'istio-system/istio-cni',
  'istio-system/istio-ingressgateway',
  'istio-system/istiod',
  'istio-system/jaeger',
  'istio-system/kiali',
  'istio-system/loki',
  'istio-system/platform',
  'istio-system/prometheus',
  'jenkins/jenkins',
];

test('first run: everything is made, in an order in which it can be, by the right commands', async () => {
  using world = await StandIns.make();
  const events = await world.up({ oneNode: false, controlPlanes: 3, workers: 3 });
  expect(events.filter(({ state }) => state === 'failed')).toEqual([]);
  const commands = world.takeCommands();
  const { registry } = world.ports;
  const at = (text: string): number => {
    const index = commands.findIndex((line) => line.startsWith(text));
    expect(index, `${text} in\n${commands.join('\n')}`).toBeGreaterThan(-1);
    return index;
  };
  // Nothing is made before the last check.
  expect(commands.findIndex((line) => /^(docker run|kind create|helm upgrade)/.test(line))).toBeGreaterThan(
    at('kind get clusters'),
  );
  at(
    `docker run --detach --restart=always --publish 127.0.0.1:${registry}:5000 --network bridge --name kind-registry --label kind-e2e.cluster=kind-e2e registry:3@sha256:`,
  );
  const create = at(
    'kind create cluster --name kind-e2e --config DATA/cluster.yaml --kubeconfig DATA/kubeconfig --wait 5m',
  );
  for (const node of ['control-plane', 'control-plane2', 'control-plane3', 'worker', 'worker2', 'worker3']) {
    const hosts = `/etc/containerd/certs.d/localhost:${registry}/hosts.toml`;
    at(`docker exec -i kind-e2e-${node} cp /dev/stdin ${hosts}`);
    expect(world.thing('files', `kind-e2e-${node}:${hosts}`)).toBe('[host."http://kind-registry:5000"]\n');
  }
  expect(at('docker network connect kind kind-registry')).toBeGreaterThan(create);
  expect(world.thing('configmaps', 'local-registry-hosting')).toContain(`host: "localhost:${registry}"`);
  for (const app of ['front-end', 'business-logic']) {
    expect(at(`docker push localhost:${registry}/${app}:src-`)).toBeGreaterThan(
      at(`docker build --tag localhost:${registry}/${app}:src-`),
    );
    expect(at('helm upgrade --install app ./helm/app')).toBeGreaterThan(at(`docker push localhost:${registry}/${app}`));
  }
  const install = (name: string): number => at(`helm upgrade --install ${name} `);
  expect(install('istio-base')).toBeLessThan(install('istiod'));
  expect(install('istiod')).toBeLessThan(install('istio-ingressgateway'));
  expect(install('istiod')).toBeLessThan(install('platform'));
  expect(install('platform')).toBeLessThan(install('grafana'));
  expect(install('prometheus')).toBeLessThan(install('kiali'));
  expect(install('istio-ingressgateway')).toBeLessThan(install('app'));
  expect(commands[install('istiod')]).toBe(
    'helm upgrade --install istiod istio/istiod --version 1.30.4 --namespace istio-system --values helm/istiod/values.yaml --wait --timeout 600s --force-conflicts --kubeconfig DATA/kubeconfig --kube-context kind-kind-e2e',
  );
  expect(world.things('releases')).toEqual(RELEASES);
  expect(world.things('namespaces')).toEqual(['default', 'istio-system', 'jenkins']);
  expect(world.things('merged')).toEqual([]);
  expect(world.asked).toContain(`http://localhost:${world.ports.gateway}/demo-app/`);
  const log = readFileSync(join(world.dataDir, 'log', 'commands.log'), 'utf8');
  for (const line of commands)
    expect(log.replaceAll(world.dataDir, 'DATA')).toContain(line.split(' ').slice(0, 3).join(' '));
});

test('no command but those about versions goes to another cluster than ours', async () => {
  using world = await StandIns.make();
  await world.up();
  for (const line of world.takeCommands()) {
    if (/^helm (list|upgrade|uninstall|rollback)/.test(line))
      expect(line).toContain('--kubeconfig DATA/kubeconfig --kube-context kind-kind-e2e');
    if (line.startsWith('kubectl') && !line.includes('--client'))
      expect(line).toContain('--kubeconfig DATA/kubeconfig --context kind-kind-e2e');
  }
});

test('second run: what holds is not done again, a changed app is', async () => {
  using world = await StandIns.make();
  await world.up();
  world.takeCommands();
  const events = await world.up();
  const commands = world.takeCommands();
  expect(commands.filter((line) => /^(helm upgrade|helm repo|kind create|kind delete|docker run)/.test(line))).toEqual(
    [],
  );
  expect(events.filter(({ state }) => state === 'skipped').map(({ step }) => step.id)).toContain('cluster');
  // A release that somebody removed comes back, alone.
  const { rmSync } = await import('node:fs');
  rmSync(join(world.world, 'releases', encodeURIComponent('istio-system/kiali')));
  await world.up();
  expect(world.takeCommands().filter((line) => line.startsWith('helm upgrade'))).toEqual([
    expect.stringContaining('helm upgrade --install kiali '),
  ]);
});

test('a registry that was stopped is started, not made again', async () => {
  using world = await StandIns.make();
  await world.up();
  world.takeCommands();
  world.setThing('containers', 'kind-registry', { running: false, labels: { 'kind-e2e.cluster': 'kind-e2e' } });
  await world.up();
  const commands = world.takeCommands();
  expect(commands).toContain('docker start kind-registry');
  expect(commands.some((line) => line.startsWith('docker run'))).toBe(false);
});

test('Helm 3 gets no flags of Helm 4', async () => {
  using world = await StandIns.make();
  world.setMachine({ helmVersion: 'v3.8.1+g5cb9af4' });
  await world.up();
  expect(world.takeCommands().some((line) => /^helm .*--force-conflicts/.test(line))).toBe(false);
  expect(world.things('releases')).toEqual(RELEASES);
});

test('--no-app leaves images, app and URLs out', async () => {
  using world = await StandIns.make();
  await world.up({ app: false });
  expect(world.takeCommands().some((line) => /^docker (build|push)/.test(line))).toBe(false);
  expect(world.things('releases')).toEqual(RELEASES.filter((key) => key !== 'default/app'));
  expect(world.asked).toEqual([]);
});

test('--merge-kubeconfig, and only it, writes to the kubeconfig of the user', async () => {
  using world = await StandIns.make();
  await world.up({ mergeKubeconfig: true, app: false });
  expect(world.things('merged')).toEqual(['kind-e2e']);
  world.takeCommands();
  await world.lab({ app: false }).down(new AbortController().signal);
  expect(world.takeCommands()).toContain('kind delete cluster --name kind-e2e');
});

test('the dry run shows every command that a first run runs, and makes nothing', async () => {
  using world = await StandIns.make();
  const text = (await world.lab().describe(new AbortController().signal)).replaceAll(world.dataDir, 'DATA');
  expect(world.takeCommands()).toEqual(['helm version --short']);
  expect(existsSync(join(world.dataDir, 'state.json'))).toBe(false);
  await world.up();
  const made = world
    .takeCommands()
    .filter((line) =>
      /^(docker (run|exec|network|build|push)|kind create|helm (repo|upgrade)|kubectl .*apply)/.test(line),
    );
  expect(made.length).toBeGreaterThan(25);
  // What a shell would read otherwise is quoted.
  const unquoted = text.replaceAll("'", '');
  for (const line of made) expect(unquoted).toContain(line);
  expect(text).toContain('GET http://localhost:');
  expect(text).toContain('kind: Cluster');
});

test('another cluster: the same releases, no cluster of our own, the context in every command', async () => {
  using world = await StandIns.make();
  world.setMachine({ contexts: ['prod'] });
  const options = {
    engine: 'cluster',
    context: 'prod',
    imageRegistry: 'ghcr.io/someone',
    oneNode: false,
    ports: {},
  } as const;
  await world.up(options);
  const commands = world.takeCommands();
  expect(world.things('releases')).toEqual(RELEASES.map((key) => key.replace('default/app', 'demo-app/app')).sort());
  expect(commands.some((line) => /^(kind|docker (run|network|exec))/.test(line))).toBe(false);
  for (const line of commands)
    if (/^(helm (list|upgrade)|kubectl .*(apply|readyz))/.test(line)) {
      expect(line).toMatch(/--(kube-)?context prod/);
      expect(line).not.toContain('--kubeconfig');
    }
  expect(commands.find((line) => line.includes('--install istio-ingressgateway'))).toContain(
    '--values helm/istio-ingressgateway/values.cluster.yaml',
  );
  expect(commands).toContainEqual(expect.stringContaining('docker push ghcr.io/someone/front-end:src-'));
  await world.lab(options).down(new AbortController().signal);
  expect(world.things('releases')).toEqual([]);
  const uninstalled = world.takeCommands().filter((line) => line.startsWith('helm uninstall'));
  expect(uninstalled.at(-1)).toContain('istio-base');
});
