import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Helmfile, parseHelmfile } from '../helmfile.ts';
import type { Settings } from '../options.ts';
import { clusterSteps, namespaceStep } from './cluster-steps.ts';
import { fingerprintOf } from './fingerprint.ts';
import { agentImage, appImages, imageSteps } from './image-steps.ts';
import { releaseSteps, repositoriesStep } from './release-steps.ts';
import type { PlannedStep } from './step.ts';

export interface Plan {
  /** Each after those it needs. */
  readonly steps: readonly PlannedStep[];
  readonly helmfile: Helmfile;
}

/** All that `up` will do, from the options and the files of the checkout. Nothing is run or written. */
export function makePlan(settings: Settings, helmMajor: number): Plan {
  const helmfile = parseHelmfile(readFileSync(join(settings.root, 'helmfile.yaml'), 'utf8'));
  const images = appImages(settings);
  const agent = agentImage(settings);
  const steps = [
    ...(settings.engine === 'kind' ? clusterSteps(settings) : [namespaceStep(settings, [])]),
    ...imageSteps(settings, agent ? [...images, agent] : images),
    repositoriesStep(helmfile),
    ...releaseSteps({ settings, helmfile, images, agent, helmMajor }),
  ];
  return { helmfile, steps: settings.engine === 'kind' && settings.app ? [...steps, urlStep(settings, steps)] : steps };
}

/** The app and what the gateway serves beside it. */
function urlStep(settings: Settings, before: readonly PlannedStep[]): PlannedStep {
  const urls = labUrls(settings)
    .map(({ url }) => url)
    .filter((url) => url.startsWith('http://localhost:') && url.includes(`:${settings.ports.gateway}/`));
  return {
    id: 'urls',
    title: 'URLs answer',
    needs: before.map(({ id }) => id),
    fingerprint: fingerprintOf(urls),
    commands: [],
    urls,
  };
}

export interface LabUrl {
  readonly title: string;
  readonly url: string;
}

/** Where everything is. On another cluster the gateway's address is the cluster's matter. */
export function labUrls(settings: Pick<Settings, 'engine' | 'ports' | 'app'>): readonly LabUrl[] {
  if (settings.engine === 'cluster' || !settings.app) return [];
  const base = `http://localhost:${settings.ports.gateway}`;
  return [
    { title: 'Website', url: `${base}/demo-app/` },
    { title: 'Traces', url: `${base}/jaeger/` },
    { title: 'Dashboards', url: `${base}/grafana/` },
    { title: 'Mesh', url: `${base}/kiali/` },
    { title: 'Metrics', url: `${base}/prometheus/` },
    { title: 'Pipelines', url: `${base}/jenkins/login` },
    { title: 'Kubernetes API', url: `https://127.0.0.1:${settings.ports.api}` },
    { title: 'Registry', url: `http://localhost:${settings.ports.registry}` },
  ];
}
