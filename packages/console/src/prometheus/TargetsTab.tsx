import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { targets } from '../api/prometheus.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge, Value } from '../ui/Value.tsx';

export function TargetsTab() {
  const { now } = useTime();
  const query = useQuery({
    queryKey: ['prometheus', 'targets', now],
    queryFn: ({ signal }) => targets(signal),
    placeholderData: keepPreviousData,
  });
  return (
    <QueryView
      query={query}
      isEmpty={(list) => list.length === 0}
      empty={
        <Empty title="Nothing is scraped">
          Pods with the annotation prometheus.io/scrape: "true" and all sidecars are found by themselves.
        </Empty>
      }
    >
      {(list) => {
        const pools = [...new Set(list.map((target) => target.scrapePool))].sort();
        return (
          <div style={{ display: 'grid', gap: 14 }}>
            {pools.map((pool) => {
              const own = list.filter((target) => target.scrapePool === pool);
              const up = own.filter((target) => target.health === 'up').length;
              return (
                <section key={pool} className="card" aria-label={pool}>
                  <div className="card-head">
                    {pool}
                    <Badge tone={up === own.length ? 'ok' : 'bad'}>
                      {up} / {own.length} up
                    </Badge>
                  </div>
                  <div className="scroll-x">
                    <table className="grid">
                      <thead>
                        <tr>
                          <th>Endpoint</th>
                          <th>State</th>
                          <th>Labels</th>
                          <th className="num">Last scrape</th>
                          <th className="num">Took</th>
                          <th>Error</th>
                        </tr>
                      </thead>
                      <tbody>
                        {own.map((target) => (
                          <tr key={`${target.scrapeUrl}${JSON.stringify(target.labels)}`}>
                            <td className="mono">{target.scrapeUrl}</td>
                            <td>
                              <Badge tone={target.health === 'up' ? 'ok' : target.health === 'down' ? 'bad' : 'warn'}>
                                {target.health}
                              </Badge>
                            </td>
                            <td style={{ minWidth: 300 }}>
                              <span style={{ display: 'flex', flexWrap: 'wrap', gap: 4 }}>
                                {Object.entries(target.labels).map(([key, value]) => (
                                  <Badge key={key}>
                                    {key}={value}
                                  </Badge>
                                ))}
                              </span>
                            </td>
                            <td className="num">
                              <Age since={target.lastScrape} />
                            </td>
                            <td className="num">
                              <Value value={target.lastScrapeDuration} unit="s" />
                            </td>
                            <td style={{ color: 'var(--bad)' }}>{target.lastError}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                </section>
              );
            })}
          </div>
        );
      }}
    </QueryView>
  );
}
