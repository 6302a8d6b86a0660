import { buildTraceTree, traceTitle } from '../../traces/trace-tree.ts';
import { AppLink } from '../../ui/AppLink.tsx';
import { Service } from '../../ui/Service.tsx';
import { Time } from '../../ui/Time.tsx';
import { Badge } from '../../ui/Value.tsx';
import { formatDuration } from '../../units/format.ts';
import type { PanelBodyProps } from './PanelBody.tsx';

export function TracesPanel({ data }: PanelBodyProps) {
  return (
    <table className="grid">
      <thead>
        <tr>
          <th>Trace</th>
          <th>Start</th>
          <th className="num">Spans</th>
          <th className="num">Duration</th>
        </tr>
      </thead>
      <tbody>
        {data.traces.map((trace) => {
          const tree = buildTraceTree(trace);
          const title = traceTitle(tree);
          return (
            <tr key={trace.id}>
              <td>
                <AppLink to={`/jaeger/trace/${trace.id}`} style={{ display: 'inline-flex', gap: 8 }}>
                  <Service name={title.service} /> <span className="ellipsis">{title.operation}</span>
                </AppLink>
                {tree.errors > 0 ? <Badge tone="bad">{tree.errors} errors</Badge> : null}
              </td>
              <td>
                <Time ms={tree.start / 1000} />
              </td>
              <td className="num">{trace.spans.length}</td>
              <td className="num">{formatDuration(tree.duration)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
