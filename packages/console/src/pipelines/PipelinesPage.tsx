import { IconGitBranch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { z } from 'zod';
import { getJson, isApiError } from '../api/http.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Time } from '../ui/Time.tsx';
import { Badge, type Tone } from '../ui/Value.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import { BuildDetails } from './BuildDetails.tsx';

/** Jenkins' remote API, the fields that are shown (jenkins: /job/NAME/api/json). */
const build = z.object({
  number: z.number(),
  result: z.string().nullable().catch(null),
  building: z.boolean().catch(false),
  timestamp: z.number().catch(0),
  duration: z.number().catch(0),
});
const answer = z.object({
  jobs: z.array(
    z.object({ name: z.string(), color: z.string().optional(), builds: z.array(build).optional().catch([]) }),
  ),
});

const TONES: Readonly<Record<string, Tone>> = { SUCCESS: 'ok', FAILURE: 'bad', UNSTABLE: 'warn', ABORTED: 'plain' };
const TREE = 'jobs[name,color,builds[number,result,building,timestamp,duration]]';

export function PipelinesPage() {
  const { now } = useTime();
  const [open, setOpen] = useState<string>();
  const query = useQuery({
    queryKey: ['jenkins', now],
    queryFn: async ({ signal }) => {
      try {
        return await getJson('/jenkins/api/json', answer, { params: { tree: TREE }, signal });
      } catch (error) {
        // Without a pipeline nothing answers on this path, or the page itself does.
        if (isApiError(error) && ([0, 404, 502, 503].includes(error.status) || error.message.includes('JSON')))
          return { jobs: [] };
        throw error;
      }
    },
    placeholderData: (previous) => previous,
    retry: false,
  });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Pipelines</h1>
      </div>
      <QueryView
        query={query}
        isEmpty={(data) => data.jobs.length === 0}
        empty={
          <div className="card">
            <Empty title="No pipeline yet" icon={<IconGitBranch size={22} stroke={1.6} />}>
              <code>npx kind-e2e pipeline run</code> builds, tests and deploys the app. Then its jobs, builds and stages
              stand here, and every build is a trace beside the requests that it touched.
            </Empty>
          </div>
        }
      >
        {(data) => (
          <div style={{ display: 'grid', gap: 14 }}>
            {data.jobs.map((job) => (
              <section key={job.name} className="card scroll-x" aria-label={job.name}>
                <div className="card-head">{job.name}</div>
                <table className="grid">
                  <thead>
                    <tr>
                      <th>Build</th>
                      <th>Result</th>
                      <th>Started</th>
                      <th className="num">Took</th>
                    </tr>
                  </thead>
                  <tbody>
                    {(job.builds ?? []).map((item) => (
                      <Fragment key={item.number}>
                        <tr>
                          <td>
                            <button
                              type="button"
                              className="link"
                              style={{
                                background: 'none',
                                border: 0,
                                padding: 0,
                                color: 'inherit',
                                cursor: 'pointer',
                                textDecoration: 'underline',
                              }}
                              aria-expanded={open === `${job.name}/${item.number}`}
                              onClick={() =>
                                setOpen((before) =>
                                  before === `${job.name}/${item.number}` ? undefined : `${job.name}/${item.number}`,
                                )
                              }
                            >
                              #{item.number}
                            </button>
                          </td>
                          <td>
                            <Badge tone={item.building ? 'accent' : (TONES[item.result ?? ''] ?? 'plain')}>
                              {item.building ? 'running' : (item.result ?? 'unknown').toLowerCase()}
                            </Badge>
                          </td>
                          <td>
                            <Time ms={item.timestamp} />
                          </td>
                          <td className="num">{formatDuration(msToUs(milliseconds(item.duration)))}</td>
                        </tr>
                        {open === `${job.name}/${item.number}` ? (
                          <tr>
                            <td colSpan={4} style={{ padding: 0 }}>
                              <BuildDetails job={job.name} number={item.number} building={item.building} />
                            </td>
                          </tr>
                        ) : null}
                      </Fragment>
                    ))}
                  </tbody>
                </table>
              </section>
            ))}
          </div>
        )}
      </QueryView>
    </div>
  );
}
