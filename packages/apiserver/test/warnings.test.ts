/** What kube-apiserver 1.36 says of objects that are valid but odd, as `Warning` headers. */
import { createAuthority } from '@kind-e2e/pki';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { warningHeaders } from '../src/http/warning-headers.ts';
import { startServer, type TestServer } from './harness.ts';
import { APPS, BATCH, CORE, type Json, MERGE, map, of, service, template } from './refused-requests.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.ask('POST', `${CORE}/serviceaccounts`, of('v1', 'ServiceAccount', 'default', {}));
  await server.ask('POST', `${CORE}/configmaps`, map('seed', { a: '1' }));
});
afterAll(() => server[Symbol.asyncDispose]());

const pair = createAuthority({ commonName: 'pair' }).issue({
  subject: { commonName: 'a' },
  altNames: { dnsNames: ['a'], ipAddresses: [] },
  use: 'server',
});
const other = createAuthority({ commonName: 'other' }).issue({
  subject: { commonName: 'a' },
  altNames: { dnsNames: ['a'], ipAddresses: [] },
  use: 'server',
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const tls = (certificate: string, key: string): Json =>
  of('v1', 'Secret', 't', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) },
  });
const pod = (spec: Json, metadata: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec: { schedulerName: 'nobody', containers: [{ name: 'a', image: 'x' }], ...spec },
});
const container = (more: Json): Json => ({ containers: [{ name: 'a', image: 'x', ...more }] });
const items = (...paths: string[]): Json[] => paths.map((path, index) => ({ key: `k${index}`, path }));
const set = (name: string, spec: Json, metadata: Json = {}): Json =>
  of('apps/v1', 'ReplicaSet', name, {
    spec: {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' }, ...metadata }, spec: { ...container({}), ...spec } },
    },
  });

interface Warned {
  readonly name: string;
  readonly path: string;
  readonly body: Json;
  readonly warns: readonly string[];
}

const CASES: readonly Warned[] = [
  { name: 'a pod that is as it should be', path: `${CORE}/pods`, body: pod({}), warns: [] },
  {
    name: 'a pod whose name is no label',
    path: `${CORE}/pods`,
    body: pod({}, { name: 'a.b' }),
    warns: [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  },
  {
    name: 'an owner that is named twice',
    path: `${CORE}/configmaps`,
    body: {
      ...map('owned', {}),
      metadata: {
        name: 'owned',
        ownerReferences: [1, 2].map(() => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '7' })),
      },
    },
    warns: [
      '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: 7',
    ],
  },
  {
    name: 'labels of nodes that are gone',
    path: `${CORE}/pods`,
    body: pod({
      nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              preference: {
                matchExpressions: [{ key: 'node-role.kubernetes.io/master', operator: 'In', values: ['-'] }],
              },
            },
          ],
        },
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] },
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'failure-domain.beta.kubernetes.io/zone',
          whenUnsatisfiable: 'ScheduleAnyway',
        },
      ],
    }),
    warns: [
      'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: - is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
    ],
  },
  {
    name: 'what a pod says twice',
    path: `${CORE}/pods`,
    body: pod({
      ...container({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '$(A)2' },
          { name: 'A', value: '3' },
        ],
        ports: [
          { name: 'http', containerPort: 80 },
          { containerPort: 80, hostPort: 8080 },
        ],
      }),
      initContainers: [
        {
          name: 'i',
          image: 'x',
          restartPolicy: 'Always',
          ports: [{ name: 'http', containerPort: 81, hostIP: '127.0.0.1' }],
        },
      ],
      hostAliases: [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }],
      imagePullSecrets: [{ name: 's' }, { name: 's' }, {}],
      terminationGracePeriodSeconds: -1,
    }),
    warns: [
      'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
      'spec.imagePullSecrets[1].name: duplicate name "s"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
      'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
      'spec.initContainers[0].ports[0]: hostIP set without hostPort: {Name:http HostPort:0 ContainerPort:81 Protocol:TCP HostIP:127.0.0.1}',
      'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[0]: duplicate port name "http" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]',
      'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ],
  },
  {
    name: 'files of a volume over each other',
    path: `${CORE}/pods`,
    body: pod({
      volumes: [
        { name: 'c', configMap: { name: 'm', items: items('a', 'a/b', 'c') } },
        {
          name: 'p',
          projected: {
            sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 's', items: items('token') } }],
          },
        },
        { name: 'f', flocker: { datasetName: 'd' } },
      ],
    }),
    warns: [
      'spec.volumes[2].flocker: deprecated in v1.22, non-functional in v1.25+',
      'volume "c" (ConfigMap "m"): overlapping paths: "a/b" with "a"',
      'volume "p" (Projected): overlapping paths: "token" (Secret "s") with "token" (ServiceAccountToken)',
    ],
  },
  {
    name: 'bytes that are no whole number',
    path: `${APPS}/replicasets`,
    body: set('bytes', container({ resources: { requests: { memory: '128m' }, limits: { memory: '1500m' } } })),
    warns: [
      'spec.template.spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.template.spec.containers[0].resources.requests[memory]: fractional byte value "128m" is invalid, must be an integer',
    ],
  },
  {
    name: 'annotations of old in a template',
    path: `${APPS}/replicasets`,
    body: set(
      'a.b',
      {},
      {
        annotations: {
          'scheduler.alpha.kubernetes.io/critical-pod': '',
          'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
          'container.apparmor.security.beta.kubernetes.io/a': 'runtime/default',
        },
      },
    ),
    warns: [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      'spec.template.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the "appArmorProfile" field instead',
    ],
  },
  {
    name: 'a stateful set',
    path: `${APPS}/statefulsets`,
    body: of('apps/v1', 'StatefulSet', 's', {
      spec: {
        selector: { matchLabels: { a: 's' } },
        template: template({ a: 's' }),
        revisionHistoryLimit: -1,
        volumeClaimTemplates: [
          {
            metadata: { name: 'v' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } } },
          },
        ],
      },
    }),
    warns: [
      'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    ],
  },
  {
    name: 'a job of very many indexes',
    path: `${BATCH}/jobs`,
    body: of('batch/v1', 'Job', 'j', {
      spec: {
        completionMode: 'Indexed',
        completions: 100_001,
        parallelism: 10_001,
        suspend: true,
        template: template({}, { restartPolicy: 'Never' }),
      },
    }),
    warns: [
      'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
    ],
  },
  {
    name: 'addresses of a service',
    path: `${CORE}/services`,
    body: service({ externalIPs: ['2001:DB8::1'], ports: [{ port: 80 }], trafficDistribution: 'PreferClose' }),
    warns: [
      'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  },
  {
    name: 'a headless service with what it does not use',
    path: `${CORE}/services`,
    body: service({ clusterIP: 'None', sessionAffinity: 'ClientIP', externalName: 'a.example', ports: [{ port: 80 }] }),
    warns: [
      'spec.SessionAffinity is ignored for headless services',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
  },
  {
    name: 'an ingress with the class in an annotation',
    path: '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
    body: {
      ...of('networking.k8s.io/v1', 'Ingress', 'i', {
        spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
      }),
      metadata: { name: 'i', annotations: { 'kubernetes.io/ingress.class': 'nginx' } },
    },
    warns: [`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`],
  },
  {
    name: 'endpoints, whose version is deprecated',
    path: `${CORE}/endpoints`,
    body: of('v1', 'Endpoints', 'e', { subsets: [{ addresses: [{ ip: 'FD00::1' }], ports: [{ port: 80 }] }] }),
    warns: [
      'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
      'subsets[0].addresses[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
    ],
  },
  {
    name: 'endpoints by name',
    path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    body: of('discovery.k8s.io/v1', 'EndpointSlice', 'e', {
      addressType: 'FQDN',
      endpoints: [{ addresses: ['a.example'] }],
      ports: [],
    }),
    warns: ['spec.addressType: FQDN endpoints are deprecated'],
  },
  {
    name: 'a volume that is recycled',
    path: '/api/v1/persistentvolumes',
    body: of('v1', 'PersistentVolume', 'v', {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/a' },
        persistentVolumeReclaimPolicy: 'Recycle',
      },
    }),
    warns: [
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    ],
  },
  {
    name: 'a class of storage by old labels',
    path: '/apis/storage.k8s.io/v1/storageclasses',
    body: of('storage.k8s.io/v1', 'StorageClass', 's', {
      provisioner: 'a.example/p',
      allowedTopologies: [
        { matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] },
      ],
    }),
    warns: [
      'allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    ],
  },
  {
    name: 'a pair that is one',
    path: `${CORE}/secrets`,
    body: tls(pair.certPem, pair.keyPem),
    warns: [],
  },
  {
    name: 'a pair that is none',
    path: `${CORE}/secrets`,
    body: tls(pair.certPem, other.keyPem),
    warns: ['tls: private key does not match public key'],
  },
  {
    name: 'a pair the wrong way around',
    path: `${CORE}/secrets`,
    body: tls(pair.keyPem, pair.certPem),
    warns: [
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
  },
  {
    name: 'no pair at all',
    path: `${CORE}/secrets`,
    body: tls('x', 'y'),
    warns: ['tls: failed to find any PEM data in certificate input'],
  },
];

const warningsIn = (header: string | string[] | undefined): string[] =>
  [...String(header ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));

test.each(CASES)('$name', async ({ path, body, warns }) => {
  const answer = await server.ask('POST', `${path}?dryRun=All`, body);
  expect(answer.status, answer.text).toBe(201);
  expect(warningsIn(answer.headers.warning)).toEqual(warns);
});

test('a template is looked at again when the spec changes, and only then', async () => {
  const path = `${APPS}/replicasets`;
  const body = set('again', { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } });
  const warning =
    'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead';
  expect(warningsIn((await server.ask('POST', path, body)).headers.warning)).toEqual([warning]);
  const patch = (change: Json): Promise<string[]> =>
    server
      .ask('PATCH', `${path}/again`, change, { 'content-type': MERGE })
      .then(({ headers }) => warningsIn(headers.warning));
  expect(await patch({ metadata: { labels: { x: 'y' } } })).toEqual([]);
  expect(await patch({ spec: { minReadySeconds: 1 } })).toEqual([warning]);
});

test('a deprecated version is warned of in every answer', async () => {
  const warning = ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'];
  expect(warningsIn((await server.ask('GET', `${CORE}/endpoints`)).headers.warning)).toEqual(warning);
  expect(warningsIn((await server.ask('GET', `${CORE}/endpoints/none`)).headers.warning)).toEqual(warning);
  expect(warningsIn((await server.ask('GET', `${CORE}/endpoints?watch=1&timeoutSeconds=1`)).headers.warning)).toEqual(
    warning,
  );
});

test('warnings are sent once, without control characters, and cut where they are too many', () => {
  expect(warningHeaders(['a "b"', 'a "b"', '', 'c\nd'])).toEqual(['299 - "a \\"b\\""']);
  expect(warningHeaders(['ä'])).toEqual([`299 - "${Buffer.from('ä').toString('latin1')}"`]);
  const long = Array.from({ length: 30 }, (_, index) => `${index}`.padEnd(300, 'x'));
  const cut = warningHeaders(long);
  expect(cut).toHaveLength(16);
  expect(cut[0]).toHaveLength('299 - ""'.length + 256);
});
