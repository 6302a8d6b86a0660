import { SegmentedControl } from '@mantine/core';
import { useParams } from 'wouter';
import { navigate } from 'wouter/use-browser-location';
import { hrefTo } from '../app/url-state.ts';
import { MetricsExplore } from '../explore/MetricsExplore.tsx';
import { AlertsTab } from './AlertsTab.tsx';
import { TargetsTab } from './TargetsTab.tsx';

const TABS = [
  { value: 'graph', label: 'Query' },
  { value: 'targets', label: 'Targets' },
  { value: 'alerts', label: 'Alerts and rules' },
];

/** Prometheus' own pages, at its own paths: /graph and /query, /targets, /alerts, /rules. */
export function PrometheusPage() {
  const { tab = 'graph' } = useParams<{ tab?: string }>();
  const active = tab === 'targets' ? 'targets' : tab === 'alerts' || tab === 'rules' ? 'alerts' : 'graph';
  return (
    <div className="page">
      <div className="page-head">
        <h1>Metrics</h1>
        <SegmentedControl
          size="xs"
          value={active}
          onChange={(value) => navigate(hrefTo(`/prometheus/${value}`))}
          data={TABS}
          aria-label="Section"
        />
      </div>
      {active === 'targets' ? <TargetsTab /> : active === 'alerts' ? <AlertsTab /> : <MetricsExplore param="g0.expr" />}
    </div>
  );
}
