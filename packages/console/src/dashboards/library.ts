import { z } from 'zod';
import { listObjects, RESOURCES } from '../api/kubernetes.ts';
import { type Dashboard, parseDashboard } from './model.ts';

export interface LibraryEntry {
  uid: string;
  title: string;
  tags: string[];
  description: string;
  source: 'bundled' | 'cluster' | 'imported';
  /** The ConfigMap, when it comes from the cluster. */
  origin: string;
  load: () => Promise<Dashboard>;
}

/** The files of `dashboards/`; each is a chunk of its own and fetched when opened. Head data is in the file's name. */
const bundled = import.meta.glob<unknown>('../../dashboards/*.json', { import: 'default' });

function read(value: unknown): Dashboard {
  const parsed = parseDashboard(value);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.dashboard;
}

const STORAGE_KEY = 'kind-e2e-imported-dashboards';
const stored = z.record(z.string(), z.unknown());

function imported(): Record<string, unknown> {
  try {
    return stored.parse(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}'));
  } catch {
    return {};
  }
}

/** Keeps an imported dashboard in this browser; returns its uid. Throws with the reason when it is none. */
export function importDashboard(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error('The file is not JSON.', { cause });
  }
  const dashboard = read(value);
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...imported(), [dashboard.uid]: dashboard }));
  return dashboard.uid;
}

export function forgetImported(uid: string): void {
  const { [uid]: _gone, ...rest } = imported();
  localStorage.setItem(STORAGE_KEY, JSON.stringify(rest));
}

const entryOf = (dashboard: Dashboard, source: LibraryEntry['source'], origin: string): LibraryEntry => ({
  uid: dashboard.uid,
  title: dashboard.title,
  tags: dashboard.tags,
  description: dashboard.description ?? '',
  source,
  origin,
  load: () => Promise.resolve(dashboard),
});

export async function bundledDashboards(): Promise<LibraryEntry[]> {
  const values = await Promise.all(Object.values(bundled).map((load) => load()));
  return values.map((value) => entryOf(read(value), 'bundled', 'kind-e2e'));
}

const configMapData = z.object({ data: z.record(z.string(), z.string()).optional() });

/** ConfigMaps labelled `grafana_dashboard=1`, as the sidecar of Grafana's chart takes them. */
export async function clusterDashboards(
  signal?: AbortSignal,
): Promise<{ entries: LibraryEntry[]; problems: string[] }> {
  const { items } = await listObjects(RESOURCES.configmaps, { labels: 'grafana_dashboard=1', signal });
  const entries: LibraryEntry[] = [];
  const problems: string[] = [];
  for (const item of items) {
    const origin = `${item.metadata.namespace}/${item.metadata.name}`;
    for (const [file, text] of Object.entries(configMapData.parse(item).data ?? {})) {
      if (!file.endsWith('.json')) continue;
      try {
        entries.push(entryOf(read(JSON.parse(text)), 'cluster', origin));
      } catch (error) {
        problems.push(`${origin} ${file}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return { entries, problems };
}

export function importedDashboards(): LibraryEntry[] {
  return Object.values(imported()).flatMap((value) => {
    const parsed = parseDashboard(value);
    return 'dashboard' in parsed ? [entryOf(parsed.dashboard, 'imported', 'this browser')] : [];
  });
}

/** A dashboard by its uid: imported ones first, then the cluster's, then the bundled ones. */
export async function findDashboard(uid: string, signal?: AbortSignal): Promise<Dashboard | null> {
  const own = importedDashboards().find((entry) => entry.uid === uid);
  if (own) return own.load();
  const file = Object.entries(bundled).find(([path]) => path.endsWith(`/${uid}.json`));
  if (file) return read(await file[1]());
  const cluster = await clusterDashboards(signal).catch(() => ({ entries: [] as LibraryEntry[] }));
  const entry =
    cluster.entries.find((item) => item.uid === uid) ?? (await bundledDashboards()).find((item) => item.uid === uid);
  return entry ? entry.load() : null;
}
