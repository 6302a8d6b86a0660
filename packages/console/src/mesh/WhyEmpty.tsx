import { Button } from '@mantine/core';
import { IconTopologyStar3 } from '@tabler/icons-react';
import { RESOURCES } from '../api/kubernetes.ts';
import { useInstant, useObjects, usePods } from '../api/queries.ts';
import { readPod } from '../cluster/read.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty } from '../ui/States.tsx';
import { Badge } from '../ui/Value.tsx';
import classes from './mesh.module.css';

/** Why the graph is empty: what was looked at, what is missing, what to do. */
export function WhyEmpty() {
  const namespaces = useObjects(RESOURCES.namespaces);
  const pods = usePods();
  const everSeen = useInstant('count(istio_requests_total)');
  const injected = (namespaces.data ?? []).filter(
    (item) =>
      item.metadata.labels?.['istio-injection'] === 'enabled' || item.metadata.labels?.['istio.io/rev'] !== undefined,
  );
  const sidecars = (pods.data ?? []).map(readPod).filter((pod) => pod.inMesh);
  const hasSeries = (everSeen.data?.series[0]?.values[0] ?? 0) > 0;
  const checks = [
    {
      isWell: injected.length > 0,
      text:
        injected.length > 0
          ? `Injection is on in ${injected.map((item) => item.metadata.name).join(', ')}.`
          : 'No namespace is labelled istio-injection=enabled: kubectl label namespace default istio-injection=enabled',
    },
    {
      isWell: sidecars.length > 0,
      text:
        sidecars.length > 0
          ? `${sidecars.length} pods have a sidecar.`
          : 'No pod has a sidecar. Pods get one when they are made: kubectl rollout restart deployment -n default',
    },
    {
      isWell: hasSeries,
      text: hasSeries
        ? 'Metrics of the proxies are there.'
        : 'Prometheus has no istio_requests_total: either nobody has sent a request yet, or the proxies are not scraped.',
    },
    {
      isWell: !hasSeries,
      text: hasSeries
        ? 'But there were no requests in this time range. Send some, or widen the range.'
        : 'Send a request: open the website.',
    },
  ];
  return (
    <Empty
      title="No traffic to draw"
      icon={<IconTopologyStar3 size={22} stroke={1.6} />}
      actions={
        <>
          <Button component="a" href="/demo-app/">
            Open the website
          </Button>
          <Button component={AppLink} to="/prometheus/targets" variant="default">
            What is scraped
          </Button>
        </>
      }
    >
      The graph is drawn from the requests that sidecars count. What was looked at:
      <span className={classes.why}>
        {checks.map((check) => (
          <span key={check.text}>
            <Badge tone={check.isWell ? 'ok' : 'warn'}>{check.isWell ? 'fine' : 'look'}</Badge> {check.text}
          </span>
        ))}
      </span>
    </Empty>
  );
}
