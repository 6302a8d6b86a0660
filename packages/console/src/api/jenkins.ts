import { z } from 'zod';
import { getJson, isApiError } from './http.ts';
import { listObjects, RESOURCES } from './kubernetes.ts';

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

/** Where `kind-e2e pipeline run` puts the controller. */
const CONTROLLER = { namespace: 'jenkins', labels: 'kubernetes.io/service-name=jenkins' };

/**
 * What `/jenkins/api/json` says of `tree`; undefined in a lab without a pipeline. Kubernetes is asked first whether there
 * is one: a browser reports each answer of a gateway without a server as an error.
 */
export async function askJenkins<T>(schema: z.ZodType<T>, tree: string, signal?: AbortSignal): Promise<T | undefined> {
  if (!(await mayAnswer(signal))) return undefined;
  try {
    return await getJson('/jenkins/api/json', schema, { params: { tree }, signal });
  } catch (error) {
    if (isApiError(error) && ([0, 404, 502, 503].includes(error.status) || error.message.includes('JSON')))
      return undefined;
    throw error;
  }
}

async function mayAnswer(signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const { items } = await listObjects(RESOURCES.endpointslices, { ...CONTROLLER, signal });
    return items.some((slice) => endpointsOf.safeParse(slice).data?.endpoints?.some(isReady));
  } catch (error) {
    // Kubernetes does not answer: Jenkins may.
    if (isApiError(error)) return true;
    throw error;
  }
}

const endpointsOf = z.object({
  endpoints: z.array(z.object({ conditions: z.object({ ready: z.boolean().nullish() }).nullish() })).nullish(),
});
const isReady = ({ conditions }: { conditions?: { ready?: boolean | null | undefined } | null | undefined }): boolean =>
  conditions?.ready !== false;

/** The last build of each job, newest first; none in a lab without a pipeline. */
export async function lastBuilds(signal?: AbortSignal): Promise<LastBuild[]> {
  const found = await askJenkins(answer, 'jobs[name,lastBuild[number,result,building,timestamp,duration]]', signal);
  return (found?.jobs ?? [])
    .flatMap((job) => (job.lastBuild ? [{ ...job.lastBuild, job: job.name }] : []))
    .sort((a, b) => b.timestamp - a.timestamp);
}
