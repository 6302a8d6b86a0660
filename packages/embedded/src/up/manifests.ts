import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { LabError } from '@kind-e2e/base';
import type { GroupVersionResource } from '@kind-e2e/kube-api';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { parseAllDocuments } from 'yaml';
import { type WaitOptions, waitFor } from './wait.ts';

const FIELD_MANAGER = 'kind-e2e';

/** Kinds that our manifests hold, and where they are asked for. Istio's are added by `istioResource`. */
const BY_KIND: Readonly<Record<string, GroupVersionResource>> = {
  Namespace: RESOURCES.namespaces,
  ConfigMap: RESOURCES.configmaps,
  Service: RESOURCES.services,
  ServiceAccount: RESOURCES.serviceaccounts,
  EndpointSlice: RESOURCES.endpointslices,
  Deployment: RESOURCES.deployments,
  StatefulSet: RESOURCES.statefulsets,
  Role: RESOURCES.roles,
  RoleBinding: RESOURCES.rolebindings,
  ClusterRole: RESOURCES.clusterroles,
  ClusterRoleBinding: RESOURCES.clusterrolebindings,
};

/** Reads the manifests of a folder in order of their names; `${NAME}` becomes the variable's value, an unknown one fails. */
export async function readManifests(
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<readonly ApiObject[]> {
  const objects: ApiObject[] = [];
  for (const file of globSync('*.yaml', { cwd: folder }).sort()) {
    const text = (await readFile(`${folder}/${file}`, 'utf8'))
      .replace(/^#.*$/gm, '')
      .replace(/\$\{(\w+)\}/g, (_, name: string) => {
        const value = variables[name];
        if (value === undefined)
          throw new LabError(`${file}: unknown variable ${name}`, { code: 'MANIFEST_VARIABLE', side: 'internal' });
        return value;
      });
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as ApiObject | null;
      if (object !== null) objects.push(object);
    }
  }
  return objects;
}

/** Applies objects in order by server-side apply. Objects of one run of equal kinds go at once. */
export async function applyManifests(client: KubeClient, objects: readonly ApiObject[]): Promise<void> {
  for (let start = 0; start < objects.length; ) {
    let end = start;
    while (end < objects.length && objects[end]?.kind === objects[start]?.kind) end++;
    await Promise.all(objects.slice(start, end).map((object) => applyObject(client, object)));
    start = end;
  }
}

async function applyObject(client: KubeClient, object: ApiObject): Promise<void> {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new LabError('a manifest has no name', { code: 'MANIFEST_NAME', side: 'internal' });
  await client.patch(resourceOf(object), { name, ...(namespace === undefined ? {} : { namespace }) }, 'apply', object, {
    fieldManager: FIELD_MANAGER,
    force: true,
  });
}

function resourceOf(object: ApiObject): GroupVersionResource {
  const known = BY_KIND[object.kind ?? ''];
  if (known) return known;
  const [group, version] = (object.apiVersion ?? '').split('/');
  if (group?.endsWith('.istio.io') && version !== undefined && object.kind !== undefined)
    return { group, version, resource: istioPlural(object.kind) };
  throw new LabError(`no resource is known for ${object.apiVersion} ${object.kind}`, {
    code: 'MANIFEST_KIND',
    side: 'internal',
  });
}

/** Istio's plurals: telemetries, gateways, virtualservices, authorizationpolicies. */
function istioPlural(kind: string): string {
  const lower = kind.toLowerCase();
  return lower.endsWith('y') && !lower.endsWith('ay') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** What the manifests and the app's chart need of Istio's kinds; the mesh's control half installs them all. */
const NEEDED_OF_ISTIO: readonly (readonly [path: string, resource: string])[] = [
  ['/apis/networking.istio.io/v1', 'gateways'],
  ['/apis/networking.istio.io/v1', 'virtualservices'],
  ['/apis/telemetry.istio.io/v1', 'telemetries'],
];

/** Waits until Istio's kinds are served. */
export async function waitForIstio(client: KubeClient, wait: Pick<WaitOptions, 'clock' | 'timeoutMs'>): Promise<void> {
  await Promise.all(
    NEEDED_OF_ISTIO.map(([path, resource]) =>
      waitFor(
        async () => {
          const answer = await client.request('GET', path);
          const { resources = [] } = (await answer.json()) as { resources?: readonly { readonly name: string }[] };
          return resources.some(({ name }) => name === resource) ? true : undefined;
        },
        { ...wait, intervalMs: 20, what: `${resource} of Istio to be served` },
      ),
    ),
  );
}
