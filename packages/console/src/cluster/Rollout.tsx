import { Button, NumberInput } from '@mantine/core';
import { useState } from 'react';
import { z } from 'zod';
import { type KubeObject, patchObject, RESOURCES, type ResourceName } from '../api/kubernetes.ts';
import { useObjects } from '../api/queries.ts';
import { clock } from '../time/clock.ts';
import { QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge } from '../ui/Value.tsx';
import classes from './cluster.module.css';
import { readWorkload, shortImage } from './read.ts';
import { revisionsOf, undoPatch } from './rollout-history.ts';

const replicasOf = z.object({ spec: z.object({ replicas: z.number().optional() }) });

/** Scale, restart, the revisions of a Deployment and the way back to one. */
export function Rollout({
  kind,
  object,
  onChanged,
}: {
  kind: ResourceName;
  object: KubeObject;
  onChanged: () => void;
}) {
  const workload = readWorkload(object);
  const wanted = replicasOf.safeParse(object).data?.spec.replicas ?? workload.wanted;
  const [replicas, setReplicas] = useState(wanted);
  const [message, setMessage] = useState<{ isError: boolean; text: string }>();
  const target = { namespace: object.metadata.namespace, name: object.metadata.name };
  const run = (what: string, action: () => Promise<void>): void => {
    setMessage(undefined);
    action().then(
      () => {
        setMessage({ isError: false, text: what });
        onChanged();
      },
      (error: unknown) => setMessage({ isError: true, text: error instanceof Error ? error.message : String(error) }),
    );
  };
  const restart = (): Promise<void> =>
    patchObject(RESOURCES[kind], target, {
      spec: {
        template: {
          metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date(clock.now()).toISOString() } },
        },
      },
    });
  return (
    <div style={{ display: 'grid', gap: 18 }}>
      <form
        className={classes.toolbar}
        style={{ alignItems: 'end', margin: 0 }}
        onSubmit={(event) => {
          event.preventDefault();
          run(`Scaled to ${replicas}.`, () =>
            patchObject(RESOURCES[kind], { ...target, subresource: 'scale' }, { spec: { replicas } }),
          );
        }}
      >
        <NumberInput
          size="xs"
          w={110}
          label="Replicas"
          min={0}
          max={100}
          value={replicas}
          onChange={(value) => setReplicas(Number(value) || 0)}
        />
        <Button size="xs" type="submit" disabled={replicas === wanted}>
          Scale
        </Button>
        <Button size="xs" variant="default" onClick={() => run('Restarting: pods are replaced one by one.', restart)}>
          Restart
        </Button>
        <Badge tone={workload.tone}>
          {workload.ready} of {workload.wanted} ready
        </Badge>
        {workload.note ? <span className="dim">{workload.note}</span> : null}
      </form>
      {message ? (
        <div role="status" style={{ color: message.isError ? 'var(--bad)' : 'var(--ok)' }}>
          {message.text}
        </div>
      ) : null}
      {kind === 'deployments' ? (
        <History
          object={object}
          onUndo={(replicaSet, revision) =>
            run(`Going back to revision ${revision}.`, () =>
              patchObject(RESOURCES[kind], target, undoPatch(replicaSet)),
            )
          }
        />
      ) : null}
    </div>
  );
}

function History({
  object,
  onUndo,
}: {
  object: KubeObject;
  onUndo: (replicaSet: KubeObject, revision: number) => void;
}) {
  const query = useObjects(RESOURCES.replicasets, { namespace: object.metadata.namespace });
  return (
    <QueryView query={query}>
      {(sets) => (
        <div className="scroll-x">
          <table className="grid">
            <thead>
              <tr>
                <th className="num">Revision</th>
                <th>Images</th>
                <th className="num">Pods</th>
                <th>Why</th>
                <th className="num">Age</th>
                <th>
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {revisionsOf(object, sets).map((entry, index) => (
                <tr key={entry.name}>
                  <td className="num">{entry.revision}</td>
                  <td className="mono">{entry.images.map(shortImage).join(', ')}</td>
                  <td className="num">{entry.pods}</td>
                  <td className="dim">{entry.cause}</td>
                  <td className="num">
                    <Age since={entry.object.metadata.creationTimestamp} />
                  </td>
                  <td className="num">
                    {index === 0 ? (
                      <Badge tone="accent">now</Badge>
                    ) : (
                      <Button size="compact-xs" variant="default" onClick={() => onUndo(entry.object, entry.revision)}>
                        Go back to it
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </QueryView>
  );
}
