import { IconGitBranch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { askJenkins } from '../api/jenkins.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { JobCard } from './JobCard.tsx';
import { jobsAnswer } from './jenkins.ts';

const TREE = 'jobs[name,color,inQueue,triggers[kind,spec],builds[number,result,building,timestamp,duration]]';
const RUNNING_POLL_MS = 1_000;

export function PipelinesPage() {
  const { now } = useTime();
  const query = useQuery({
    queryKey: ['jenkins', now],
    queryFn: async ({ signal }) => (await askJenkins(jobsAnswer, TREE, signal)) ?? { jobs: [] },
    // While something waits or runs, its start and end are seen at once.
    refetchInterval: ({ state }) =>
      state.data?.jobs.some((job) => job.inQueue || job.builds.some(({ building }) => building))
        ? RUNNING_POLL_MS
        : false,
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
              <JobCard key={job.name} job={job} />
            ))}
          </div>
        )}
      </QueryView>
    </div>
  );
}
