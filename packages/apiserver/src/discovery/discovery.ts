import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import { isVirtual } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';

export const KUBERNETES_VERSION = { major: '1', minor: '36', gitVersion: 'v1.36.2' } as const;

/** Answers `/version`, health and discovery; false for any other path. */
export async function serveDiscovery(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<boolean> {
  const json = (value: unknown): Promise<void> => sendText(request, response, JSON.stringify(value));
  const parts = path.split('/').filter((part) => part !== '');
  if (path === '/healthz' || path === '/livez' || path === '/readyz') {
    await sendText(request, response, 'ok', { contentType: 'text/plain; charset=utf-8' });
    return true;
  }
  if (path === '/version') {
    await json({
      ...KUBERNETES_VERSION,
      emulationMajor: '1',
      emulationMinor: '36',
      minCompatibilityMajor: '1',
      minCompatibilityMinor: '35',
      gitCommit: 'kind-e2e',
      gitTreeState: 'clean',
      buildDate: '2026-06-01T00:00:00Z',
      goVersion: 'go1.26',
      compiler: 'gc',
      platform: 'linux/amd64',
    });
    return true;
  }
  if (parts[0] === 'api' && parts.length === 1) {
    await json({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });
    return true;
  }
  if (parts[0] === 'apis' && parts.length === 1) {
    await json({ kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(context) });
    return true;
  }
  if (parts[0] === 'apis' && parts.length === 2) {
    const group = groupsOf(context).find(({ name }) => name === parts[1]);
    if (!group) return false;
    await json({ kind: 'APIGroup', apiVersion: 'v1', ...group });
    return true;
  }
  const [group, version] = parts[0] === 'api' ? ['', parts[1]] : [parts[1], parts[2]];
  if (group === undefined || version === undefined || !context.resources.hasGroupVersion(group, version)) return false;
  const resources = [...context.resources.all()]
    .filter(({ definition }) => definition.group === group && definition.version === version)
    .flatMap(apiResources);
  await json({
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  });
  return true;
}

interface Group {
  readonly name: string;
  readonly versions: readonly { groupVersion: string; version: string }[];
  readonly preferredVersion: { groupVersion: string; version: string } | undefined;
}

function groupsOf(context: ApiContext): Group[] {
  const groups = new Map<string, Set<string>>();
  for (const { definition } of context.resources.all()) {
    if (definition.group === '') continue;
    const versions = groups.get(definition.group) ?? new Set();
    versions.add(definition.version);
    groups.set(definition.group, versions);
  }
  return [...groups].map(([name, versions]) => {
    const all = [...versions].map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: all, preferredVersion: all[0] };
  });
}

function apiResources(resource: ServedResource): unknown[] {
  const { definition } = resource;
  const main = {
    name: definition.plural,
    singularName: definition.singular,
    namespaced: definition.namespaced,
    kind: definition.kind,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(isVirtual(resource) ? {} : { storageVersionHash: '' }),
  };
  const subresources = definition.subresources.map((sub) => ({
    name: `${definition.plural}/${sub.name}`,
    singularName: '',
    namespaced: definition.namespaced,
    ...(sub.group === undefined ? {} : { group: sub.group }),
    ...(sub.version === undefined ? {} : { version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return [main, ...subresources];
}
