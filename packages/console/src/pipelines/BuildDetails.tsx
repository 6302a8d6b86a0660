import { Button, Select } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { getJson } from '../api/http.ts';
import { hrefTo } from '../app/url-state.ts';
import { clock } from '../time/clock.ts';
import { QueryView } from '../ui/States.tsx';
import { BuildLog } from './BuildLog.tsx';
import { buildAnswer, jobPath, postForm, type Run, runAnswer } from './jenkins.ts';
import { ParameterForm } from './ParameterForm.tsx';
import { StageView } from './StageView.tsx';
import { TestResults } from './TestResults.tsx';

const POLL_MS = 1_000;

/** One build: what can be done with it, its stages, tests, artifacts and log. */
export function BuildDetails({ job, number, building }: { job: string; number: number; building: boolean }) {
  const base = `${jobPath(job)}/${number}`;
  const [failure, setFailure] = useState<string>();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ['jenkins', job, number, building],
    queryFn: async ({ signal }) => ({
      run: await getJson(`${base}/wfapi/describe`, runAnswer, { signal }),
      build: await getJson(`${base}/api/json`, buildAnswer, { signal }),
    }),
    refetchInterval: building ? POLL_MS : false,
    placeholderData: (previous) => previous,
  });
  const send = (path: string, fields?: Readonly<Record<string, string>>): void => {
    setFailure(undefined);
    postForm(path, fields).then(
      () => client.invalidateQueries({ queryKey: ['jenkins'] }),
      (error: Error) => setFailure(error.message),
    );
  };
  return (
    <QueryView query={query}>
      {({ run, build }) => {
        const causes = build.actions.flatMap((action) => action.causes ?? []).map((cause) => cause.shortDescription);
        const parameters = build.actions.flatMap((action) => action.parameters ?? []);
        const tests = build.actions.find((action) => action.totalCount !== undefined)?.totalCount;
        return (
          <div style={{ display: 'grid', gap: 12, padding: 14 }}>
            <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap', alignItems: 'center' }}>
              {run.traceId === undefined ? null : (
                <a href={hrefTo(`/jaeger/trace/${run.traceId}`)}>Trace of this build</a>
              )}
              {building ? (
                <Button size="xs" variant="default" onClick={() => send(`${base}/stop`)}>
                  Abort
                </Button>
              ) : (
                <>
                  <Button size="xs" variant="default" onClick={() => send(`${base}/replay`)}>
                    Replay
                  </Button>
                  <RestartFrom run={run} onStage={(stage) => send(`${base}/restart`, { stage })} />
                </>
              )}
            </div>
            {failure === undefined ? null : <p role="alert">{failure}</p>}
            <p className="dim" style={{ margin: 0 }}>
              {causes.join(', ')}
              {parameters.map(({ name, value }) => ` · ${name}=${value ?? '****'}`).join('')}
            </p>
            {build.description ? <p style={{ margin: 0 }}>{build.description}</p> : null}
            {run.inputs.map((input) => (
              <section key={input.id} aria-label={input.message} className="card" style={{ padding: 12 }}>
                <p style={{ margin: '0 0 8px' }}>{input.message}</p>
                <ParameterForm
                  parameters={input.parameters}
                  label={input.ok}
                  submit={(values) => send(`${base}/input/${encodeURIComponent(input.id)}/proceed`, values)}
                  cancelLabel="Abort"
                  onCancel={() => send(`${base}/input/${encodeURIComponent(input.id)}/abort`)}
                />
              </section>
            ))}
            <StageView stages={run.stages} nowMs={clock.now()} />
            {tests === undefined ? null : <TestResults base={base} count={tests} />}
            {build.artifacts.length === 0 ? null : (
              <section aria-label="Artifacts" style={{ display: 'flex', gap: 12, flexWrap: 'wrap' }}>
                <strong>Artifacts</strong>
                {build.artifacts.map(({ relativePath }) => (
                  <a key={relativePath} href={`${base}/artifact/${relativePath}`} download>
                    {relativePath}
                  </a>
                ))}
              </section>
            )}
            <BuildLog base={base} building={building} />
          </div>
        );
      }}
    </QueryView>
  );
}

/** Only outermost stages can be restarted from; those before are not run again. */
function RestartFrom({ run, onStage }: { run: Run; onStage: (stage: string) => void }) {
  const stages = [...new Set(run.stages.filter(({ parentId }) => parentId === null).map(({ name }) => name))];
  if (stages.length === 0) return null;
  return (
    <Select
      size="xs"
      aria-label="Restart from stage"
      placeholder="Restart from stage"
      data={stages}
      value={null}
      onChange={(stage) => stage !== null && onStage(stage)}
    />
  );
}
