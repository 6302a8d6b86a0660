import { ActionIcon } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconX } from '@tabler/icons-react';
import { AppLink } from '../ui/AppLink.tsx';
import classes from './home.module.css';

/** What to do first; can be put away. */
export function FirstSteps() {
  const [isAway, setAway] = useLocalStorage({
    key: 'kind-e2e-first-steps-away',
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  if (isAway) return null;
  return (
    <section className="card" aria-label="First steps">
      <div className="card-head">
        New here? Five minutes
        <span className="end">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label="Put the first steps away"
            onClick={() => setAway(true)}
          >
            <IconX size={15} />
          </ActionIcon>
        </span>
      </div>
      <ol className={classes.steps}>
        <li>
          <div>
            <a href="/demo-app/">
              <b>Open the website</b>
            </a>{' '}
            <span>and click “Slow page”. It takes three seconds. Why?</span>
          </div>
        </li>
        <li>
          <div>
            <AppLink to="/jaeger/search" params={{ service: 'front-end' }}>
              <b>Find its trace</b>
            </AppLink>{' '}
            <span>and follow the critical path to the span that takes the time.</span>
          </div>
        </li>
        <li>
          <div>
            <b>From that span, open its log lines</b> <span>and come back from a line to its trace.</span>
          </div>
        </li>
        <li>
          <div>
            <AppLink to="/kiali">
              <b>See the mesh</b>
            </AppLink>{' '}
            <span>who calls whom, how fast, how safely.</span>
          </div>
        </li>
        <li>
          <div>
            <AppLink to="/grafana/d/business-logic">
              <b>Open the dashboard</b>
            </AppLink>{' '}
            <span>and click a diamond on a latency panel: it is one real request.</span>
          </div>
        </li>
      </ol>
    </section>
  );
}
