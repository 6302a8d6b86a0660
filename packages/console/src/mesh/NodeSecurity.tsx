import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { RESOURCES } from '../api/kubernetes.ts';
import { queryInstant } from '../api/prometheus.ts';
import { useObjects } from '../api/queries.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { AppLink } from '../ui/AppLink.tsx';
import { Badge } from '../ui/Value.tsx';
import { formatRate } from '../units/format.ts';
import type { MeshNode } from './graph-model.ts';
import classes from './mesh.module.css';
import { mtlsModeOf } from './peer-authentication.ts';

const TONES = { STRICT: 'ok', PERMISSIVE: 'warn', DISABLE: 'bad' } as const;
const toneOf = (mode: string) => TONES[mode as keyof typeof TONES] ?? 'plain';

/** The identities that the certificates of both sides hold, as the receiving side's metrics name them, and what is asked. */
export function NodeSecurity({ node }: { node: MeshNode }) {
  const { range } = useTime();
  const window = `${Math.max(Math.round((range.to - range.from) / 1000), 30)}s`;
  const matcher =
    node.kind === 'service'
      ? `destination_service_name=${JSON.stringify(node.name)},destination_service_namespace=${JSON.stringify(node.namespace)}`
      : `destination_workload=${JSON.stringify(node.name)},destination_workload_namespace=${JSON.stringify(node.namespace)}`;
  const expression = `sum by (source_principal, destination_principal, connection_security_policy) (rate(istio_requests_total{reporter="destination",${matcher}}[${window}])) > 0`;
  const query = useQuery({
    queryKey: ['mesh', 'principals', expression, ...useTimeKey()],
    queryFn: async ({ signal }) => (await queryInstant(expression, range.to, signal)).series,
    placeholderData: keepPreviousData,
  });
  const policies = useObjects(RESOURCES.peerauthentications);
  const { mode, by } = mtlsModeOf(policies.data ?? [], {
    namespace: node.namespace,
    labels: { app: node.name, ...(node.version ? { version: node.version } : {}) },
  });
  const callers = (query.data ?? []).map((series) => ({
    name: series.labels.source_principal ?? 'unknown',
    rate: series.values[0] ?? 0,
    isSecure: series.labels.connection_security_policy === 'mutual_tls',
  }));
  const own = [...new Set((query.data ?? []).map((series) => series.labels.destination_principal ?? ''))].filter(
    (name) => name !== '' && name !== 'unknown',
  );
  return (
    <div data-mesh-security>
      <h3>Certificates and mTLS</h3>
      <div className={classes.facts}>
        <span>Asked of callers</span>
        <span>
          <Badge tone={toneOf(mode)}>{mode.toLowerCase()}</Badge>
        </span>
        <span>By</span>
        <span>
          {by === undefined ? (
            'no policy: the default'
          ) : (
            <AppLink to="/kiali/config" params={{ object: `peerauthentications:${by}` }}>
              {by}
            </AppLink>
          )}
        </span>
      </div>
      {own.map((name) => (
        <div key={name} className={classes.identity}>
          <span className="dim">Own identity</span> <span className="mono">{name}</span>
        </div>
      ))}
      {callers.map((caller) => (
        <div key={`${caller.name}${caller.isSecure}`} className={classes.identity}>
          <span className="dim">{caller.isSecure ? 'Caller by mTLS' : 'Caller in plain text'}</span>{' '}
          <span className="mono">{caller.name}</span> <span className="nowrap dim">{formatRate(caller.rate)}</span>
        </div>
      ))}
      {query.isSuccess && callers.length === 0 ? (
        <div className="dim">Its proxy has told of no request in this time.</div>
      ) : null}
    </div>
  );
}
