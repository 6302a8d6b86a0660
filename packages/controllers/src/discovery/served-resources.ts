import type { GroupVersionResource } from '@kind-e2e/kube-api';
import type { KubeClient } from '@kind-e2e/kube-client';

/** A resource that the server offers, as its discovery documents say. */
export interface ServedResource extends GroupVersionResource {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface Discovered {
  readonly resources: readonly ServedResource[];
  /** Group versions whose document could not be read, with the reason. */
  readonly failures: ReadonlyMap<string, string>;
}

interface ResourceListDocument {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
}

interface GroupListDocument {
  readonly groups?: readonly {
    readonly name: string;
    readonly versions?: readonly { readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}

/**
 * The resources of the server, each in its group's preferred version, subresources left out (client-go
 * discovery.ServerPreferredResources).
 */
export async function discoverResources(client: KubeClient, signal?: AbortSignal): Promise<Discovered> {
  const resources: ServedResource[] = [];
  const failures = new Map<string, string>();
  const seen = new Set<string>();
  const read = async (path: string, group: string, version: string): Promise<void> => {
    try {
      const document = await readJson<ResourceListDocument>(client, path, signal);
      for (const { name, kind, namespaced, verbs } of document.resources ?? []) {
        const identity = `${group}/${name}`;
        if (name.includes('/') || seen.has(identity)) continue;
        seen.add(identity);
        resources.push({ group, version, resource: name, kind, namespaced, verbs: verbs ?? [] });
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      failures.set(
        group === '' ? version : `${group}/${version}`,
        error instanceof Error ? error.message : String(error),
      );
    }
  };
  await read('/api/v1', '', 'v1');
  const groups = await readJson<GroupListDocument>(client, '/apis', signal);
  await Promise.all(
    (groups.groups ?? []).map(async ({ name, versions = [], preferredVersion }) => {
      // A resource may be in an older version of its group only, so all versions are read, the preferred one first.
      const preferred = preferredVersion?.version ?? versions[0]?.version;
      const ordered = [...new Set([preferred, ...versions.map((entry) => entry.version)])];
      for (const version of ordered) if (version !== undefined) await read(`/apis/${name}/${version}`, name, version);
    }),
  );
  return { resources, failures };
}

async function readJson<T>(client: KubeClient, path: string, signal?: AbortSignal): Promise<T> {
  const answer = await client.request('GET', path, {
    headers: { accept: 'application/json' },
    ...(signal ? { signal } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}`);
  return JSON.parse(text) as T;
}
