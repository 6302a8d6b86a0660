import { SegmentedControl } from '@mantine/core';
import { useQueryState } from '../app/url-state.ts';
import { LogsExplore } from './LogsExplore.tsx';
import { MetricsExplore } from './MetricsExplore.tsx';

/** Queries against one of the two: logs by LogQL, metrics by PromQL. */
export function ExplorePage() {
  const [source, setSource] = useQueryState('ds', 'loki');
  const [, setExpr] = useQueryState('expr');
  return (
    <div className="page">
      <div className="page-head">
        <h1>Explore</h1>
        <SegmentedControl
          size="xs"
          value={source === 'prometheus' ? 'prometheus' : 'loki'}
          onChange={(value) => {
            setExpr(undefined, { replace: true });
            setSource(value);
          }}
          data={[
            { value: 'loki', label: 'Logs' },
            { value: 'prometheus', label: 'Metrics' },
          ]}
          aria-label="Source"
        />
      </div>
      {source === 'prometheus' ? <MetricsExplore param="expr" /> : <LogsExplore />}
    </div>
  );
}
