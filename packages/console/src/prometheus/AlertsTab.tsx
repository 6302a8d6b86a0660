import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type Rule, ruleGroups } from '../api/prometheus.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge, type Tone } from '../ui/Value.tsx';

const TONES: Readonly<Record<string, Tone>> = { firing: 'bad', pending: 'warn', inactive: 'ok' };

export function AlertsTab() {
  const { now } = useTime();
  const query = useQuery({
    queryKey: ['prometheus', 'rules', now],
    queryFn: ({ signal }) => ruleGroups(signal),
    placeholderData: keepPreviousData,
  });
  return (
    <QueryView
      query={query}
      isEmpty={(groups) => groups.every((group) => group.rules.length === 0)}
      empty={
        <Empty title="No rules yet">
          Alerting and recording rules come from Prometheus rule files and from ConfigMaps. None is loaded.
        </Empty>
      }
    >
      {(groups) => (
        <div style={{ display: 'grid', gap: 14 }}>
          {groups.map((group) => (
            <section key={`${group.file}/${group.name}`} className="card" aria-label={group.name}>
              <div className="card-head">
                {group.name} <span className="dim">{group.file}</span>
              </div>
              <div className="scroll-x">
                <table className="grid">
                  <thead>
                    <tr>
                      <th>State</th>
                      <th>Rule</th>
                      <th>Expression</th>
                      <th className="num">For</th>
                    </tr>
                  </thead>
                  <tbody>
                    {group.rules.map((rule) => (
                      <RuleRow key={`${rule.name}${rule.query}`} rule={rule} />
                    ))}
                  </tbody>
                </table>
              </div>
            </section>
          ))}
        </div>
      )}
    </QueryView>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const state = rule.type === 'recording' ? 'recording' : (rule.state ?? 'inactive');
  return (
    <>
      <tr>
        <td>
          <Badge tone={TONES[state] ?? 'plain'}>{state}</Badge>
        </td>
        <td>
          {rule.name} {rule.lastError ? <Badge tone="bad">{rule.lastError}</Badge> : null}
          {rule.annotations.summary ? <div className="dim">{rule.annotations.summary}</div> : null}
        </td>
        <td className="mono" style={{ overflowWrap: 'anywhere', minWidth: 260 }}>
          <AppLink to="/prometheus/graph" params={{ 'g0.expr': rule.query }}>
            {rule.query}
          </AppLink>
        </td>
        <td className="num">{rule.duration ? `${rule.duration} s` : ''}</td>
      </tr>
      {rule.alerts.map((alert) => (
        <tr key={JSON.stringify(alert.labels)}>
          <td />
          <td colSpan={2}>
            {alert.annotations.summary ? <div>{alert.annotations.summary}</div> : null}
            <span style={{ display: 'flex', gap: 4, flexWrap: 'wrap' }}>
              <Badge tone={TONES[alert.state] ?? 'plain'}>{alert.state}</Badge>
              {Object.entries(alert.labels).map(([key, value]) => (
                <Badge key={key}>
                  {key}={value}
                </Badge>
              ))}
            </span>
          </td>
          <td className="num">
            <Age since={alert.activeAt} />
          </td>
        </tr>
      ))}
    </>
  );
}
