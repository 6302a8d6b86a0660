import { z } from 'zod';
import { request } from '../api/http.ts';

/** Jenkins' remote API, the fields that are shown (/job/NAME/api/json). */
const parameter = z.object({
  name: z.string(),
  description: z.string().nullish(),
  type: z.string().catch('StringParameterDefinition'),
  choices: z.array(z.string()).optional(),
  defaultParameterValue: z.object({ value: z.union([z.string(), z.boolean(), z.number()]).optional() }).nullish(),
});
export type Parameter = z.infer<typeof parameter>;

const build = z.object({
  number: z.number(),
  result: z.string().nullable().catch(null),
  building: z.boolean().catch(false),
  timestamp: z.number().catch(0),
  duration: z.number().catch(0),
});

export const jobsAnswer = z.object({
  jobs: z.array(
    z.object({
      name: z.string(),
      color: z.string().optional(),
      inQueue: z.boolean().catch(false),
      triggers: z.array(z.object({ kind: z.string(), spec: z.string().optional() })).catch([]),
      builds: z.array(build).catch([]),
    }),
  ),
});
export type Job = z.infer<typeof jobsAnswer>['jobs'][number];

export const jobAnswer = z.object({
  property: z.array(z.object({ parameterDefinitions: z.array(parameter).optional() })).catch([]),
});

/** A build's own answer: what it was started with, what it left. */
export const buildAnswer = z.object({
  description: z.string().nullish(),
  artifacts: z.array(z.object({ relativePath: z.string() })).catch([]),
  actions: z
    .array(
      z.object({
        causes: z.array(z.object({ shortDescription: z.string() })).optional(),
        parameters: z
          .array(z.object({ name: z.string(), value: z.union([z.string(), z.boolean(), z.number()]).optional() }))
          .optional(),
        totalCount: z.number().optional(),
      }),
    )
    .catch([]),
});

/** The stage view of Jenkins' pipeline-rest-api plugin, with the trace that our builds have. */
export const runAnswer = z.object({
  status: z.string(),
  traceId: z.string().optional(),
  inputs: z
    .array(z.object({ id: z.string(), message: z.string(), ok: z.string(), parameters: z.array(parameter).catch([]) }))
    .catch([]),
  stages: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      parentId: z.string().nullable().catch(null),
      execNode: z.string().catch(''),
      status: z.string(),
      startTimeMillis: z.number(),
      durationMillis: z.number(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
});
export type Run = z.infer<typeof runAnswer>;
export type Stage = Run['stages'][number];

/** JUnit's report (junit plugin, /testReport/api/json). */
export const testsAnswer = z.object({
  failCount: z.number(),
  passCount: z.number(),
  skipCount: z.number(),
  suites: z.array(
    z.object({
      name: z.string(),
      cases: z.array(
        z.object({
          className: z.string(),
          name: z.string(),
          status: z.string(),
          duration: z.number(),
          errorDetails: z.string().nullish(),
        }),
      ),
    }),
  ),
});

export const jobPath = (job: string): string => `/jenkins/job/${encodeURIComponent(job)}`;

/** Sends a form, as Jenkins' own pages do. */
export async function postForm(path: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
  await request(path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    contentType: 'application/x-www-form-urlencoded',
  });
}
