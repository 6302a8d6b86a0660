import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { getJson } from '../api/http.ts';
import { useQueryState } from '../app/url-state.ts';
import { Time } from '../ui/Time.tsx';
import { Badge, type Tone } from '../ui/Value.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import { BuildDetails } from './BuildDetails.tsx';
import { type Job, jobAnswer, jobPath, type Parameter, postForm } from './jenkins.ts';
import { ParameterForm } from './ParameterForm.tsx';

const TONES: Readonly<Record<string, Tone>> = { SUCCESS: 'ok', FAILURE: 'bad', UNSTABLE: 'warn', ABORTED: 'plain' };

/** A job with what starts its builds, and its builds. The address says which one is open. */
export function JobCard({ job }: { job: Job }) {
  const [open, setOpen] = useQueryState('build');
  const [asked, setAsked] = useState<readonly Parameter[]>();
  const [failure, setFailure] = useState<string>();
  const client = useQueryClient();
  const isDisabled = job.color === 'disabled';
  const run = (work: () => Promise<void>): void => {
    setFailure(undefined);
    work().then(
      () => client.invalidateQueries({ queryKey: ['jenkins'] }),
      (error: Error) => setFailure(error.message),
    );
  };
  const start = (values?: Readonly<Record<string, string>>): void =>
    run(async () => {
      setAsked(undefined);
      await postForm(`${jobPath(job.name)}/${values ? 'buildWithParameters' : 'build'}`, values);
    });
  /** Asks for parameters first, where the job declares some. */
  const askOrStart = (): void =>
    run(async () => {
      const { property } = await getJson(`${jobPath(job.name)}/api/json`, jobAnswer);
      const parameters = property.flatMap((one) => one.parameterDefinitions ?? []);
      if (parameters.length > 0) setAsked(parameters);
      else await postForm(`${jobPath(job.name)}/build`);
    });
  return (
    <section className="card" aria-label={job.name}>
      <div className="card-head" style={{ display: 'flex', gap: 10, flexWrap: 'wrap', alignItems: 'center' }}>
        <span>{job.name}</span>
        <Triggers
          job={job}
          isDisabled={isDisabled}
          onSwitch={(to) => run(() => postForm(`${jobPath(job.name)}/${to}`))}
        />
        <span style={{ flex: 1 }} />
        <Button size="xs" disabled={isDisabled} onClick={askOrStart}>
          Build now
        </Button>
      </div>
      {failure === undefined ? null : (
        <p role="alert" style={{ padding: '0 14px' }}>
          {failure}
        </p>
      )}
      {asked === undefined ? null : (
        <div style={{ padding: 14 }}>
          <ParameterForm parameters={asked} submit={start} label="Build" onCancel={() => setAsked(undefined)} />
        </div>
      )}
      <div className="scroll-x">
        <table className="grid" aria-label={`Builds of ${job.name}`}>
          <thead>
            <tr>
              <th>Build</th>
              <th>Result</th>
              <th>Started</th>
              <th className="num">Took</th>
            </tr>
          </thead>
          <tbody>
            {job.builds.map((item) => {
              const key = `${job.name}/${item.number}`;
              const isOpen = open === key;
              return (
                <Fragment key={item.number}>
                  <tr data-build={item.number}>
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
                        aria-expanded={isOpen}
                        onClick={() => setOpen(isOpen ? undefined : key)}
                      >
                        #{item.number}
                      </button>
                    </td>
                    <td>
                      <Badge tone={item.building ? 'accent' : (TONES[item.result ?? ''] ?? 'plain')}>
                        {item.building ? 'running' : (item.result ?? 'unknown').toLowerCase().replaceAll('_', ' ')}
                      </Badge>
                    </td>
                    <td>
                      <Time ms={item.timestamp} />
                    </td>
                    <td className="num">{item.building ? '' : formatDuration(msToUs(milliseconds(item.duration)))}</td>
                  </tr>
                  {isOpen ? (
                    <tr>
                      <td colSpan={4} style={{ padding: 0, whiteSpace: 'normal' }}>
                        <BuildDetails job={job.name} number={item.number} building={item.building} />
                      </td>
                    </tr>
                  ) : null}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What starts builds by itself, said and switched: nobody should wonder why something was deployed. */
function Triggers({
  job,
  isDisabled,
  onSwitch,
}: {
  job: Job;
  isDisabled: boolean;
  onSwitch: (to: 'enable' | 'disable') => void;
}) {
  const what = job.triggers.map(({ kind, spec }) => (spec === undefined ? kind : `${kind} ${spec}`)).join(', ');
  if (what === '' && !isDisabled) return null;
  return (
    <span className="dim" style={{ display: 'flex', gap: 8, alignItems: 'center', fontWeight: 400 }}>
      {isDisabled ? 'Disabled: nothing starts a build' : `Starts by itself: ${what}`}
      <Button size="compact-xs" variant="default" onClick={() => onSwitch(isDisabled ? 'enable' : 'disable')}>
        {isDisabled ? 'Enable' : 'Disable'}
      </Button>
    </span>
  );
}
