import { MERGED_METRICS_PORT } from '@kind-e2e/proxy';

/** Where the application's own scrape annotations are kept (Istio keeps them in the environment of istio-agent). */
export const APPLICATION_METRICS_ANNOTATION = 'prometheus.istio.io/application';
const MERGE_ANNOTATION = 'prometheus.istio.io/merge-metrics';
const SCRAPE = 'prometheus.io/scrape';
const PORT = 'prometheus.io/port';
const PATH = 'prometheus.io/path';
const DEFAULT_PATH = '/metrics';
const DEFAULT_PORT = 80;
const MERGED_PATH = '/stats/prometheus';

type Annotations = Readonly<Record<string, string>>;

/**
 * Istio's metrics merging (pkg/kube/inject `applyPrometheusMerge`): the scraper is led to the sidecar, which gives out its
 * own metrics and the application's in one; so a scrape is no request of the mesh. Off where the pod says so.
 */
export function mergedScrapeAnnotations(annotations: Annotations): Annotations {
  if (annotations[MERGE_ANNOTATION] === 'false' || annotations[SCRAPE] === 'false') return {};
  const application =
    annotations[SCRAPE] === 'true'
      ? { port: Number(annotations[PORT] ?? DEFAULT_PORT), path: annotations[PATH] ?? DEFAULT_PATH }
      : undefined;
  return {
    ...(application ? { [APPLICATION_METRICS_ANNOTATION]: JSON.stringify(application) } : {}),
    [SCRAPE]: 'true',
    [PORT]: String(MERGED_METRICS_PORT),
    [PATH]: MERGED_PATH,
  };
}

/** What the annotation of an injected pod says, for its proxy. */
export function applicationMetricsOf(annotations: Annotations | undefined): { port: number; path: string } | undefined {
  const text = annotations?.[APPLICATION_METRICS_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const { port, path } = JSON.parse(text) as { port?: unknown; path?: unknown };
    return typeof port === 'number' && typeof path === 'string' ? { port, path } : undefined;
  } catch {
    // Somebody wrote it by hand: then there is nothing to merge.
    return undefined;
  }
}
