import { z } from 'zod';
import { getJson, isApiError } from './http.ts';

/** Jenkins' remote API, the fields that the home page shows (jenkins: /api/json with `tree`). */
const lastBuild = z.object({
  number: z.number(),
  result: z.string().nullable().catch(null),
  building: z.boolean().catch(false),
  timestamp: z.number().catch(0),
  duration: z.number().catch(0),
});
const answer = z.object({
  jobs: z.array(z.object({ name: z.string(), lastBuild: lastBuild.nullish().catch(null) })).catch([]),
});
export type LastBuild = z.infer<typeof lastBuild> & { job: string };

/** The last build of each job, newest first; none where no Jenkins answers, which is how a lab without a pipeline looks. */
export async function lastBuilds(signal?: AbortSignal): Promise<LastBuild[]> {
  try {
    const { jobs } = await getJson('/jenkins/api/json', answer, {
      params: { tree: 'jobs[name,lastBuild[number,result,building,timestamp,duration]]' },
      signal,
    });
    return jobs
      .flatMap((job) => (job.lastBuild ? [{ ...job.lastBuild, job: job.name }] : []))
      .sort((a, b) => b.timestamp - a.timestamp);
  } catch (error) {
    if (isApiError(error) && ([0, 404, 502, 503].includes(error.status) || error.message.includes('JSON'))) return [];
    throw error;
  }
}
