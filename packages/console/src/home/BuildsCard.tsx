import { useQuery } from '@tanstack/react-query';
import { type LastBuild, lastBuilds } from '../api/jenkins.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge, type Tone } from '../ui/Value.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import classes from './home.module.css';

const TONES: Readonly<Record<string, Tone>> = { SUCCESS: 'ok', FAILURE: 'bad', UNSTABLE: 'warn', ABORTED: 'plain' };
const SHOWN = 4;
/** Builds take minutes, and many labs have no Jenkins at all: asked less often than the rest of the page. */
const EVERY_MS = 30_000;

/** The last build of each pipeline. */
export function BuildsCard() {
  const { now } = useTime();
  const query = useQuery({
    queryKey: ['jenkins', 'last', Math.floor(now / EVERY_MS)],
    queryFn: ({ signal }) => lastBuilds(signal),
    placeholderData: (previous) => previous,
    retry: false,
  });
  return (
    <section className="card" aria-label="Last build">
      <div className="card-head">
        Last build
        <span className="end">
          <AppLink to="/jenkins">Pipelines</AppLink>
        </span>
      </div>
      <QueryView
        query={query}
        compact
        isEmpty={(builds) => builds.length === 0}
        empty={
          <Empty compact title="No build yet">
            <code>npx kind-e2e pipeline run</code> builds, tests and deploys the app.
          </Empty>
        }
      >
        {(builds) => (
          <div className={classes.list}>
            {builds.slice(0, SHOWN).map((build) => (
              <AppLink key={build.job} to="/jenkins" className={classes.listRow} data-row>
                <Badge tone={build.building ? 'accent' : (TONES[build.result ?? ''] ?? 'plain')}>{wordOf(build)}</Badge>
                <span className="ellipsis">
                  {build.job} <span className="dim">#{build.number}</span>
                </span>
                <span className="end">
                  {build.building ? null : `${formatDuration(msToUs(milliseconds(build.duration)))} · `}
                  <Age since={new Date(build.timestamp).toISOString()} />
                </span>
              </AppLink>
            ))}
          </div>
        )}
      </QueryView>
    </section>
  );
}

const wordOf = (build: LastBuild): string => (build.building ? 'running' : (build.result ?? 'unknown').toLowerCase());
