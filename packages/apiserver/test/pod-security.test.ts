/** The Pod Security Standards by a namespace's labels, in the words of pod-security-admission. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { type Json, MERGE, of, template } from './refused-requests.ts';

let server: TestServer;
const PREFIX = 'pod-security.kubernetes.io/';
const namespace = (name: string, labels: Record<string, string>): Json => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [`${PREFIX}${key}`, value])),
  },
});

beforeAll(async () => {
  server = await startServer();
  for (const [name, labels] of [
    ['base', { enforce: 'baseline' }],
    ['strict', { enforce: 'restricted' }],
    ['old', { enforce: 'restricted', 'enforce-version': 'v1.20' }],
    ['warned', { warn: 'restricted', 'warn-version': 'v1.24' }],
  ] as const) {
    await server.ask('POST', '/api/v1/namespaces', namespace(name, labels));
    await server.ask('POST', `/api/v1/namespaces/${name}/serviceaccounts`, of('v1', 'ServiceAccount', 'default', {}));
  }
});
afterAll(() => server[Symbol.asyncDispose]());

const pod = (spec: Json): Json =>
  of('v1', 'Pod', 'p', { spec: { schedulerName: 'nobody', containers: [{ name: 'a', image: 'x' }], ...spec } });
const SAFE = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

test.each<[string, string, Json, string]>([
  [
    'everything that the baseline forbids, in its order',
    'base',
    pod({
      hostNetwork: true,
      hostPID: true,
      securityContext: {
        seLinuxOptions: { type: 'spc_t', user: 'u' },
        seccompProfile: { type: 'Unconfined' },
        appArmorProfile: { type: 'Unconfined' },
        sysctls: [{ name: 'kernel.panic', value: '1' }],
      },
      containers: [
        {
          name: 'a',
          image: 'x',
          ports: [{ containerPort: 9100, hostPort: 9100 }],
          securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN', 'CHOWN'] } },
        },
        {
          name: 'b',
          image: 'x',
          livenessProbe: { httpGet: { port: 80, host: '10.0.0.9' } },
          securityContext: { privileged: true, capabilities: { add: ['BPF'] } },
        },
      ],
      volumes: [{ name: 'h', hostPath: { path: '/' } }],
    }),
    'pods "p" is forbidden: violates PodSecurity "baseline:latest": forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined"), non-default capabilities (containers "a", "b" must not include "BPF", "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h"), hostPort (container "a" uses hostPort 9100), probe or lifecycle host (container "b" uses probe or lifecycle host "10.0.0.9"), privileged (containers "a", "b" must not set securityContext.privileged=true), seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set), seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.panic)',
  ],
  [
    'a plain pod where the restricted level is enforced',
    'strict',
    pod({}),
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  [
    'what a restricted pod may not set',
    'strict',
    pod({
      hostIPC: true,
      securityContext: { runAsNonRoot: false, runAsUser: 0, seccompProfile: { type: 'Unconfined' } },
      containers: [
        {
          name: 'a',
          image: 'x',
          securityContext: { ...SAFE, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['CHOWN'] } },
        },
      ],
      volumes: [
        { name: 'h', hostPath: { path: '/' } },
        { name: 'n', nfs: { server: 's', path: '/' } },
      ],
    }),
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostIPC=true), unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add), restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs"), runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod and container "a" must not set runAsUser=0), seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    'the restricted level as it once was',
    'old',
    pod({}),
    'pods "p" is forbidden: violates PodSecurity "restricted:v1.20": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
])('%s', async (_name, where, body, message) => {
  const answer = await server.ask('POST', `/api/v1/namespaces/${where}/pods`, body);
  expect(answer.body).toMatchObject({ code: 403, reason: 'Forbidden', message });
});

test('pods and templates are warned of where only that is asked', async () => {
  const words = (at: string): string =>
    `299 - "would violate PodSecurity \\"restricted:${at}\\": allowPrivilegeEscalation != false (container \\"a\\" must set securityContext.allowPrivilegeEscalation=false), `;
  const made = await server.ask('POST', '/api/v1/namespaces/warned/pods', pod({}));
  expect(made.status).toBe(201);
  expect(String(made.headers.warning)).toContain(words('v1.24'));
  const set = of('apps/v1', 'ReplicaSet', 'r', {
    spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template: template({ a: 'b' }) },
  });
  const answer = await server.ask('POST', '/apis/apps/v1/namespaces/strict/replicasets', set);
  expect(answer.status).toBe(201);
  expect(String(answer.headers.warning)).toContain(words('latest'));
});

test('a namespace with labels that are none', async () => {
  const answer = await server.ask(
    'POST',
    '/api/v1/namespaces',
    namespace('bad', { enforce: 'strict', 'warn-version': '1.2' }),
  );
  expect(answer.body).toMatchObject({
    code: 422,
    message:
      'Namespace "bad" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
  });
});

test('a namespace that becomes stricter is told of its pods', async () => {
  await server.ask('POST', '/api/v1/namespaces', namespace('rising', {}));
  const path = '/api/v1/namespaces/rising';
  await server.ask('POST', `${path}/serviceaccounts`, of('v1', 'ServiceAccount', 'default', {}));
  for (const name of ['b', 'a', 'c'])
    await server.ask('POST', `${path}/pods`, {
      ...pod({ hostNetwork: name !== 'c' }),
      metadata: { name },
    });
  const answer = await server.ask(
    'PATCH',
    path,
    { metadata: { labels: { [`${PREFIX}enforce`]: 'baseline' } } },
    { 'content-type': MERGE },
  );
  expect(answer.status).toBe(200);
  expect(String(answer.headers.warning)).toBe(
    '299 - "existing pods in namespace \\"rising\\" violate the new PodSecurity enforce level \\"baseline:latest\\"", 299 - "a (and 1 other pod): host namespaces"',
  );
});
