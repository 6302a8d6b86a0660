import { Drawer, Tabs } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { type KubeObject, RESOURCES, type ResourceName } from '../api/kubernetes.ts';
import { useObjects } from '../api/queries.ts';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { Empty, QueryView, SkeletonRows } from '../ui/States.tsx';
import { columnsOf } from './columns.tsx';
import { Overview } from './Overview.tsx';
import { PodLog } from './PodLog.tsx';
import { Rollout } from './Rollout.tsx';

const YamlView = lazy(async () => ({ default: (await import('../editors/YamlView.tsx')).YamlView }));
const PodShell = lazy(async () => ({ default: (await import('./PodShell.tsx')).PodShell }));

interface Props {
  kind: ResourceName;
  object: KubeObject | undefined;
  name: string;
  onChanged: () => void;
}

/** One object: what it is, its YAML, events; for pods log and shell, for Deployments roll-out and scale. */
export function ObjectDrawer({ kind, object, name, onChanged }: Props) {
  const [tab, setTab] = useQueryState('view', 'overview');
  const resource = RESOURCES[kind];
  const close = (): void => updateQuery({ object: undefined, view: undefined });
  const isPod = kind === 'pods';
  const hasRollout = kind === 'deployments' || kind === 'statefulsets';
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      overlayProps={{ backgroundOpacity: 0.28 }}
      size="min(860px, 100vw)"
      title={`${resource.kind} ${name.split('/').at(-1)}`}
    >
      {object === undefined ? (
        <Empty title="It is gone">
          There is no {resource.kind} {name} any more. Pods get new names when they are replaced.
        </Empty>
      ) : (
        <Tabs value={tab} onChange={(value) => setTab(value ?? undefined, { replace: true })} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="overview">Overview</Tabs.Tab>
            {isPod ? <Tabs.Tab value="log">Log</Tabs.Tab> : null}
            {isPod ? <Tabs.Tab value="shell">Shell</Tabs.Tab> : null}
            {hasRollout ? <Tabs.Tab value="rollout">Roll-out</Tabs.Tab> : null}
            <Tabs.Tab value="events">Events</Tabs.Tab>
            <Tabs.Tab value="yaml">YAML</Tabs.Tab>
          </Tabs.List>
          <Suspense fallback={<SkeletonRows />}>
            <Tabs.Panel value="overview">
              <Overview kind={kind} object={object} />
            </Tabs.Panel>
            {isPod ? (
              <Tabs.Panel value="log">
                <PodLog pod={object} />
              </Tabs.Panel>
            ) : null}
            {isPod ? (
              <Tabs.Panel value="shell">
                <PodShell pod={object} />
              </Tabs.Panel>
            ) : null}
            {hasRollout ? (
              <Tabs.Panel value="rollout">
                <Rollout kind={kind} object={object} onChanged={onChanged} />
              </Tabs.Panel>
            ) : null}
            <Tabs.Panel value="events">
              <ObjectEvents object={object} />
            </Tabs.Panel>
            <Tabs.Panel value="yaml">
              <YamlView key={object.metadata.uid} object={object} resource={resource} onApplied={onChanged} />
            </Tabs.Panel>
          </Suspense>
        </Tabs>
      )}
    </Drawer>
  );
}

function ObjectEvents({ object }: { object: KubeObject }) {
  const query = useObjects(RESOURCES.events, {
    namespace: object.metadata.namespace,
    fields: `involvedObject.name=${object.metadata.name}`,
  });
  const columns = columnsOf('events', new Map()).filter((column) => column.title !== 'Object');
  return (
    <QueryView
      query={query}
      isEmpty={(list) => list.length === 0}
      empty={<Empty title="No events">Events are kept for an hour.</Empty>}
    >
      {(list) => (
        <div className="scroll-x">
          <table className="grid">
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column.title}>{column.title}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {list.map((item) => (
                <tr key={item.metadata.name}>
                  {columns.map((column) => (
                    <td key={column.title}>{column.cell(item)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </QueryView>
  );
}
