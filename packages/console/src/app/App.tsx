import { type ComponentType, lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { HomePage } from '../home/HomePage.tsx';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, SkeletonRows } from '../ui/States.tsx';
import { Frame } from './Frame.tsx';
import { PageBoundary } from './PageBoundary.tsx';

function page<T extends Record<string, unknown>>(load: () => Promise<T>, name: keyof T) {
  return lazy(async () => ({ default: (await load())[name] as ComponentType }));
}

const TraceSearchPage = page(() => import('../traces/TraceSearchPage.tsx'), 'TraceSearchPage');
const TracePage = page(() => import('../traces/TracePage.tsx'), 'TracePage');
const TraceComparePage = page(() => import('../traces/TraceComparePage.tsx'), 'TraceComparePage');
const DependenciesPage = page(() => import('../traces/DependenciesPage.tsx'), 'DependenciesPage');
const DashboardListPage = page(() => import('../dashboards/DashboardListPage.tsx'), 'DashboardListPage');
const DashboardPage = page(() => import('../dashboards/DashboardPage.tsx'), 'DashboardPage');
const ExplorePage = page(() => import('../explore/ExplorePage.tsx'), 'ExplorePage');
const PrometheusPage = page(() => import('../prometheus/PrometheusPage.tsx'), 'PrometheusPage');
const MeshPage = page(() => import('../mesh/MeshPage.tsx'), 'MeshPage');
const IstioConfigPage = page(() => import('../mesh/IstioConfigPage.tsx'), 'IstioConfigPage');
const ClusterPage = page(() => import('../cluster/ClusterPage.tsx'), 'ClusterPage');
const PipelinesPage = page(() => import('../pipelines/PipelinesPage.tsx'), 'PipelinesPage');

export function App() {
  return (
    <Frame>
      <PageBoundary>
        <Suspense fallback={<SkeletonRows rows={8} />}>
          <Switch>
            <Route path="/" component={HomePage} />
            <Route path="/jaeger" component={TraceSearchPage} />
            <Route path="/jaeger/search" component={TraceSearchPage} />
            <Route path="/jaeger/dependencies" component={DependenciesPage} />
            <Route path="/jaeger/trace/:id" component={TracePage} />
            <Route path="/jaeger/compare/:a/:b" component={TraceComparePage} />
            <Route path="/grafana" component={DashboardListPage} />
            <Route path="/grafana/dashboards" component={DashboardListPage} />
            <Route path="/grafana/explore" component={ExplorePage} />
            <Route path="/grafana/d/:uid" component={DashboardPage} />
            <Route path="/grafana/d/:uid/:slug" component={DashboardPage} />
            <Route path="/prometheus" component={PrometheusPage} />
            <Route path="/prometheus/:tab" component={PrometheusPage} />
            <Route path="/kiali" component={MeshPage} />
            <Route path="/kiali/config" component={IstioConfigPage} />
            <Route path="/kiali/*?">
              <Redirect to="/kiali" />
            </Route>
            <Route path="/cluster" component={ClusterPage} />
            <Route path="/jenkins" component={PipelinesPage} />
            <Route path="/jenkins/*?" component={PipelinesPage} />
            <Route>
              <h1 className="visually-hidden">Not found</h1>
              <Empty title="There is no such page" actions={<AppLink to="/">To the home page</AppLink>}>
                The address may have a typing error, or the page has moved.
              </Empty>
            </Route>
          </Switch>
        </Suspense>
      </PageBoundary>
    </Frame>
  );
}
