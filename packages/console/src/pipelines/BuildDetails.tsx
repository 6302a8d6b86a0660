import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { z } from 'zod';
import { getJson, request } from '../api/http.ts';
import { hrefTo } from '../app/url-state.ts';
import { QueryView } from '../ui/States.tsx';
import { Badge, type Tone } from '../ui/Value.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';

/** The stage view of Jenkins' pipeline-rest-api plugin, with the trace that our builds have. */
const run = z.object({
  status: z.string(),
  traceId: z.string().optional(),
  inputs: z.array(z.object({ id: z.string(), message: z.string(), ok: z.string() })).catch([]),
  stages: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      parentId: z.string().nullable().catch(null),
      execNode: z.string().catch(''),
      status: z.string(),
      startTimeMillis: z.number(),
      durationMillis: z.number(),
    }),
  ),
});
const artifacts = z.object({ artifacts: z.array(z.object({ relativePath: z.string() })).catch([]) });

type Stage = z.infer<typeof run>['stages'][number];

const TONES: Readonly<Record<string, Tone>> = {
  SUCCESS: 'ok',
  FAILED: 'bad',
  UNSTABLE: 'warn',
  IN_PROGRESS: 'accent',
  PAUSED_PENDING_INPUT: 'warn',
};
const POLL_MS = 1_000;

export function BuildDetails({ job, number, building }: { job: string; number: number; building: boolean }) {
  const base = `/jenkins/job/${encodeURIComponent(job)}/${number}`;
  const [failure, setFailure] = useState<string>();
  const refetchInterval = building ? POLL_MS : false;
  const query = useQuery({
    queryKey: ['jenkins', job, number, building],
    queryFn: async ({ signal }) => ({
      run: await getJson(`${base}/wfapi/describe`, run, { signal }),
      build: await getJson(`${base}/api/json`, artifacts, { signal }),
      log: await (await request(`${base}/consoleText`, { signal, accept: 'text/plain' })).text(),
    }),
    refetchInterval,
    placeholderData: (previous) => previous,
  });
  const send = (path: string): void => {
    setFailure(undefined);
    request(path, { method: 'POST' }).then(
      () => query.refetch(),
      (error: Error) => setFailure(error.message),
    );
  };
  return (
    <QueryView query={query}>
      {({ run: found, build, log }) => (
        <div style={{ display: 'grid', gap: 12, padding: 14 }}>
          <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap', alignItems: 'center' }}>
            {found.traceId === undefined ? null : (
              <a href={hrefTo(`/jaeger/trace/${found.traceId}`)}>Trace of this build</a>
            )}
            {building ? (
              <Button size="xs" variant="default" onClick={() => send(`${base}/stop`)}>
                Abort
              </Button>
            ) : (
              <Button size="xs" variant="default" onClick={() => send(`${base}/replay`)}>
                Replay
              </Button>
            )}
            {found.inputs.map((input) => (
              <Button
                key={input.id}
                size="xs"
                onClick={() => send(`${base}/input/${encodeURIComponent(input.id)}/proceedEmpty`)}
              >
                {input.message}: {input.ok}
              </Button>
            ))}
            {build.artifacts.map(({ relativePath }) => (
              <a key={relativePath} href={`${base}/artifact/${relativePath}`} download>
                {relativePath}
              </a>
            ))}
          </div>
          {failure === undefined ? null : <p role="alert">{failure}</p>}
          <table className="grid">
            <thead>
              <tr>
                <th>Stage</th>
                <th>Result</th>
                <th>Agent</th>
                <th className="num">Took</th>
              </tr>
            </thead>
            <tbody>
              {found.stages.map((stage) => (
                <tr key={stage.id}>
                  <td style={{ paddingLeft: 14 + 16 * depthOf(stage, found.stages) }}>{stage.name}</td>
                  <td>
                    <Badge tone={TONES[stage.status] ?? 'plain'}>
                      {stage.status.toLowerCase().replaceAll('_', ' ')}
                    </Badge>
                  </td>
                  <td>{stage.execNode}</td>
                  <td className="num">{formatDuration(msToUs(milliseconds(stage.durationMillis)))}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <pre style={{ maxHeight: 420, overflow: 'auto', margin: 0, fontSize: 12 }}>{log}</pre>
        </div>
      )}
    </QueryView>
  );
}

function depthOf(stage: Stage, all: readonly Stage[]): number {
  const parent = all.find((one) => one.id === stage.parentId);
  return parent === undefined ? 0 : 1 + depthOf(parent, all);
}
