/**
 * `node test/screenshots.ts OUT_DIR [filter]`: every page of the built console against the fixture, at both widths and in
 * both schemes, as PNG files to look at. Reports errors of the pages. `KIND_E2E_GATEWAY` takes a running lab instead.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from '@kind-e2e/lab/browser';
import { nowSecond } from './fixture-clock.ts';
import { startFixtureServer } from './fixture-server.ts';
import { BIG_TRACE_ID, healthySlowTraces } from './fixture-traces.ts';

const out = process.argv[2] ?? 'screenshots';
const filter = process.argv[3] ?? '';
const variants = (process.argv[4] ?? 'light-1440,dark-1440,light-390,dark-390').split(',');
mkdirSync(out, { recursive: true });

const [slow, other] = healthySlowTraces(nowSecond()).map((trace) => trace.traceID);
const PAGES: Record<string, { path: string; act?: string }> = {
  home: { path: '/' },
  traces: { path: '/jaeger/search?service=front-end' },
  trace: { path: `/jaeger/trace/${slow}` },
  'trace-span': { path: `/jaeger/trace/${slow}`, act: '[data-span-operation="data_transformation"]' },
  'trace-big': { path: `/jaeger/trace/${BIG_TRACE_ID}` },
  compare: { path: `/jaeger/compare/${slow}/${other}` },
  dashboards: { path: '/grafana' },
  'd-business': { path: '/grafana/d/business-logic' },
  'd-istio': { path: '/grafana/d/istio-service' },
  'd-pods': { path: '/grafana/d/kubernetes-pods' },
  explore: { path: '/grafana/explore' },
  'explore-metrics': {
    path: `/grafana/explore?ds=prometheus&expr=${encodeURIComponent('sum by (view) (rate(http_requests_total[1m]))')}`,
  },
  prometheus: {
    path: `/prometheus/graph?g0.expr=${encodeURIComponent('sum by (destination_workload) (rate(istio_requests_total[1m]))')}`,
  },
  targets: { path: '/prometheus/targets' },
  alerts: { path: '/prometheus/alerts' },
  mesh: { path: '/kiali' },
  'mesh-panel': { path: '/kiali?node=workload:default/business-logic' },
  config: { path: '/kiali/config' },
  'config-object': { path: '/kiali/config?object=virtualservices:default/reviews-typo' },
  cluster: { path: '/cluster?kind=pods' },
  'cluster-pod': { path: '/cluster?kind=pods&object=default/business-logic-7b5c6d4f98-9xvmp' },
  'cluster-deploy': { path: '/cluster?kind=deployments&object=default/front-end' },
  'cluster-nodes': { path: '/cluster?kind=nodes' },
  jenkins: { path: '/jenkins' },
};

await using fixture = await startFixtureServer();
const base = process.env.KIND_E2E_GATEWAY ?? fixture.url;
const browser = await launchBrowser();
try {
  for (const variant of variants) {
    const [scheme, width] = variant.split('-');
    const context = await browser.newContext({
      viewport: { width: Number(width), height: width === '390' ? 844 : 900 },
      colorScheme: scheme === 'dark' ? 'dark' : 'light',
    });
    for (const [name, page] of Object.entries(PAGES)) {
      if (filter !== '' && !filter.split(',').includes(name)) continue;
      const tab = await context.newPage();
      tab.on('pageerror', (error) =>
        process.stdout.write(
          `${name} ${variant}: ${error.message}\n${error.stack?.split('\n').slice(1, 4).join('\n')}\n`,
        ),
      );
      tab.on('console', (message) => {
        if (message.type() === 'error') process.stdout.write(`${name} ${variant}: ${message.text().slice(0, 400)}\n`);
      });
      await tab.goto(base + page.path);
      await tab.waitForTimeout(name.startsWith('mesh') ? 2600 : 1500);
      if (page.act) {
        await tab.locator(page.act).first().click();
        await tab.waitForTimeout(500);
      }
      const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (overflow > 0) process.stdout.write(`${name} ${variant}: ${overflow}px wider than the window\n`);
      await tab.screenshot({ path: join(out, `${name}-${variant}.png`) });
      await tab.close();
    }
    await context.close();
  }
} finally {
  await browser.close();
}
