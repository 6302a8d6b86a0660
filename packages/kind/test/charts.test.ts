/**
 * The charts of this repository, rendered by the real Helm (the newest and the oldest that we support) with every
 * combination of values, held against the schemas of Kubernetes and Istio and against what a kube-score or popeye user
 * would want. And that the files around them agree.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchTools, OLDEST_TOOLS, PINNED_PLATFORM, PINNED_TOOLS } from '@kind-e2e/embedded';
import {
  applyDefaults,
  builtinSchema,
  decodeObject,
  type KubeObject,
  parseApiVersion,
  prepareForCreate,
  validateAgainstSchema,
  validateCreate,
} from '@kind-e2e/kube-api';
import { istioCrds, validateIstioObject } from '@kind-e2e/mesh';
import { parseJenkinsfile } from '@kind-e2e/pipelines';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { GATEWAY_NODE_PORT, parseHelmfile } from '../src/index.ts';
import { committedClusterConfig } from './committed-cluster-config.ts';
import { ROOT } from './lab-on-stand-ins.ts';

const TOOLS = join(ROOT, 'node_modules', '.cache', 'kind-e2e', 'tools');
const DASHBOARDS = ['business-logic', 'istio-service', 'kubernetes-pods'];

interface Rendering {
  readonly title: string;
  readonly chart: string;
  readonly namespace: string;
  readonly args: readonly string[];
}

const KIND_APP = ['--values', 'helm/app/values.kind.yaml', '--set-string', 'front-end.image.tag=src-1'];
const app = (title: string, ...args: readonly string[]): Rendering => ({
  title: `app, ${title}`,
  chart: 'helm/app',
  namespace: 'default',
  args,
});
const RENDERINGS: readonly Rendering[] = [
  app('defaults'),
  app('kind', ...KIND_APP),
  app('cluster', ...KIND_APP, '--values', 'helm/app/values.cluster.yaml'),
  app('no gateway', '--set', 'gateway.enabled=false'),
  app('no dashboards', '--set', 'dashboards.enabled=false'),
  app('at the root', '--set', 'gateway.path=/'),
  app('autoscaled', '--set', 'front-end.autoscaling.enabled=true', '--set', 'business-logic.autoscaling.enabled=true'),
  app('mesh policies alone', '--set', 'policies.mesh.enabled=true'),
  app('network policies alone', '--set', 'policies.network.enabled=true'),
  app('disruption budgets', '--set', 'front-end.podDisruptionBudget.enabled=true'),
  app('by digest', '--set', `front-end.image.digest=sha256:${'0'.repeat(64)}`),
  app('other service account', '--set', 'front-end.serviceAccount.name=web', '--set', 'policies.mesh.enabled=true'),
  { title: 'platform, defaults', chart: 'helm/platform', namespace: 'istio-system', args: [] },
  {
    title: 'platform, kind',
    chart: 'helm/platform',
    namespace: 'istio-system',
    args: [
      '--values',
      'helm/platform/values.kind.yaml',
      ...DASHBOARDS.flatMap((name) => ['--set-file', `dashboards.${name}=packages/console/dashboards/${name}.json`]),
    ],
  },
];

interface Crd {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

function checkObject(object: KubeObject): readonly string[] {
  const { group = '', version = '' } = parseApiVersion(object.apiVersion ?? '') ?? {};
  const gvk = { group, version, kind: object.kind ?? '' };
  if (group.endsWith('istio.io')) {
    const crd = (istioCrds() as unknown as readonly Crd[]).find(({ spec }) => spec.names.kind === gvk.kind);
    const schema = crd?.spec.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema;
    if (schema === undefined) return [`${object.apiVersion} ${gvk.kind} is not known to Istio`];
    const errors = validateAgainstSchema(schema as never, object).map((error) => JSON.stringify(error));
    return [...errors, ...validateIstioObject(object as never)];
  }
  const schema = builtinSchema(gvk);
  if (schema === undefined) return [`${object.apiVersion} ${gvk.kind} is not known`];
  const decoded = decodeObject(schema, object);
  const namespaced = gvk.kind === 'Namespace' ? {} : { namespace: 'default' };
  decoded.object.metadata = { ...namespaced, ...(decoded.object.metadata as object) };
  applyDefaults(gvk, decoded.object);
  prepareForCreate(gvk, decoded.object);
  return [...decoded.strictErrors, ...validateCreate(gvk, decoded.object).map((error) => JSON.stringify(error))];
}

interface PodTemplate {
  readonly spec: {
    readonly securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } };
    readonly topologySpreadConstraints?: { topologyKey: string }[];
    readonly automountServiceAccountToken?: boolean;
    readonly containers: {
      readonly image: string;
      readonly resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
      readonly readinessProbe?: object;
      readonly livenessProbe?: object;
      readonly securityContext?: {
        allowPrivilegeEscalation?: boolean;
        readOnlyRootFilesystem?: boolean;
        capabilities?: { drop?: string[] };
      };
    }[];
  };
}

const documents = (text: string): KubeObject[] =>
  parseAllDocuments(text)
    .map((document) => document.toJSON() as KubeObject | null)
    .filter((object): object is KubeObject => object !== null);

const helms: [string, typeof PINNED_TOOLS][] = [
  ['newest', PINNED_TOOLS],
  ['oldest', OLDEST_TOOLS],
];

describe.skipIf(`${process.platform}-${process.arch}` !== PINNED_PLATFORM)('with the real Helm', () => {
  for (const [age, tools] of helms)
    describe(`${age}, ${tools.helmVersion}`, () => {
      const path = join(TOOLS, `${tools.package.split('/').at(-1)}-${tools.version}`, 'helm');
      const helm = (...args: readonly string[]): string =>
        execFileSync(path, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64e6 });
      beforeAll(async () => {
        if (!existsSync(path)) await fetchTools(tools, TOOLS);
      }, 120_000);
      for (const { title, chart, namespace, args } of RENDERINGS) {
        test(`${title}: lint, template, schemas`, () => {
          helm('lint', chart, '--strict', ...args);
          const version = ['--kube-version', '1.37.0'];
          const objects = documents(helm('template', 'app', chart, '--namespace', namespace, ...version, ...args));
          expect(objects.length).toBeGreaterThan(3);
          for (const object of objects)
            expect({ object: `${object.kind} ${object.metadata?.name}`, problems: checkObject(object) }).toEqual({
              object: `${object.kind} ${object.metadata?.name}`,
              problems: [],
            });
        });
      }

      test('policies of the app on kind: limits, probes, non-root, no latest, budgets, spread, who may call', () => {
        const objects = documents(helm('template', 'app', 'helm/app', ...KIND_APP, '--kube-version', '1.37.0'));
        const ofKind = (kind: string): KubeObject[] => objects.filter((object) => object.kind === kind);
        const deployments = ofKind('Deployment');
        expect(deployments.map(({ metadata }) => metadata?.name).sort()).toEqual(['business-logic', 'front-end']);
        for (const deployment of deployments) {
          const { replicas, template } = (
            deployment as unknown as { spec: { replicas: number; template: PodTemplate } }
          ).spec;
          expect(replicas).toBeGreaterThan(1);
          const { spec } = template;
          expect(spec.securityContext).toMatchObject({
            runAsNonRoot: true,
            seccompProfile: { type: 'RuntimeDefault' },
          });
          expect(spec.automountServiceAccountToken).toBe(false);
          expect(spec.topologySpreadConstraints?.[0]?.topologyKey).toBe('kubernetes.io/hostname');
          for (const container of spec.containers) {
            for (const kind of ['limits', 'requests'] as const)
              expect(Object.keys(container.resources?.[kind] ?? {}).sort()).toEqual([
                'cpu',
                'ephemeral-storage',
                'memory',
              ]);
            expect(container.readinessProbe).toBeDefined();
            expect(container.livenessProbe).toBeDefined();
            expect(container.readinessProbe).not.toEqual(container.livenessProbe);
            expect(container.securityContext).toEqual({
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            });
            expect(container.image).toMatch(/^localhost:5001\/[\w-]+:(?!latest)[\w.-]+$/);
          }
        }
        expect(ofKind('PodDisruptionBudget')).toHaveLength(2);
        expect(ofKind('PeerAuthentication')[0]).toMatchObject({ spec: { mtls: { mode: 'STRICT' } } });
        expect(ofKind('AuthorizationPolicy')).toHaveLength(3);
        expect(ofKind('NetworkPolicy')).toHaveLength(4);
      });

      test('agents of the pipeline may change every kind that the app has, in its namespace, and nothing else', () => {
        const platform = (...args: readonly string[]): KubeObject[] =>
          documents(helm('template', 'platform', 'helm/platform', '--kube-version', '1.37.0', ...args));
        const args = ['--values', 'helm/platform/values.kind.yaml', '--set-string', 'pipeline.appNamespace=shop'];
        const role = platform(...args).find(({ kind }) => kind === 'Role') as unknown as {
          metadata: { namespace: string };
          rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
        };
        expect(role.metadata.namespace).toBe('shop');
        for (const { kind = '', apiVersion = '' } of RENDERINGS.filter(({ chart }) => chart === 'helm/app').flatMap(
          ({ chart, args: values }) => documents(helm('template', 'app', chart, '--kube-version', '1.37.0', ...values)),
        )) {
          const { group = '' } = parseApiVersion(apiVersion) ?? {};
          const resource = `${kind.toLowerCase().replace(/cy$/, 'cie')}s`;
          const rule = role.rules.find(
            ({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(resource),
          );
          expect(rule?.verbs, `${group} ${resource}`).toEqual(expect.arrayContaining(['create', 'patch', 'delete']));
        }
        expect(role.rules.flatMap(({ resources, verbs }) => [...resources, ...verbs])).not.toContain('*');
        expect(platform().some(({ kind }) => kind === 'Role')).toBe(false);
      });

      test('the defaults, as the embedded engine installs them, hold no policies', () => {
        const objects = documents(helm('template', 'app', 'helm/app', '--kube-version', '1.37.0'));
        for (const kind of ['PeerAuthentication', 'AuthorizationPolicy', 'NetworkPolicy', 'PodDisruptionBudget'])
          expect(objects.some((object) => object.kind === kind)).toBe(false);
      });

      test('values that are not known are refused by the schemas', () => {
        for (const wrong of ['policies.mesh.enabeld=true', 'policies.network.enabled=maybe', 'front-end.replicas=3'])
          expect(() => helm('template', 'app', 'helm/app', '--set', wrong)).toThrow(/schema|not allowed|Invalid type/i);
      });
    });
});

test('the check itself finds what is wrong', () => {
  const metadata = { name: 'x' };
  const found = (object: object): readonly string[] => checkObject(object as KubeObject);
  expect(found({ apiVersion: 'v1', kind: 'ConfigMap', metadata, dta: {} })).not.toEqual([]);
  expect(found({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 99_999 }] } })).not.toEqual([]);
  const security = { apiVersion: 'security.istio.io/v1', metadata };
  expect(found({ ...security, kind: 'PeerAuthentication', spec: { mtls: { mode: 'STRIKT' } } })).not.toEqual([]);
});

describe('the files around them', () => {
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const helmfile = parseHelmfile(read('helmfile.yaml'));

  test('kind/cluster.yaml is what the code makes', () => {
    expect(read('kind/cluster.yaml')).toBe(committedClusterConfig());
    const config = parse(read('kind/cluster.yaml')) as { nodes: { role: string; image: string }[] };
    expect(config.nodes.map(({ role }) => role)).toEqual([
      ...Array(3).fill('control-plane'),
      ...Array(3).fill('worker'),
    ]);
    for (const { image } of config.nodes) expect(image).toMatch(/^kindest\/node:v1\.37\.0@sha256:[0-9a-f]{64}$/);
  });

  test('every release pins its chart and has values that are there and are YAML', () => {
    expect(helmfile.releases).toHaveLength(13);
    for (const release of helmfile.releases) {
      if (!release.chart.startsWith('./')) expect(release.version, release.name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(release.values.length, release.name).toBeGreaterThan(0);
      for (const file of release.values) expect(typeof parse(read(file), { merge: true })).toBe('object');
      for (const set of release.set) if ('file' in set) expect(existsSync(join(ROOT, set.file))).toBe(true);
    }
  });

  test('the port of the gateway is the same in values and cluster', () => {
    expect(read('helm/istio-ingressgateway/values.yaml')).toContain(`nodePort: ${GATEWAY_NODE_PORT}`);
    expect(read('kind/cluster.yaml')).toContain(`containerPort: ${GATEWAY_NODE_PORT}`);
  });

  test('Grafana leads from logs to traces, from traces to logs, from exemplars to traces', () => {
    const grafana = parse(read('helm/grafana/values.yaml')) as {
      datasources: { 'datasources.yaml': { datasources: { uid: string; jsonData: Record<string, never> }[] } };
    };
    const [prometheus, loki, jaeger] = ['prometheus', 'loki', 'jaeger'].map(
      (uid) => grafana.datasources['datasources.yaml'].datasources.find((source) => source.uid === uid)?.jsonData,
    );
    expect(prometheus).toMatchObject({ exemplarTraceIdDestinations: [{ datasourceUid: 'jaeger' }] });
    expect(loki).toMatchObject({
      derivedFields: [{ matcherRegex: '(?:trace_id)=(\\w+)', datasourceUid: 'jaeger' }, {}],
    });
    expect(jaeger).toMatchObject({
      tracesToLogsV2: { datasourceUid: 'loki', tags: [{ key: 'service.name', value: 'app' }] },
    });
  });

  test('namespaces and audit policy are what the API server takes', () => {
    for (const file of ['kind/namespaces.yaml', 'kind/namespaces.cluster.yaml'])
      for (const object of documents(read(file))) expect(checkObject(object)).toEqual([]);
    const policy = parse(read('kind/audit-policy.yaml')) as { kind: string; rules: { level: string }[] };
    expect(policy.kind).toBe('Policy');
    for (const { level } of policy.rules) expect(['None', 'Metadata', 'Request']).toContain(level);
  });

  test('Jenkins: agents have the label that the Jenkinsfile asks for, the job builds that file', () => {
    const values = parse(read('helm/jenkins/values.yaml')) as {
      agent: { containerCap: number; customJenkinsLabels: string[] };
    };
    const { agent } = parseJenkinsfile(read('jenkins/Jenkinsfile'));
    expect(agent.kind === 'label' ? values.agent.customJenkinsLabels : []).toContain(
      agent.kind === 'label' ? agent.label.join('') : undefined,
    );
    expect(values.agent.containerCap).toBe(3);
    const jcasc = parse(read('jenkins/jcasc.yaml')) as { jobs: { script: string }[] };
    expect(jcasc.jobs[0]?.script).toContain("scriptPath('jenkins/Jenkinsfile')");
    expect(jcasc.jobs[0]?.script).toContain("'${PIPELINE_REPOSITORY:-}'");
    const jenkins = helmfile.releases.find(({ name }) => name === 'jenkins');
    expect(jenkins?.set).toEqual([{ name: 'controller.JCasC.configScripts.lab', file: 'jenkins/jcasc.yaml' }]);
  });

  test('every dashboard of the console is among those of Grafana', () => {
    const platform = helmfile.releases.find(({ name }) => name === 'platform');
    expect(platform?.set.map(({ name }) => name)).toEqual(DASHBOARDS.map((name) => `dashboards.${name}`));
  });
});
