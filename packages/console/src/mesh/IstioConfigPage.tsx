import { Button, Drawer, Menu, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { ISTIO_RESOURCES, type KubeObject, listObjects, RESOURCES, type ResourceName } from '../api/kubernetes.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { hrefTo, updateQuery, useQueryState } from '../app/url-state.ts';
import { YamlView } from '../editors/YamlView.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Age } from '../ui/Time.tsx';
import { Badge } from '../ui/Value.tsx';
import { checkIstioObject, type Finding, routesOfHost, worldOf } from './istio-checks.ts';
import { findingsOfStatus } from './status-findings.ts';
import { WizardModal } from './WizardModal.tsx';
import { WIZARDS, type WizardKind } from './wizards.ts';

interface Entry {
  resource: ResourceName;
  object: KubeObject;
  findings: Finding[];
}

const idOf = (entry: Entry): string =>
  `${entry.resource}:${entry.object.metadata.namespace}/${entry.object.metadata.name}`;

/** Istio's objects with what is wrong with them, and wizards that write them. */
export function IstioConfigPage() {
  const { now } = useTime();
  const [openId] = useQueryState('object');
  const [wizard] = useQueryState('wizard');
  const [host] = useQueryState('host');
  const query = useQuery({
    queryKey: ['istio', now],
    queryFn: async ({ signal }) => {
      // A kind whose CRD is not installed is not an error of the page.
      const list = (name: ResourceName) => listObjects(RESOURCES[name], { signal }).then(({ items }) => items);
      const optional = (name: ResourceName) => list(name).catch((): KubeObject[] => []);
      const [services, ...kinds] = await Promise.all([list('services'), ...ISTIO_RESOURCES.map(optional)]);
      return {
        services,
        objects: ISTIO_RESOURCES.flatMap((resource, index) =>
          (kinds[index] ?? []).map((object) => ({ resource, object })),
        ),
      };
    },
    placeholderData: (previous) => previous,
  });
  const entries = useMemo<Entry[]>(() => {
    if (!query.data) return [];
    const of = (name: ResourceName) =>
      query.data.objects.filter((entry) => entry.resource === name).map((entry) => entry.object);
    const world = worldOf({
      services: query.data.services,
      gateways: of('gateways'),
      destinationrules: of('destinationrules'),
      serviceentries: of('serviceentries'),
    });
    return query.data.objects
      .map((entry) => {
        const own = checkIstioObject(entry.object, world);
        return { ...entry, findings: [...own, ...findingsOfStatus(entry.object, own)] };
      })
      .sort((a, b) => b.findings.length - a.findings.length);
  }, [query.data]);
  const open = entries.find((entry) => idOf(entry) === openId);
  const services = (query.data?.services ?? []).map((item) => item.metadata.name);
  const isWizard = (WIZARDS as readonly string[]).includes(wizard) && host.includes('/');
  const [namespace = '', name = ''] = host.split('/');
  const virtualServices = entries.filter((entry) => entry.resource === 'virtualservices').map((entry) => entry.object);
  const existing = virtualServices.find(
    (item) =>
      routesOfHost([item], name, namespace)[0]?.role === 'rules' &&
      item.metadata.namespace === namespace &&
      !usesGateway(item),
  );

  return (
    <div className="page">
      <div className="page-head">
        <h1>Mesh</h1>
        <SegmentedControl
          size="xs"
          value="config"
          onChange={(value) => value === 'graph' && navigate(hrefTo('/kiali'))}
          aria-label="Section"
          data={[
            { value: 'graph', label: 'Graph' },
            { value: 'config', label: 'Istio objects' },
          ]}
        />
        <div className="end">
          <Menu position="bottom-end" width={240}>
            <Menu.Target>
              <Button size="xs">Change the traffic</Button>
            </Menu.Target>
            <Menu.Dropdown mah={400} style={{ overflow: 'auto' }}>
              {(query.data?.services ?? [])
                .filter((item) => item.metadata.namespace !== 'istio-system' && item.metadata.name !== 'kubernetes')
                .map((item) => (
                  <div key={`${item.metadata.namespace}/${item.metadata.name}`}>
                    <Menu.Label>
                      {item.metadata.name} in {item.metadata.namespace}
                    </Menu.Label>
                    {WIZARDS.map((kind) => (
                      <Menu.Item
                        key={kind}
                        onClick={() =>
                          updateQuery({ wizard: kind, host: `${item.metadata.namespace}/${item.metadata.name}` })
                        }
                        tt="capitalize"
                      >
                        {kind}
                      </Menu.Item>
                    ))}
                  </div>
                ))}
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      <QueryView
        query={query}
        isEmpty={(data) => data.objects.length === 0}
        empty={
          <div className="card">
            <Empty title="No Istio objects yet">
              Without any, traffic goes round robin to ready endpoints. “Change the traffic” writes the first one.
            </Empty>
          </div>
        }
      >
        {() => (
          <section className="card scroll-x" aria-label="Istio objects">
            <table className="grid">
              <thead>
                <tr>
                  <th>Name</th>
                  <th>Kind</th>
                  <th>Namespace</th>
                  <th>Findings</th>
                  <th className="num">Age</th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => (
                  <tr key={idOf(entry)} data-selected={idOf(entry) === openId}>
                    <td>
                      <button
                        type="button"
                        data-row
                        style={{ all: 'unset', cursor: 'pointer', color: 'var(--accent)', fontWeight: 550 }}
                        onClick={() => updateQuery({ object: idOf(entry) })}
                      >
                        {entry.object.metadata.name}
                      </button>
                    </td>
                    <td>{RESOURCES[entry.resource].kind}</td>
                    <td>{entry.object.metadata.namespace}</td>
                    <td>
                      {entry.findings.length === 0 ? (
                        <Badge tone="ok">fine</Badge>
                      ) : (
                        <Badge tone={entry.findings.some((item) => item.severity === 'error') ? 'bad' : 'warn'}>
                          {entry.findings.length}
                        </Badge>
                      )}
                    </td>
                    <td className="num">
                      <Age since={entry.object.metadata.creationTimestamp} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </QueryView>
      <Drawer
        opened={open !== undefined}
        onClose={() => updateQuery({ object: undefined })}
        position="right"
        overlayProps={{ backgroundOpacity: 0.28 }}
        size="xl"
        title={open ? `${RESOURCES[open.resource].kind} ${open.object.metadata.name}` : ''}
      >
        {open ? (
          <YamlView
            key={`${openId}${open.object.metadata.resourceVersion}`}
            object={open.object}
            resource={RESOURCES[open.resource]}
            findings={open.findings}
            onApplied={() => void query.refetch()}
          />
        ) : null}
      </Drawer>
      {isWizard && query.data ? (
        <WizardModal
          key={`${wizard}${host}`}
          kind={wizard as WizardKind}
          host={host}
          services={services}
          existing={existing}
          onClose={() => updateQuery({ wizard: undefined, host: undefined })}
          onApplied={() => void query.refetch()}
        />
      ) : null}
    </div>
  );
}

/** Rules of the ingress gateway are not changed by a wizard for calls inside the mesh. */
function usesGateway(object: KubeObject): boolean {
  const { spec } = object as { spec?: { gateways?: unknown } };
  return Array.isArray(spec?.gateways) && spec.gateways.some((gateway) => gateway !== 'mesh');
}
