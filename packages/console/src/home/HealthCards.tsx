import { useQuery } from '@tanstack/react-query';
import { RESOURCES } from '../api/kubernetes.ts';
import { alerts } from '../api/prometheus.ts';
import { useObjects, usePods } from '../api/queries.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { readPod } from '../cluster/read.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge } from '../ui/Value.tsx';
import { readReleases } from './health.ts';
import classes from './home.module.css';
import { useBackends } from './useBackends.ts';

export function BackendsCard() {
  const backends = useBackends();
  return (
    <section className="card" aria-label="Backends">
      <div className="card-head">Backends</div>
      <div className={classes.list}>
        {backends.map((backend) => (
          <AppLink key={backend.name} to={backend.to} className={classes.listRow} data-row>
            <span
              className={classes.dot}
              data-tone={backend.state === 'up' ? 'ok' : backend.state === 'down' ? 'bad' : undefined}
            />
            {backend.name}
            <span className="dim">{backend.what}</span>
            <span className="end ellipsis">{backend.detail}</span>
          </AppLink>
        ))}
      </div>
    </section>
  );
}

export function AlertsCard() {
  const { now } = useTime();
  const query = useQuery({
    queryKey: ['prometheus', 'alerts', now],
    queryFn: ({ signal }) => alerts(signal),
    placeholderData: (previous) => previous,
  });
  return (
    <section className="card" aria-label="Alerts">
      <div className="card-head">
        Alerts
        <span className="end">
          <AppLink to="/prometheus/alerts">All rules</AppLink>
        </span>
      </div>
      <QueryView
        query={query}
        compact
        isEmpty={(list) => list.every((alert) => alert.state !== 'firing')}
        empty={<Empty compact title="No alert is firing" />}
      >
        {(list) => (
          <div className={classes.list}>
            {list
              .filter((alert) => alert.state === 'firing')
              .map((alert) => (
                <AppLink
                  key={JSON.stringify(alert.labels)}
                  to="/prometheus/alerts"
                  className={classes.listRow}
                  data-row
                >
                  <Badge tone={alert.labels.severity === 'critical' ? 'bad' : 'warn'}>
                    {alert.labels.severity ?? 'firing'}
                  </Badge>
                  <span className="ellipsis" title={alert.annotations.summary}>
                    {alert.annotations.summary ?? alert.labels.alertname}
                  </span>
                  <span className="end">
                    <Age since={alert.activeAt} />
                  </span>
                </AppLink>
              ))}
          </div>
        )}
      </QueryView>
    </section>
  );
}

export function ReleasesCard() {
  const query = useObjects(RESOURCES.secrets, { labels: 'owner=helm' });
  return (
    <section className="card" aria-label="Last deploy">
      <div className="card-head">Last deploy</div>
      <QueryView
        query={query}
        compact
        isEmpty={(secrets) => readReleases(secrets).length === 0}
        empty={
          <Empty compact title="No Helm release yet">
            `npx kind-e2e deploy` installs the app.
          </Empty>
        }
      >
        {(secrets) => (
          <div className={classes.list}>
            {readReleases(secrets).map((release) => (
              <div key={`${release.namespace}/${release.name}`} className={classes.listRow}>
                <Badge tone={release.status === 'deployed' ? 'ok' : release.status === 'failed' ? 'bad' : 'warn'}>
                  {release.status}
                </Badge>
                <span className="ellipsis">
                  {release.name} <span className="dim">in {release.namespace}</span>
                </span>
                <span className="end">
                  revision {release.revision} · <Age since={release.at} />
                </span>
              </div>
            ))}
          </div>
        )}
      </QueryView>
    </section>
  );
}

export function PodsCard() {
  const query = usePods();
  return (
    <section className="card" aria-label="Pods">
      <div className="card-head">
        Pods
        <span className="end">
          <AppLink to="/cluster" params={{ kind: 'pods' }}>
            The whole cluster
          </AppLink>
        </span>
      </div>
      <QueryView
        query={query}
        isEmpty={(pods) => pods.length === 0}
        empty={<Empty title="No pods yet">Install something: `npx kind-e2e deploy`.</Empty>}
      >
        {(pods) => (
          <div className="scroll-x">
            <table className="grid">
              <thead>
                <tr>
                  <th>Pod</th>
                  <th>Namespace</th>
                  <th>Status</th>
                  <th className="num">Ready</th>
                  <th className="num">Restarts</th>
                  <th className="num">Age</th>
                </tr>
              </thead>
              <tbody>
                {pods
                  .map((pod) => ({ pod, view: readPod(pod) }))
                  .sort(
                    (a, b) =>
                      Number(b.view.tone === 'bad') - Number(a.view.tone === 'bad') ||
                      a.view.namespace.localeCompare(b.view.namespace),
                  )
                  .slice(0, 12)
                  .map(({ pod, view }) => (
                    <tr key={`${view.namespace}/${view.name}`}>
                      <td className="mono">
                        <AppLink
                          to="/cluster"
                          params={{ kind: 'pods', object: `${view.namespace}/${view.name}` }}
                          data-row
                        >
                          {view.name}
                        </AppLink>
                      </td>
                      <td>{view.namespace}</td>
                      <td>
                        <Badge tone={view.tone} {...(view.message ? { title: view.message } : {})}>
                          {view.status}
                        </Badge>
                      </td>
                      <td className="num">
                        {view.ready}/{view.total}
                      </td>
                      <td className="num">{view.restarts}</td>
                      <td className="num">
                        <Age since={pod.metadata.creationTimestamp} />
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        )}
      </QueryView>
    </section>
  );
}
